/**
 * What looks into a table of patterns: a function of the table's own, from a view to the number of an
 * answer, 0 for none. Its loop ends with the longest pattern, so kernels without may_goto can walk it.
 * A view that is absent or reaches behind the head has no answer.
 */
import { HEAD_MAX, MAX_VIEW_KEY } from '../abi/index.js';
import type { Emitter } from '../ir/emitter.js';
import type { BlockId, Func, Target, Terminator, ValueId } from '../ir/types.js';
import {
  HOST_STATE,
  type HostPlan,
  type PathPlan,
  type PatternPlan,
  STATE_BYTES,
} from '../tables/index.js';
import { writeTextProbe } from './expand-tables-texts.js';
import { FIND_FUNCTION, isThere, partsOf } from './expand-views.js';
import { FunctionWriter } from './function-writer.js';
import { regexFunction } from './regex-function.js';

type Four = [BlockId, BlockId, BlockId, BlockId];

const REQUEST_PARAM = 0 as ValueId;
const VIEW_PARAM = 1 as ValueId;
const SLASH = 0x2f;
const DOT = 0x2e;
const COLON = 0x3a;

/** Writes the function of a plan, whose image has the given name. */
export function patternFunction(name: string, plan: PatternPlan, image: string): Func {
  const writer = new FunctionWriter(name, ['ptr', 'i32'], 'i32');
  switch (plan.kind) {
    case 'path':
      return pathFunction(writer, plan, image);
    case 'host':
      return hostFunction(writer, plan, image);
    case 'regex':
      return regexFunction(writer, plan, image);
  }
}

function to(block: BlockId, args: ValueId[] = []): Target {
  return { block, args };
}

function find(emit: Emitter, view: ValueId, byte: number): ValueId {
  return emit.call(FIND_FUNCTION, 'i32', [REQUEST_PARAM, view, emit.constant('i32', byte)]);
}

/** A view without its first `count` bytes. */
function skip(emit: Emitter, view: ValueId, count: ValueId): ValueId {
  const moved = emit.binary('i32', 'add', view, emit.with('i32', 'shl', count, 16));
  return emit.binary('i32', 'sub', moved, count);
}

/** The first `count` bytes of a view. */
function take(emit: Emitter, view: ValueId, count: ValueId): ValueId {
  return emit.binary('i32', 'add', emit.with('i32', 'and', view, 0xffff0000), count);
}

/** The first block to be sealed is the entry, so this comes after it. */
function returnConstant(writer: FunctionWriter, id: BlockId, value: number): void {
  const emit = writer.emitter();
  writer.returns(id, emit, emit.constant('i32', value));
}

function pathFunction(writer: FunctionWriter, plan: PathPlan, image: string): Func {
  const names = Array.from({ length: 11 }, () => writer.block());
  const [entry, begin, slash, head, body, unknown, known, settled, more, last, onward] = names as [
    ...Four,
    ...Four,
    BlockId,
    BlockId,
    BlockId,
  ];
  const check = writer.emitter();
  const there = isThere(check, VIEW_PARAM);
  const [none, nothing] = [writer.block(), writer.block()];
  writer.branch(entry, [], check, { condition: there, then: to(begin), else: to(none) });
  returnConstant(writer, none, 0);
  returnConstant(writer, nothing, plan.nothing);

  const first = writer.emitter();
  const { offset, length } = partsOf(first, VIEW_PARAM);
  const isEmpty = first.compareWith('i32', 'eq', length, 0);
  writer.branch(begin, [], first, { condition: isEmpty, then: to(nothing), else: to(slash) });

  const start = writer.emitter();
  const byte = start.loadHead(REQUEST_PARAM, offset, { offset: 0, limit: HEAD_MAX - 1, size: 1 });
  const isPath = start.compareWith('i32', 'eq', byte, SLASH);
  const behind = skip(start, VIEW_PARAM, start.constant('i32', 1));
  const from = [start.constant('i32', 0), start.constant('i32', plan.root), behind];
  writer.branch(slash, [], start, { condition: isPath, then: to(head, from), else: to(none) });

  const [round, state, rest] = [writer.param('i32'), writer.param('i32'), writer.param('i32')];
  const test = writer.emitter();
  const bounded = test.compareWith('i32', 'le_u', round.id, plan.depth);
  const loop = { condition: bounded, then: to(body), else: to(none) };
  writer.branch(head, [round, state, rest], test, loop);

  const step = writer.emitter();
  const count = find(step, rest.id, SLASH);
  const element = take(step, rest.id, count);
  const probe = { plan: plan.texts, image, request: REQUEST_PARAM, ignoresCase: false };
  const text = { ...probe, view: element, state: state.id };
  const block = { id: body, emit: step };
  writeTextProbe(writer, block, text, { hit: (found) => to(known, [found]), miss: to(unknown) });

  const other = writer.emitter();
  const row = stateAt(other, state.id, plan);
  const targets = other.loadImage(image, row, stateWord(plan, 0, 8));
  const empty = other.wrap(other.with('i64', 'shr_u', targets, 32));
  const hasText = other.compareWith('i32', 'ne', count, 0);
  const unnamed = [other.select('i32', hasText, other.wrap(targets), empty)];
  writer.seal(unknown, [], other, { op: 'br', to: to(known, unnamed), loc: null });

  const param = writer.param('i32');
  const target = param.id;
  const choose = writer.emitter();
  const isSettled = choose.compareWith('i32', 'ge_u', target, plan.states);
  const way = { condition: isSettled, then: to(settled), else: to(more) };
  writer.branch(known, [param], choose, way);

  const done = writer.emitter();
  const answer = done.with('i32', 'sub', target, plan.states);
  const isLeaf = done.compareWith('i32', 'ge_u', answer, plan.answers);
  const isEnd = done.compare('eq', count, partsOf(done, rest.id).length);
  const ending = done.with('i32', 'sub', answer, plan.answers);
  const atEnd = done.select('i32', isEnd, ending, done.constant('i32', 0));
  writer.returns(settled, done, done.select('i32', isLeaf, atEnd, answer));

  const next = writer.emitter();
  const isLast = next.compare('eq', count, partsOf(next, rest.id).length);
  writer.branch(more, [], next, { condition: isLast, then: to(last), else: to(onward) });

  const end = writer.emitter();
  writer.returns(
    last,
    end,
    end.loadImage(image, stateAt(end, target, plan), stateWord(plan, 8, 4)),
  );

  const go = writer.emitter();
  const after = skip(go, rest.id, go.with('i32', 'add', count, 1));
  const args = [go.with('i32', 'add', round.id, 1), target, after];
  writer.seal(onward, [], go, { op: 'br', to: to(head, args), loc: null });
  return writer.func;
}

