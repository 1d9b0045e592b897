/**
 * What all policies of a bundle share to scan a view: `weft_view_find`, `weft_view_hash` and its
 * twin that takes letters for lower-case ones, written in IR and joined like a policy. Eight bytes a round; a view that reaches behind the head has none
 * of what is looked for and the hash 0. Their trip count is a constant, so that kernels without
 * may_goto can walk them, once each.
 */
import { FINAL_MULTIPLIER, HEAD_MAX, WORD_MULTIPLIER } from '../abi/index.js';
import type { Emitter } from '../ir/emitter.js';
import type { BlockId, Func, Module, Param, Terminator, ValueId } from '../ir/types.js';
import {
  FIND_FUNCTION,
  HASH_FUNCTION,
  LOWER_HASH_FUNCTION,
  maskWord,
  partsOf,
} from './expand-views.js';
import { FunctionWriter } from './function-writer.js';
import { lowerWord } from './lower-word.js';

const ONES = 0x0101010101010101n;
const HIGHS = 0x8080808080808080n;

/** Prototypes of the shared functions, for modules that call them. */
export const VIEW_EXTERNS: Module['externs'] = [
  { name: FIND_FUNCTION, params: ['ptr', 'i32', 'i32'], result: 'i32' },
  { name: HASH_FUNCTION, params: ['ptr', 'i32'], result: 'i64' },
  { name: LOWER_HASH_FUNCTION, params: ['ptr', 'i32'], result: 'i64' },
];

/** The shared functions that are among `called`, as a module. */
export function buildViewFunctions(called: ReadonlySet<string>): Module {
  const functions = [findFunction(), hashFunction(false), hashFunction(true)].filter((func) =>
    called.has(func.name),
  );
  return { name: 'views', functions, images: [], positions: [], externs: [] };
}

interface Loop {
  readonly writer: FunctionWriter;
  readonly request: ValueId;
  readonly offset: ValueId;
  readonly length: ValueId;
}

/** The eight bytes of a view from `position` on; those behind its end are whatever lies there. */
function loadWord(emit: Emitter, { request, offset }: Loop, position: ValueId): ValueId {
  const start = emit.binary('i32', 'add', offset, position);
  return emit.loadHead(request, start, { offset: 0, limit: HEAD_MAX, size: 8 });
}

/** The entry: goes to `body` where the view lies in the head, else to `outside`. */
function begin(
  writer: FunctionWriter,
  view: ValueId,
  body: BlockId,
  outside: BlockId,
  args: 'i64' | null,
): Loop {
  const entry = writer.block();
  const emit = writer.emitter();
  const { offset, length } = partsOf(emit, view);
  const inside = emit.compareWith(
    'i32',
    'le_u',
    emit.binary('i32', 'add', offset, length),
    HEAD_MAX,
  );
  const first = [emit.constant('i32', 0), ...(args === null ? [] : [emit.extend(length)])];
  writer.seal(entry, [], emit, {
    op: 'br_if',
    condition: inside,
    then: { block: body, args: first },
    else: { block: outside, args: [] },
    loc: null,
  });
  return { writer, request: 0 as ValueId, offset, length };
}

function to(block: BlockId, args: ValueId[] = []): { block: BlockId; args: ValueId[] } {
  return { block, args };
}

/**
 * The head of the loop over a view: on to `body` while its first parameter, the position, lies before
 * the view's end. The other bound is a constant: it is what a kernel can count.
 */
function walk(
  { writer, length }: Loop,
  { head, body, end }: { readonly [block in 'head' | 'body' | 'end']: BlockId },
  params: [position: Param, ...rest: Param[]],
): void {
  const [{ id: position }] = params;
  const more = writer.block();
  const branch = (condition: ValueId, then: BlockId): Terminator => ({
    op: 'br_if',
    condition,
    then: to(then),
    else: to(end),
    loc: null,
  });
  const test = writer.emitter();
  const bounded = test.compareWith('i32', 'lt_u', position, HEAD_MAX);
  writer.seal(head, params, test, branch(bounded, more));
  const left = writer.emitter();
  const inside = left.compare('lt_u', position, length);
  writer.seal(more, [], left, branch(inside, body));
}

