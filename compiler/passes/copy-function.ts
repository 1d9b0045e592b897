/** A function's blocks in another one, and room for them where it was called. */
import {
  type Block,
  type BlockId,
  type Func,
  type Instr,
  mapOperands,
  mapTerm,
  newBlock,
  newValue,
  type Param,
  type ValueId,
} from '../ir/index.js';

export type Call = Instr & { op: 'call' };

/** Instructions and terminators of a function. */
export function sizeOf(func: Func): number {
  return func.blocks.reduce((n, block) => n + block.instrs.length + 1, 0);
}

export function callsOf(func: Func): Call[] {
  return func.blocks.flatMap((b) => b.instrs.flatMap((i) => (i.op === 'call' ? [i] : [])));
}

/** The callee's blocks in order, with fresh numbers and its parameters bound; returns and traps are as they were. */
export function copyFunction(caller: Func, callee: Func, call: Call): Block[] {
  const values = new Map<ValueId, ValueId>(
    callee.params.map((param, i) => [param.id, call.args[i] ?? param.id]),
  );
  const ids = new Map<BlockId, BlockId>();
  for (const block of callee.blocks) {
    ids.set(block.id, newBlock(caller));
    for (const item of [...block.params, ...block.instrs]) values.set(item.id, newValue(caller));
  }
  const value = (id: ValueId): ValueId => values.get(id) ?? id;
  return callee.blocks.map((block) => ({
    id: ids.get(block.id) ?? block.id,
    params: block.params.map((param) => ({ id: value(param.id), type: param.type })),
    instrs: block.instrs.map((i) => ({ ...mapOperands(i, value), id: value(i.id) })),
    term: mapTerm(block.term, value, (to) => ({ ...to, block: ids.get(to.block) ?? to.block })),
  }));
}

/** Cuts a block at a call: what stands behind it moves to a new block with these parameters. */
export function splitAtCall(
  caller: Func,
  call: Call,
  params: Param[],
): { readonly before: Block; readonly after: Block } | null {
  const before = caller.blocks.find((b) => b.instrs.includes(call));
  if (before === undefined) return null;
  const at = before.instrs.indexOf(call);
  const { term } = before;
  const after: Block = {
    id: newBlock(caller),
    params,
    instrs: before.instrs.slice(at + 1),
    term,
  };
  before.instrs = before.instrs.slice(0, at);
  return { before, after };
}

/** Puts copies between the halves of a block that was cut. */
export function insertCopies(
  caller: Func,
  { before, after }: { readonly before: Block; readonly after: Block },
  copies: readonly Block[],
  { loc }: Call,
): void {
  const [first] = copies;
  if (first !== undefined) before.term = { op: 'br', to: { block: first.id, args: [] }, loc };
  caller.blocks.splice(caller.blocks.indexOf(before) + 1, 0, ...copies, after);
}
