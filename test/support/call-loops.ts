/**
 * Loops that are calls of bpf_loop, as for kernels before 6.9, and their rule: nothing that a turn reads is known to the verifier, whatever was
 * written. That of 6.1 walks one turn with what its caller stored, and takes what that one does not reach for dead; newer ones do
 * not mind, so the rule is looked at in the IR.
 */
import {
  definitions,
  type Func,
  type Instr,
  type Module,
  mapTerm,
  operandsOf,
  type ValueId,
} from '../../compiler/ir/index.js';
import { guardLoops } from '../../compiler/passes/index.js';

/** Makes all loops of a module calls, a function a turn; false where there is none. */
export function callLoops(module: Module, fuel: number): boolean {
  const before = module.functions.length;
  for (const func of [...module.functions]) {
    const onTurn = (turn: Func): unknown => module.functions.push(turn);
    guardLoops(func, { mayGoto: false, fuel, calls: 'all', onTurn });
  }
  return module.functions.length > before;
}

/** What turns of a module read and a verifier knows, a line each. */
export function knownToTurns({ functions }: Module): string[] {
  return functions
    .filter(({ kind }) => kind === 'turn')
    .flatMap((turn) => {
      const used = usedOf(turn);
      const known = contextOf(turn, 'load').filter(
        ({ id, type }) => type !== 'ptr' && used.has(id),
      );
      const changed = new Set(contextOf(turn, 'store').map(({ word }) => word));
      return [
        ...known.map(({ word }) => `${turn.name} reads word ${word} and knows it`),
        ...functions.flatMap((func) =>
          firstKnown(func, turn.name, changed).map(
            (word) => `${func.name} begins ${turn.name} with a known word ${word}`,
          ),
        ),
      ];
    });
}

type Word = Extract<Instr, { op: 'context' }>;

function contextOf({ blocks }: Pick<Func, 'blocks'>, kind: Word['kind']): Word[] {
  const all = blocks.flatMap(({ instrs }) => instrs);
  return all.flatMap((instr) => (instr.op === 'context' && instr.kind === kind ? [instr] : []));
}

/** Values that anything but `launder` uses. */
function usedOf(func: Func): ReadonlySet<ValueId> {
  const used = new Set<ValueId>();
  for (const { instrs, term } of func.blocks) {
    const others = instrs.filter(({ op }) => op !== 'launder');
    for (const value of others.flatMap(operandsOf)) used.add(value);
    mapTerm(term, (value) => {
      used.add(value);
      return value;
    });
  }
  return used;
}

/** Words that turns change and their caller does not launder before the first one. */
function firstKnown(func: Func, turn: string, changed: ReadonlySet<number>): number[] {
  const defs = definitions(func);
  return func.blocks
    .filter(({ instrs }) => instrs.some((i) => i.op === 'loop' && i.callee === turn))
    .flatMap((block) => contextOf({ blocks: [block] }, 'store'))
    .filter(({ word, args }) => changed.has(word) && defs.get(args[0] as ValueId)?.op !== 'launder')
    .map(({ word }) => word);
}