function stateAt(emit: Emitter, state: ValueId, { rows }: PathPlan): ValueId {
  const hasRow = emit.compareWith('i32', 'lt_u', state, rows);
  const row = emit.select('i32', hasRow, state, emit.constant('i32', rows));
  return emit.with('i64', 'mul', emit.extend(row), STATE_BYTES);
}

function stateWord(
  plan: PathPlan,
  offset: number,
  size: 4 | 8,
): { readonly offset: number; readonly limit: number; readonly size: 4 | 8 } {
  return { offset: plan.statesAt + offset, limit: plan.rows * STATE_BYTES, size };
}

/** One round a text: the whole host first, then what begins at each of its dots. */
function hostFunction(writer: FunctionWriter, plan: HostPlan, image: string): Func {
  const names = Array.from({ length: 11 }, () => writer.block());
  const [entry, none, missed, begin, head, body, found, miss, scan, next, ask] = names as [
    ...Four,
    ...Four,
    BlockId,
    BlockId,
    BlockId,
  ];
  const check = writer.emitter();
  const count = find(check, VIEW_PARAM, COLON);
  const host = take(check, VIEW_PARAM, count);
  const isNamed = check.compareWith('i32', 'ne', count, 0);
  const there = check.binary('i32', 'and', isThere(check, VIEW_PARAM), isNamed);
  writer.branch(entry, [], check, { condition: there, then: to(begin), else: to(none) });
  returnConstant(writer, none, 0);
  returnConstant(writer, missed, plan.any);

  const start = writer.emitter();
  const first = [start.constant('i32', 0), host];
  writer.seal(begin, [], start, { op: 'br', to: to(head, first), loc: null });

  const [round, text] = [writer.param('i32'), writer.param('i32')];
  const test = writer.emitter();
  const bounded = test.compareWith('i32', 'le_u', round.id, plan.longestEnd);
  const loop = { condition: bounded, then: to(body), else: to(missed) };
  writer.branch(head, [round, text], test, loop);

  // What is as long as no text of its kind is not looked up; of no bytes, or too many, is none.
  const size = writer.emitter();
  const isName = size.compareWith('i32', 'eq', round.id, HOST_STATE.name);
  const [names64, ends64] = [plan.lengths.name, plan.lengths.suffix];
  const lengths = size.select(
    'i64',
    isName,
    size.constant('i64', names64),
    size.constant('i64', ends64),
  );
  const above = size.with('i32', 'sub', partsOf(size, text.id).length, 1);
  const bit = size.with('i64', 'and', size.binary('i64', 'shr_u', lengths, size.extend(above)), 1);
  const isShort = size.compareWith('i32', 'lt_u', above, MAX_VIEW_KEY);
  const isKnown = size.binary('i32', 'and', isShort, size.wrap(bit));
  writer.branch(body, [], size, { condition: isKnown, then: to(ask), else: to(miss) });

  const look = writer.emitter();
  const isEnd = look.compareWith('i32', 'ne', round.id, HOST_STATE.name);
  const texts = { plan: plan.texts, image, request: REQUEST_PARAM, ignoresCase: true };
  const state = look.with('i32', 'and', isEnd, HOST_STATE.suffix);
  const answer = writer.param('i32');
  const probe = { ...texts, view: text.id, state };
  const hit = (next: ValueId): Target => to(found, [next]);
  writeTextProbe(writer, { id: ask, emit: look }, probe, { hit, miss: to(miss) });
  const give: Terminator = { op: 'return', value: answer.id, loc: null };
  writer.seal(found, [answer], writer.emitter(), give);

  // Only the last bytes can be an end, and something stands before them.
  const cut = writer.emitter();
  const one = cut.constant('i32', 1);
  const { length } = partsOf(cut, text.id);
  const isLonger = cut.compareWith('i32', 'gt_u', length, plan.longestEnd + 1);
  const before = cut.with('i32', 'sub', length, plan.longestEnd);
  const isText = cut.compareWith('i32', 'ne', length, 0);
  const rest = skip(cut, text.id, cut.select('i32', isLonger, before, one));
  writer.branch(miss, [], cut, { condition: isText, then: to(scan), else: to(missed) });

  const dots = writer.emitter();
  const dot = find(dots, rest, DOT);
  const isDone = dots.compare('eq', dot, partsOf(dots, rest).length);
  writer.branch(scan, [], dots, { condition: isDone, then: to(missed), else: to(next) });

  const go = writer.emitter();
  const onward = [go.with('i32', 'add', round.id, 1), skip(go, rest, dot)];
  writer.seal(next, [], go, { op: 'br', to: to(head, onward), loc: null });
  return writer.func;
}
