/**
 * Views of a request as straight code (a step of expand-abi). A view is `offset << 16 | length` into
 * the bytes of the head. A literal is compared in as few loads as cover it, which may overlap; a view
 * of another length reads at offset 0 instead, so that there is no branch but the bound of the load.
 */
import { HEAD, HEAD_MAX, type PatternStep, REQUEST, type ViewName } from '../abi/index.js';
import { BugError, unreachable } from '../diagnostic/index.js';
import type { Emitter } from '../ir/emitter.js';
import type { LoadSize, ValueId } from '../ir/types.js';
import type { AbiNumbering } from './expand-abi-numbering.js';
import type { AbiCall, LiteralCompare } from './expand-abi-resolve.js';

export type ViewCall = Extract<
  AbiCall,
  { readonly op: 'view' | 'header' | 'literal' | 'pattern' | 'byte' | 'find' | 'hash' }
>;
export interface ViewExpansion {
  readonly call: ViewCall;
  readonly id: ValueId;
  readonly args: readonly ValueId[];
  readonly request: ValueId;
  readonly numbering: Pick<AbiNumbering, 'headers'>;
}

/** Shared by all policies of a bundle; compiler/lower/view-functions.ts builds them. */
export const FIND_FUNCTION = 'weft_view_find';
export const HASH_FUNCTION = 'weft_view_hash';
export const LOWER_HASH_FUNCTION = 'weft_view_hash_lower';

const VIEW_OPS: ReadonlySet<AbiCall['op']> = new Set([
  'view',
  'header',
  'literal',
  'pattern',
  'byte',
  'find',
  'hash',
]);

/** True for calls that this step expands. */
export function isViewCall(call: AbiCall): call is ViewCall {
  return VIEW_OPS.has(call.op);
}

/** Appends the code of a call; its answer has the number `id`. */
export function expandView(
  emit: Emitter,
  { call, id, args, request, numbering }: ViewExpansion,
): void {
  const view = args[0];
  const part = (name: ViewName): number => REQUEST.head + HEAD[name];
  switch (call.op) {
    case 'view':
      emit.loadPointer(request, part(call.view), 4, id);
      return;
    case 'header': {
      const slot = numbering.headers.indexOf(call.name);
      if (slot < 0) throw new BugError(`header without slot: ${call.name}`);
      stopIfRepeated(emit, request, slot);
      emit.loadPointer(request, REQUEST.head + HEAD.headers + 4 * slot, 4, id);
      return;
    }
    default:
      break;
  }
  if (view === undefined) throw new BugError('view call without a view');
  switch (call.op) {
    case 'literal':
      compareLiteral(emit, { ...call, request, view, id });
      return;
    case 'pattern':
      matchPattern(emit, { request, view, id }, call.steps);
      return;
    case 'byte':
      loadByte(emit, request, view, args[1], id);
      return;
    case 'find':
      emit.call(FIND_FUNCTION, 'i32', [request, ...args], id);
      return;
    case 'hash':
      emit.wrap(emit.call(HASH_FUNCTION, 'i64', [request, view]), id);
      return;
    default:
      unreachable(call, 'view call');
  }
}

/**
 * A header that stands more than once would have to be joined, and looking at its first line only
 * could let in what another line forbids: it stops the decision, by a load behind its bound.
 */
function stopIfRepeated(emit: Emitter, request: ValueId, slot: number): void {
  const repeated = emit.loadPointer(request, REQUEST.head + HEAD.repeated, 2);
  const bit = emit.compareWith('i32', 'ne', emit.with('i32', 'and', repeated, 1 << slot), 0);
  const outside = emit.constant('i32', HEAD_MAX);
  const at = emit.select('i32', bit, outside, emit.constant('i32', 0));
  emit.loadHead(request, at, { offset: 0, limit: HEAD_MAX - 1, size: 1 });
}

/** Offset and length of a view. */
export function partsOf(emit: Emitter, view: ValueId): { offset: ValueId; length: ValueId } {
  const offset = emit.with('i32', 'shr_u', view, 16);
  return { offset, length: emit.with('i32', 'and', view, 0xffff) };
}

/** True where a view is present and lies in the head. */
export function isThere(emit: Emitter, view: ValueId): ValueId {
  const { offset, length } = partsOf(emit, view);
  const end = emit.binary('i32', 'add', offset, length);
  const inside = emit.compareWith('i32', 'le_u', end, HEAD_MAX);
  return emit.binary('i32', 'and', inside, emit.compareWith('i32', 'ne', view, 0));
}

function loadByte(
  emit: Emitter,
  request: ValueId,
  view: ValueId,
  index: ValueId | undefined,
  id: ValueId,
): void {
  if (index === undefined) throw new BugError('view_byte without an index');
  const { offset, length } = partsOf(emit, view);
  const inside = emit.compare('lt_u', index, length);
  const at = emit.select(
    'i32',
    inside,
    emit.binary('i32', 'add', offset, index),
    emit.constant('i32', 0),
  );
  const byte = emit.loadHead(request, at, { offset: 0, limit: HEAD_MAX - 1, size: 1 });
  emit.select('i32', inside, byte, emit.constant('i32', 0xffffffff), id);
}

interface Literal extends LiteralCompare {
  readonly request: ValueId;
  readonly view: ValueId;
  readonly text: string;
  readonly id: ValueId;
}

