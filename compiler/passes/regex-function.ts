/**
 * What walks a table of regular expressions (compiler/tables/plan-regexes): a function of the table's own,
 * from a view to the number of an answer, 0 for none. Eight bytes a round; those behind the text are
 * NO_BYTE, whose class leaves the row as it is. Its trip count is a constant, so that kernels without may_goto can
 * walk it. A view that is absent or reaches behind the head has no answer.
 */
import { HEAD_MAX } from '../abi/index.js';
import type { BlockId, Func, ValueId } from '../ir/types.js';
import { CLASS_BYTES, type RegexPlan } from '../tables/index.js';
import { isThere, maskWord, partsOf } from './expand-views.js';
import type { FunctionWriter } from './function-writer.js';

const REQUEST_PARAM = 0 as ValueId;
const VIEW_PARAM = 1 as ValueId;
const WORD_BYTES = 8;

/** Writes the function of a plan, whose image has the given name. */
export function regexFunction(writer: FunctionWriter, plan: RegexPlan, image: string): Func {
  const names = Array.from({ length: 7 }, () => writer.block());
  const [entry, none, head, more, body, end, begin] = names as [
    BlockId,
    BlockId,
    BlockId,
    BlockId,
    BlockId,
    BlockId,
    BlockId,
  ];
  const check = writer.emitter();
  const there = isThere(check, VIEW_PARAM);
  const absent = { block: none, args: [] };
  writer.branch(entry, [], check, {
    condition: there,
    then: { block: begin, args: [] },
    else: absent,
  });
  const nothing = writer.emitter();
  writer.returns(none, nothing, nothing.constant('i32', 0));

  const from = writer.emitter();
  const { offset, length } = partsOf(from, VIEW_PARAM);
  const first = [from.constant('i32', 0), from.constant('i32', plan.start)];
  writer.seal(begin, [], from, { op: 'br', to: { block: head, args: first }, loc: null });

  const [position, row] = [writer.param('i32'), writer.param('i32')];
  const ended = { block: end, args: [row.id] };
  const test = writer.emitter();
  const bounded = test.compareWith('i32', 'lt_u', position.id, HEAD_MAX);
  const onward = { block: more, args: [] };
  writer.branch(head, [position, row], test, { condition: bounded, then: onward, else: ended });
  const left = writer.emitter();
  const inside = left.compare('lt_u', position.id, length);
  writer.branch(more, [], left, {
    condition: inside,
    then: { block: body, args: [] },
    else: ended,
  });

  const walk = writer.emitter();
  const at = walk.binary('i32', 'add', offset, position.id);
  const loaded = walk.loadHead(REQUEST_PARAM, at, { offset: 0, limit: HEAD_MAX, size: WORD_BYTES });
  const word = maskWord(walk, loaded, walk.binary('i32', 'sub', length, position.id));
  let current = row.id;
  for (let i = 0; i < WORD_BYTES; i++) {
    const byte = walk.with('i64', 'and', walk.with('i64', 'shr_u', word, 8 * i), 0xff);
    const classOf = walk.loadImage(image, byte, { offset: 0, limit: CLASS_BYTES - 1, size: 1 });
    current = emitEntry(walk, plan, { image, at: walk.binary('i32', 'add', current, classOf) });
  }
  const isSettled = walk.compareWith('i32', 'ge_u', current, plan.settled);
  const next = [walk.with('i32', 'add', position.id, WORD_BYTES), current];
  writer.branch(body, [], walk, {
    condition: isSettled,
    then: { block: end, args: [current] },
    else: { block: head, args: next },
  });

  const last = writer.param('i32');
  const answer = writer.emitter();
  const entryOf = answer.with('i32', 'add', last.id, plan.row - 1);
  const found = emitEntry(answer, plan, { image, at: entryOf });
  writer.seal(end, [last], answer, { op: 'return', value: found, loc: null });
  return writer.func;
}

function emitEntry(
  emit: ReturnType<FunctionWriter['emitter']>,
  { width, rowsAt, states, row }: RegexPlan,
  { image, at }: { readonly image: string; readonly at: ValueId },
): ValueId {
  const place = emit.with('i64', 'shl', emit.extend(at), width === 2 ? 1 : 2);
  const limit = (states * row - 1) * width;
  return emit.loadImage(image, place, { offset: rowsAt, limit, size: width });
}
