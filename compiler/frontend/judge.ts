/**
 * Says which refusals stand, once a module is simplified: marked operations that survived, and
 * loops that nothing but fuel ends.
 */
import { STOPPED } from '../abi/index.js';
import type { Diagnostic, Position } from '../diagnostic/index.js';
import {
  type Block,
  type BlockId,
  blockMap,
  type Func,
  loops,
  type Module,
  reversePostorder,
  successors,
} from '../ir/index.js';
import { type BuildContext, refusal } from './build-context.js';

function where(module: Module, loc: number | null): Position | null {
  return loc === null ? null : (module.positions[loc] ?? null);
}

function refusedMarks(func: Func, context: BuildContext): Diagnostic[] {
  return reversePostorder(func).flatMap((block) =>
    block.instrs.flatMap((instr) => {
      const marked = instr.op === 'abi' && instr.name.startsWith('refused.');
      return marked ? (context.refusal(instr.name) ?? []) : [];
    }),
  );
}

/** Stores that stayed: what they write is no decision's own, or cannot be told from other memory. */
function stores(func: Func, module: Module): Diagnostic[] {
  const constants = new Map(
    func.blocks.flatMap((b) =>
      b.instrs.flatMap((i) => (i.op === 'const' ? [[i.id, i.value] as const] : [])),
    ),
  );
  return reversePostorder(func).flatMap((block) =>
    block.instrs.flatMap((instr) => {
      if (instr.op !== 'store.memory') return [];
      const at = constants.get(instr.args[0]);
      const isStatic = at !== undefined && Number(at) + instr.offset < (module.scratchFrom ?? 0);
      const message = isStatic
        ? 'static memory is written in the decide phase'
        : 'memory is written in the decide phase at an address that is not known at build time';
      return [refusal('I102', message, where(module, instr.loc))];
    }),
  );
}

/** True where a block only ends the decision because fuel, here or in a callee, is used up. */
function stopsForFuel(block: Block, blocks: ReadonlyMap<BlockId, Block>): boolean {
  const { term } = block;
  if (term.op === 'trap') return term.kind === 'fuel';
  // What a callee returned when it stopped is passed on as it is.
  if (term.op === 'return') return block.instrs.length === 0 && term.value !== null;
  if (term.op !== 'br_if') return false;
  const ends = successors(block).map((id) => blocks.get(id)?.term);
  const code = block.instrs.some((i) => i.op === 'const' && i.value === BigInt(STOPPED.fuel));
  return code && ends.every((end) => end?.op === 'trap');
}

function endlessLoops(func: Func, module: Module): Diagnostic[] {
  const blocks = blockMap(func);
  const calls = new Set(
    func.blocks.flatMap((b) => b.instrs.flatMap((i) => (i.op === 'call' ? i.id : []))),
  );
  return loops(func).flatMap((loop) => {
    const inside = [...loop.blocks].flatMap((id) => blocks.get(id) ?? []);
    const returns = inside.some((block) => block.term.op === 'return');
    const exits = inside.flatMap((block) => successors(block)).filter((id) => !loop.blocks.has(id));
    const real = exits.some((id) => {
      const block = blocks.get(id);
      if (block === undefined) return false;
      const passesOn = block.term.op !== 'return' || calls.has(block.term.value ?? (-1 as never));
      return !(stopsForFuel(block, blocks) && passesOn);
    });
    if (returns || real) return [];
    const header = blocks.get(loop.header);
    const loc =
      header?.instrs.find((i) => i.loc !== null)?.loc ??
      header?.term.loc ??
      inside.flatMap((b) => b.instrs).find((i) => i.loc !== null)?.loc ??
      null;
    return [refusal('I107', 'the loop has no exit', where(module, loc))];
  });
}

/** The allocator grows memory, and writes memory and statics: one finding says it for the line. */
function withoutAllocator(found: readonly Diagnostic[]): readonly Diagnostic[] {
  const line = (d: Diagnostic): string => `${d.file}:${d.line}`;
  const allocating = new Set(found.filter((d) => d.code === 'I103').map(line));
  return found.filter((d) => !['I102', 'I104'].includes(d.code) || !allocating.has(line(d)));
}

/** All refusals of a simplified module, each once. */
export function judge(module: Module, context: BuildContext): Diagnostic[] {
  const found = [
    ...module.functions.flatMap((func) => refusedMarks(func, context)),
    ...module.functions.flatMap((func) => stores(func, module)),
    ...module.functions.flatMap((func) => endlessLoops(func, module)),
  ];
  const seen = new Set<string>();
  return withoutAllocator(found).filter((d) => {
    const key = `${d.code} ${d.file} ${d.line} ${d.message}`;
    return !seen.has(key) && seen.add(key);
  });
}
