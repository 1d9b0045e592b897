/** One look-up of a view in a hash of texts; the plan is that of compiler/tables/text-hash. */
import { HEAD_MAX } from '../abi/index.js';
import type { Emitter } from '../ir/emitter.js';
import type { BlockId, Target, ValueId } from '../ir/index.js';
import {
  LENGTH_BITS,
  STATE_MULTIPLIER,
  TEXT_HEADER_BYTES,
  type TextHashPlan,
} from '../tables/index.js';
import { emitHashSlot } from './expand-tables-exact.js';
import { HASH_FUNCTION, LOWER_HASH_FUNCTION, maskWord, partsOf } from './expand-views.js';
import type { FunctionWriter } from './function-writer.js';

export interface TextProbe {
  readonly plan: TextHashPlan | null;
  readonly image: string;
  readonly request: ValueId;
  /** A view that lies in the head. */
  readonly view: ValueId;
  readonly state: ValueId;
  /** ASCII letters of either case are equal; the texts are names of hosts in lower case. */
  readonly ignoresCase: boolean;
}
/** Where to go on; a hit brings what the record says. */
export interface TextTargets {
  readonly hit: (next: ValueId) => Target;
  readonly miss: Target;
}

/**
 * The bit that differs between letters of either case, at each letter of a name of a host: of its bytes
 * only letters have bits 6 and 5 both.
 */
function caseBits(emit: Emitter, want: ValueId): ValueId {
  const upper = emit.binary('i64', 'and', emit.with('i64', 'shr_u', want, 1), want);
  return emit.with('i64', 'and', upper, 0x2020202020202020n);
}

/**
 * Writes the look-up of a text in a state behind what `emit` holds, and seals the block `id` with it. Its
 * words are compared one after the other, no more than the text has.
 */
export function writeTextProbe(
  writer: FunctionWriter,
  { id, emit }: { readonly id: BlockId; readonly emit: Emitter },
  probe: TextProbe,
  { hit, miss }: TextTargets,
): void {
  const { plan, image, request, view, state, ignoresCase } = probe;
  if (plan === null) {
    writer.seal(id, [], emit, { op: 'br', to: miss, loc: null });
    return;
  }
  const hash = emit.call(ignoresCase ? LOWER_HASH_FUNCTION : HASH_FUNCTION, 'i64', [request, view]);
  const mixed = emit.with('i64', 'mul', emit.extend(state), STATE_MULTIPLIER);
  const key = emit.binary('i64', 'xor', hash, mixed);
  const { hash: keyHash, slot } = emitHashSlot(emit, { ...plan, image }, key);
  const word = emit.loadImage(image, emit.with('i64', 'shl', slot, 2), {
    offset: 0,
    limit: (2 ** plan.slotBits - 1) * 4,
    size: 4,
  });
  const place = emit.binary('i32', 'xor', word, emit.wrap(emit.with('i64', 'shr_u', keyHash, 32)));
  const isPlace = emit.compareWith('i32', 'lt_u', place, plan.places);
  const record = writer.block();
  writer.branch(id, [], emit, {
    condition: isPlace,
    then: { block: record, args: [] },
    else: miss,
  });

  const named = writer.emitter();
  const at = named.with('i64', 'shl', named.extend(place), 3);
  // A word of a text is loaded only where its record has so many.
  const stored = (into: Emitter, offset: number): ValueId => {
    const limit = plan.bytes.length - plan.recordsAt - offset - 8;
    return into.loadImage(image, at, { offset: plan.recordsAt + offset, limit, size: 8 });
  };
  const header = stored(named, 0);
  const { offset, length } = partsOf(named, view);
  const tagged = named.binary('i32', 'add', named.with('i32', 'shl', state, LENGTH_BITS), length);
  const isNamed = named.compare('eq', named.wrap(header), tagged);
  // A length that does not fit its bits would be taken for another state's.
  const isShort = named.compareWith('i32', 'lt_u', length, 2 ** LENGTH_BITS);
  const condition = named.binary('i32', 'and', isNamed, isShort);
  const next = named.wrap(named.with('i64', 'shr_u', header, 32));
  let current = writer.block();
  writer.branch(record, [], named, { condition, then: { block: current, args: [] }, else: miss });

  for (let part = 0; part < plan.words; part++) {
    const before = 8 * part;
    const compare = writer.emitter();
    const start = compare.with('i32', 'add', offset, before);
    const loaded = compare.loadHead(request, start, { offset: 0, limit: HEAD_MAX, size: 8 });
    const have = maskWord(compare, loaded, compare.with('i32', 'sub', length, before));
    const want = stored(compare, TEXT_HEADER_BYTES + before);
    const folded = ignoresCase ? compare.binary('i64', 'or', have, caseBits(compare, want)) : have;
    const same = compare.compare('eq', folded, want);
    if (part === plan.words - 1) {
      writer.branch(current, [], compare, { condition: same, then: hit(next), else: miss });
      break;
    }
    const more = writer.block();
    const then = { block: more, args: [] };
    writer.branch(current, [], compare, { condition: same, then, else: miss });
    const test = writer.emitter();
    const isLonger = test.compareWith('i32', 'gt_u', length, before + 8);
    current = writer.block();
    const onward = { block: current, args: [] };
    writer.branch(more, [], test, { condition: isLonger, then: onward, else: hit(next) });
  }
}
