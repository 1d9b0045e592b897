/**
 * Pass:    inline-policies
 * Reads:   calls of policies' functions in the functions that join them
 * Writes:  the policy's blocks in place of the call, where it is small, has no loop and no load that may stop it; an
 *          answer that is constant goes straight to where the branches behind the call lead it
 * Refuses: nothing; the policy's own function stays, for those who ask it alone
 * Keeps:   answers: a return or a trap goes on behind the call with the value that the caller would have seen
 *
 * Contract with compiler/lower/dispatcher*.ts: behind those branches the answer is used as a parameter only.
 *
 * The sum is bounded too: where a policy is joined the verifier goes through it once for each verdict so
 * far, and not once for all as through a function of its own.
 */
import {
  type Block,
  type BlockId,
  blockMap,
  definitions,
  type Func,
  foldInstr,
  type Instr,
  loops,
  MEMORY_IMAGE,
  type Module,
  newValue,
  type Param,
  type ValueId,
} from '../ir/index.js';
import { addressLimits } from './address-limits.js';
import {
  type Call,
  callsOf,
  copyFunction,
  insertCopies,
  sizeOf,
  splitAtCall,
} from './copy-function.js';

/** What a block returns, and its value where that is constant. */
interface Returned {
  readonly id: ValueId;
  readonly constant: bigint | null;
}

/** A policy of more instructions stays a call. */
const LARGEST = 128;
/** A joined function takes in no more than this in all. */
const MOST = 1024;

/** Inlines policies into what joins them. */
export function inlinePolicies(module: Module): boolean {
  const small = new Map(
    module.functions
      .filter((f) => f.kind === 'entry' && sizeOf(f) <= LARGEST && !hasLoop(f))
      .filter((f) => !mayStop(f))
      .map((func) => [func.name, func]),
  );
  let changed = false;
  for (const caller of module.functions) {
    if (caller.kind !== 'dispatcher') continue;
    let room = MOST;
    for (const call of callsOf(caller)) {
      const callee = small.get(call.callee);
      if (callee === undefined || sizeOf(callee) > room) continue;
      room -= sizeOf(callee);
      inlineEntry(caller, callee, call);
      changed = true;
    }
  }
  return changed;
}

/** A loop, or what is called for its turns. */
function hasLoop(func: Func): boolean {
  return (
    func.blocks.some((b) => b.instrs.some(({ op }) => op === 'loop')) || loops(func).length > 0
  );
}

/**
 * A load out of bounds stops the function that it is in: in the one that joins policies nobody would be told whose
 * stop it was. In bounds are the bytes of a view, the indexes of tables (their makers see to it), and what can
 * be shown of memory; a header that stands twice is read out of bounds on purpose.
 */
function mayStop(func: Func): boolean {
  const defs = definitions(func);
  const limit = addressLimits(func);
  return func.blocks.some((block) =>
    block.instrs.some((instr) => {
      if (instr.op !== 'load.head' && instr.op !== 'load.image') return false;
      const index = instr.args[instr.op === 'load.head' ? 1 : 0];
      if (index === undefined) return true;
      const def = defs.get(index);
      if (def?.op === 'const') return def.value > BigInt(instr.limit);
      if (instr.op === 'load.head') return def?.op !== 'binary' && def?.op !== 'load.pointer';
      if (!instr.image.endsWith(MEMORY_IMAGE)) return false;
      return limit(block.id, index) > BigInt(instr.limit);
    }),
  );
}

function inlineEntry(caller: Func, callee: Func, call: Call): void {
  const answer: Param = { id: call.id, type: callee.result ?? 'i32' };
  const halves = splitAtCall(caller, call, [answer]);
  if (halves === null) return;
  const copies = copyFunction(caller, callee, call);
  insertCopies(caller, halves, copies, call);
  const defs = definitions(caller);
  const blocks = blockMap(caller);
  const constant = (value: ValueId): bigint | null => {
    const def = defs.get(value);
    return def?.op === 'const' ? def.value : null;
  };
  for (const copy of copies) {
    const returned = returnOf(caller, callee, copy, defs);
    if (returned === null) continue;
    const { id: start } = halves.after;
    const { block, args } =
      returned.constant === null
        ? { block: start, args: [returned.id] }
        : follow({ block: start, args: [returned.constant] }, blocks, constant);
    const made = args.map((arg): ValueId => {
      if (typeof arg !== 'bigint') return arg;
      if (arg === returned.constant) return returned.id;
      const id = newValue(caller);
      const { loc } = copy.term;
      copy.instrs = [...copy.instrs, { op: 'const', id, type: 'i32', value: arg, loc }];
      return id;
    });
    copy.term = { op: 'br', to: { block, args: made }, loc: copy.term.loc };
  }
}

/** The value that a block returns, or stops with: then a constant that is put into it. */
function returnOf(
  caller: Func,
  callee: Func,
  copy: Block,
  defs: ReadonlyMap<ValueId, Instr>,
): Returned | null {
  const { term } = copy;
  if (term.op === 'return' && term.value !== null) {
    const def = defs.get(term.value);
    return { id: term.value, constant: def?.op === 'const' ? def.value : null };
  }
  if (term.op !== 'trap') return null;
  const id = newValue(caller);
  const value = callee.stopped[term.kind];
  const type = callee.result ?? 'i32';
  copy.instrs = [...copy.instrs, { op: 'const', id, type, value, loc: term.loc }];
  return { id, constant: value };
}

/** Where an edge ends up past blocks that only decide on what it passes; constants of theirs as numbers. */
function follow(
  start: { readonly block: BlockId; readonly args: readonly bigint[] },
  blocks: ReadonlyMap<BlockId, Block>,
  outer: (value: ValueId) => bigint | null,
): { readonly block: BlockId; readonly args: readonly (ValueId | bigint)[] } {
  const known = new Map<ValueId, bigint>();
  const constant = (value: ValueId): bigint | null => known.get(value) ?? outer(value);
  let at: { readonly block: BlockId; readonly args: readonly (ValueId | bigint)[] } = start;
  for (;;) {
    const block = blocks.get(at.block);
    const { args } = at;
    if (block?.term.op !== 'br_if' || args.some((arg) => typeof arg !== 'bigint')) return at;
    for (const [i, param] of block.params.entries()) known.set(param.id, args[i] as bigint);
    for (const instr of block.instrs) {
      const value = foldInstr(instr, constant, () => 'i32', null);
      if (value === null) return at;
      known.set(instr.id, value);
    }
    const decided = constant(block.term.condition);
    if (decided === null) return at;
    const to = decided !== 0n ? block.term.then : block.term.else;
    at = { block: to.block, args: to.args.map((value) => known.get(value) ?? value) };
  }
}