function findFunction(): Func {
  const writer = new FunctionWriter(FIND_FUNCTION, ['ptr', 'i32', 'i32'], 'i32');
  const [view, byte] = [1 as ValueId, 2 as ValueId];
  const names = Array.from({ length: 5 }, () => writer.block());
  const [head, body, next, found, none] = names as [BlockId, BlockId, BlockId, BlockId, BlockId];
  const loop = begin(writer, view, head, none, null);
  const position = writer.param('i32');
  walk(loop, { head, body, end: none }, [position]);

  // The lowest byte of `zeros` with its high bit set is the first that equals the byte looked for.
  const scan = writer.emitter();
  const word = loadWord(scan, loop, position.id);
  const low = scan.with('i64', 'and', scan.extend(byte), 0xff);
  const same = scan.binary('i64', 'xor', word, scan.with('i64', 'mul', low, ONES));
  const inverse = scan.with('i64', 'xor', same, 0xffffffffffffffffn);
  const borrowed = scan.with('i64', 'sub', same, ONES);
  const zeros = scan.with('i64', 'and', scan.binary('i64', 'and', borrowed, inverse), HIGHS);
  const hit = scan.compareWith('i64', 'ne', zeros, 0);
  writer.seal(body, [], scan, {
    op: 'br_if',
    condition: hit,
    then: to(found),
    else: to(next),
    loc: null,
  });

  const step = writer.emitter();
  const after = step.with('i32', 'add', position.id, 8);
  writer.seal(next, [], step, { op: 'br', to: to(head, [after]), loc: null });

  const end = writer.emitter();
  const lowest = end.binary(
    'i64',
    'and',
    zeros,
    end.binary('i64', 'sub', end.constant('i64', 0), zeros),
  );
  const below = end.with('i64', 'and', end.with('i64', 'sub', lowest, 1), ONES);
  const count = end.with('i64', 'shr_u', end.with('i64', 'mul', below, ONES), 56);
  const index = end.with('i32', 'sub', end.binary('i32', 'add', end.wrap(count), position.id), 1);
  const isInside = end.compare('lt_u', index, loop.length);
  const answer = end.select('i32', isInside, index, loop.length);
  writer.seal(found, [], end, { op: 'return', value: answer, loc: null });

  writer.seal(none, [], writer.emitter(), { op: 'return', value: loop.length, loc: null });
  return writer.func;
}

function hashFunction(lower: boolean): Func {
  const name = lower ? LOWER_HASH_FUNCTION : HASH_FUNCTION;
  const writer = new FunctionWriter(name, ['ptr', 'i32'], 'i64');
  const view = 1 as ValueId;
  const names = Array.from({ length: 4 }, () => writer.block());
  const [head, body, done, outside] = names as [BlockId, BlockId, BlockId, BlockId];
  const loop = begin(writer, view, head, outside, 'i64');
  const [position, hash] = [writer.param('i32'), writer.param('i64')];
  walk(loop, { head, body, end: done }, [position, hash]);

  const scan = writer.emitter();
  const word = loadWord(scan, loop, position.id);
  const remaining = scan.binary('i32', 'sub', loop.length, position.id);
  const written = maskWord(scan, word, remaining);
  const masked = lower ? lowerWord(scan, written) : written;
  const mixed = mix(scan, scan.binary('i64', 'xor', hash.id, masked), WORD_MULTIPLIER);
  const after = scan.with('i32', 'add', position.id, 8);
  writer.seal(body, [], scan, { op: 'br', to: to(head, [after, mixed]), loc: null });

  const end = writer.emitter();
  writer.seal(done, [], end, {
    op: 'return',
    value: mix(end, hash.id, FINAL_MULTIPLIER),
    loc: null,
  });
  const zero = writer.emitter();
  writer.seal(outside, [], zero, { op: 'return', value: zero.constant('i64', 0), loc: null });
  return writer.func;
}

function mix(emit: Emitter, value: ValueId, multiplier: bigint): ValueId {
  const product = emit.with('i64', 'mul', value, multiplier);
  return emit.binary('i64', 'xor', product, emit.with('i64', 'shr_u', product, 32));
}
