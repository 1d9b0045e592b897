/**
 * A count that the verifier can follow: a constant that each turn of some loops lowers by one, and that
 * stops the decision where it is used up. Whoever asks for it proves that fuel, or the loop's own test,
 * always ends the loops before.
 */
import {
  type Block,
  type BlockId,
  type Func,
  type Instr,
  type Loop,
  newBlock,
  newValue,
} from '../ir/index.js';
import { repairSsa } from './repair-ssa.js';

/** Counts how often `headers`, all in `loop`, are entered, from `rounds` down, anew each time that the loop begins. */
export function countDown(
  func: Func,
  { loop, headers, rounds }: { loop: Loop; headers: readonly BlockId[]; rounds: number },
): void {
  const [entry] = func.blocks;
  if (entry === undefined) return;
  const counted = func.blocks.filter((block) => headers.includes(block.id));
  const count = newValue(func);
  const less = newValue(func);
  const loc = counted[0]?.term.loc ?? null;
  const made: Instr[] = [
    { op: 'const', id: count, type: 'i32', loc, value: BigInt(rounds) },
    { op: 'const', id: less, type: 'i32', loc, value: 0xffffffffn },
  ];
  entry.instrs = [...made, ...entry.instrs];
  const stop: Block = {
    id: newBlock(func),
    params: [],
    instrs: [],
    term: { op: 'trap', kind: 'fuel', loc },
  };
  const left = new Map<BlockId, Instr['id']>();
  for (const header of counted) {
    const next = newValue(func);
    const rest: Block = {
      id: newBlock(func),
      params: [],
      instrs: header.instrs,
      term: header.term,
    };
    header.instrs = [
      { op: 'binary', kind: 'add', id: next, type: 'i32', loc, args: [count, less] },
    ];
    header.term = {
      op: 'br_if',
      condition: count,
      then: { block: rest.id, args: [] },
      else: { block: stop.id, args: [] },
      loc,
    };
    func.blocks.splice(func.blocks.indexOf(header) + 1, 0, rest);
    left.set(rest.id, next);
  }
  func.blocks.push(stop);
  repairSsa(func, [count], (_, at) => left.get(at) ?? (loop.blocks.has(at) ? null : count));
}