function compareLiteral(emit: Emitter, literal: Literal): void {
  const { request, view, text, compare, ignoresCase, id } = literal;
  const want = new TextEncoder().encode(ignoresCase ? text.toLowerCase() : text);
  const size = want.length;
  const { offset, length } = partsOf(emit, view);
  const isWhole = compare === 'is';
  if (size === 0) {
    // An absent view is 0; a present one may be empty.
    const present = emit.compareWith('i32', 'ne', view, 0);
    if (isWhole) emit.binary('i32', 'and', present, emit.compareWith('i32', 'eq', length, 0), id);
    else emit.with('i32', 'and', present, 1, id);
    return;
  }
  const fits = emit.compareWith('i32', isWhole ? 'eq' : 'ge_u', length, size);
  let start = offset;
  if (compare === 'endsWith') {
    start = emit.with('i32', 'sub', emit.binary('i32', 'add', offset, length), size);
  }
  const zero = emit.constant('i32', 0);
  const at = emit.select('i32', fits, start, zero);
  let differs: ValueId | null = null;
  for (const chunk of chunksOf(size)) {
    const type = chunk.size === 8 ? 'i64' : 'i32';
    const found = emit.loadHead(request, at, { ...chunk, limit: HEAD_MAX - size });
    const bytes = want.subarray(chunk.offset, chunk.offset + chunk.size);
    const fold = ignoresCase ? caseMask(bytes) : 0n;
    const folded = fold === 0n ? found : emit.with(type, 'or', found, fold);
    const xor = emit.with(type, 'xor', folded, numberOf(bytes));
    const wide = chunk.size === 8 ? xor : emit.extend(xor);
    differs = differs === null ? wide : emit.binary('i64', 'or', differs, wide);
  }
  if (differs === null) throw new BugError('a literal without chunks');
  emit.binary('i32', 'and', fits, emit.compareWith('i64', 'eq', differs, 0), id);
}

/**
 * One step after the other, without a branch: a view that failed is the absent one, on which every
 * later step fails too and is soon done.
 */
function matchPattern(
  emit: Emitter,
  { request, view, id }: Pick<Literal, 'request' | 'view' | 'id'>,
  steps: readonly PatternStep[],
): void {
  const zero = emit.constant('i32', 0);
  const begins = (rest: ValueId, text: string): ValueId => {
    const answer = emit.fresh();
    const compare = { compare: 'startsWith', ignoresCase: false } as const;
    compareLiteral(emit, { ...compare, text, request, view: rest, id: answer });
    return answer;
  };
  /** Without its first `count` bytes where `holds`, else the absent view. */
  const skip = (rest: ValueId, count: ValueId, holds: ValueId): ValueId => {
    const moved = emit.binary('i32', 'add', rest, emit.with('i32', 'shl', count, 16));
    return emit.select('i32', holds, emit.binary('i32', 'sub', moved, count), zero);
  };
  let rest = view;
  for (const step of steps) {
    switch (step.op) {
      case 'literal':
        rest = skip(rest, emit.constant('i32', step.text.length), begins(rest, step.text));
        break;
      case 'element': {
        const slash = emit.constant('i32', 0x2f);
        const count = emit.call(FIND_FUNCTION, 'i32', [request, rest, slash]);
        rest = skip(rest, count, emit.compareWith('i32', 'ne', count, 0));
        break;
      }
      case 'rest':
      case 'end': {
        const { length } = partsOf(emit, rest);
        const present = emit.compareWith('i32', 'ne', rest, 0);
        const empty = emit.compareWith('i32', 'eq', length, 0);
        if (step.op === 'end') emit.binary('i32', 'and', present, empty, id);
        else {
          const ended = emit.binary('i32', 'and', present, empty);
          emit.binary('i32', 'or', ended, begins(rest, '/'), id);
        }
      }
    }
  }
}

/** The fewest loads that cover `size` bytes; the last ones may overlap. */
function chunksOf(size: number): { offset: number; size: LoadSize }[] {
  const width: LoadSize = size >= 8 ? 8 : size >= 4 ? 4 : size >= 2 ? 2 : 1;
  const chunks: { offset: number; size: LoadSize }[] = [];
  for (let offset = 0; offset < size; offset += width) {
    chunks.push({ offset: Math.min(offset, size - width), size: width });
  }
  return chunks;
}

/** Little-endian, as it is loaded. */
function numberOf(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

/** The bit that differs between letters of either case, at each letter of a lower-case text. */
function caseMask(bytes: Uint8Array): bigint {
  return numberOf(bytes.map((byte) => (byte >= 0x61 && byte <= 0x7a ? 0x20 : 0)));
}

/**
 * The first `count` bytes of a word, where count is from 1 to 2^31 - 1; all of them from 8 on. Without a branch, which
 * would be two ways for a verifier in each round of a loop.
 */
export function maskWord(emit: Emitter, word: ValueId, count: ValueId): ValueId {
  const over = emit.with('i32', 'sub', count, 8);
  const missing = emit.binary('i32', 'and', over, emit.with('i32', 'shr_s', over, 31));
  const bits = emit.extend(emit.with('i32', 'mul', missing, -8));
  const mask = emit.binary('i64', 'shr_u', emit.constant('i64', 0xffffffffffffffffn), bits);
  return emit.binary('i64', 'and', word, mask);
}
