/** What a question of the ABI must know when it is compiled, and does not yet. */
import { ABI_IMPORTS, CONSTANT_OPERANDS, isImport, type OperandKind } from '../abi/index.js';
import type { Block, Instr, ValueId } from '../ir/index.js';

const TEXTS: ReadonlySet<OperandKind> = new Set<OperandKind>(['text']);

/** True where an operand of one of these kinds is no constant. */
export function asksVariable(
  instr: Instr,
  defs: ReadonlyMap<ValueId, Instr>,
  kinds: ReadonlySet<OperandKind> = CONSTANT_OPERANDS,
): boolean {
  if (instr.op !== 'abi' || !isImport(instr.name)) return false;
  const { params } = ABI_IMPORTS[instr.name];
  return instr.args.some((arg, i) => {
    const kind = params[i];
    return kind !== undefined && kinds.has(kind) && defs.get(arg)?.op !== 'const';
  });
}

/** True where blocks ask for a text that is no constant yet, as an element of a list of texts is. */
export function asksTexts(blocks: readonly Block[], defs: ReadonlyMap<ValueId, Instr>): boolean {
  return blocks.some(({ instrs }) => instrs.some((instr) => asksVariable(instr, defs, TEXTS)));
}
