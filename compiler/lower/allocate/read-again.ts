/**
 * Pass    read-again
 * Reads   instructions over virtual registers
 * Writes  the same, where a field of what a parameter points to is read once more in each block that uses it, instead
 *         of being kept from where it was read first
 * Refuses nothing
 * Keeps   every value: nothing of the function writes there, and pointers of parameters stay what they are
 *
 * For functions that would need too much stack: rule lists ask the same dozen fields on hundreds of ways, and a field
 * takes one instruction to read, from its place as from a slot.
 */
import {
  copyOf,
  defsOf,
  FP,
  type Insn,
  type Reg,
  renameInsn,
  renameTest,
  usesOf,
} from '../asm/index.js';
import {
  exitUses,
  freshReg,
  type LirBlock,
  type LirFunc,
  reversePostorder,
  type Step,
} from '../lir.js';

/** Within a block a field is kept over so many instructions that do not use it. */
const NEAR = 8;

type Field = Extract<Insn, { readonly op: 'load' }>;

/** What is written once, by which step. */
function singleDefinitions(func: LirFunc): Map<Reg, Insn> {
  const once = new Map<Reg, Insn>();
  const more = new Set<Reg>();
  // Chains that were merged leave their blocks behind, which nothing reaches.
  for (const label of reversePostorder(func.blocks)) {
    for (const { insn } of func.blocks[label]?.steps ?? []) {
      for (const reg of defsOf(insn)) {
        if (once.has(reg)) more.add(reg);
        once.set(reg, insn);
      }
    }
  }
  for (const reg of more) once.delete(reg);
  return once;
}

/** A register that is the same as another for all its life. */
function sourceOf(insn: Insn, once: ReadonlyMap<Reg, Insn>): Reg | null {
  const copy = copyOf(insn);
  if (copy !== null) return copy.src;
  // What was loaded has no bits above its size.
  if (insn.op !== 'alu' || insn.kind !== 'mov' || !('reg' in insn.src)) return null;
  const from = once.get(insn.src.reg);
  return from?.op === 'load' && from.size <= 4 ? insn.src.reg : null;
}

/** What made the value of a register, behind all that only passes it on. */
function originOf(reg: Reg, once: ReadonlyMap<Reg, Insn>): Insn | undefined {
  const insn = once.get(reg);
  const source = insn === undefined ? null : sourceOf(insn, once);
  return source === null ? insn : originOf(source, once);
}

/** Registers that hold a field, with the load that reads it. */
function fieldsOf(func: LirFunc): ReadonlyMap<Reg, Field> {
  const once = singleDefinitions(func);
  const fields = new Map<Reg, Field>();
  const isArgument = (reg: Reg): boolean => {
    const insn = once.get(reg);
    const copy = insn === undefined ? null : copyOf(insn);
    return copy !== null && copy.src >= 1 && copy.src <= 5;
  };
  for (const reg of once.keys()) {
    const insn = originOf(reg, once);
    if (insn?.op === 'load' && isArgument(insn.base)) fields.set(reg, insn);
  }
  return fields;
}

/** Reads fields again where they are used; false where nothing changed. */
export function readAgain(func: LirFunc): boolean {
  const writes = ({ insn }: Step): boolean =>
    insn.op === 'xchg' || (insn.op === 'store' && insn.base !== FP);
  if (func.blocks.some(({ steps }) => steps.some(writes))) return false;
  const fields = fieldsOf(func);
  if (fields.size === 0) return false;
  const changed = func.blocks.map((block) => readInBlock(func, block, fields)).includes(true);
  if (changed) dropUnused(func, fields);
  return changed;
}

/** What was read first is needed no more where it was used elsewhere only. */
function dropUnused(func: LirFunc, fields: ReadonlyMap<Reg, Field>): void {
  for (let changed = true; changed; ) {
    changed = false;
    const used = new Set(
      reversePostorder(func.blocks).flatMap((label) => {
        const block = func.blocks[label];
        if (block === undefined) return [];
        return [...block.steps.flatMap(({ insn }) => usesOf(insn)), ...exitUses(block.exit)];
      }),
    );
    const isUnused = ({ insn }: Step): boolean => {
      const defined = defsOf(insn);
      return defined.length > 0 && defined.every((reg) => fields.has(reg) && !used.has(reg));
    };
    for (const block of func.blocks) {
      const kept = block.steps.filter((step) => !isUnused(step));
      changed ||= kept.length < block.steps.length;
      block.steps = kept;
    }
  }
}

function readInBlock(func: LirFunc, block: LirBlock, fields: ReadonlyMap<Reg, Field>): boolean {
  const own = new Map<Reg, Reg>();
  const steps: Step[] = [];
  /** Where each was read or used last. */
  const last = new Map<Reg, number>();
  let changed = false;
  const rename = (reg: Reg): Reg => own.get(reg) ?? reg;
  const need = (reg: Reg, { loc }: Pick<Step, 'loc'>): void => {
    const field = fields.get(reg);
    if (field === undefined) return;
    const isNear = steps.length - (last.get(reg) ?? Number.NEGATIVE_INFINITY) <= NEAR;
    if (!isNear) {
      const again = freshReg(func);
      own.set(reg, again);
      steps.push({ insn: { ...field, dst: again }, loc });
      changed = true;
    }
    last.set(reg, steps.length);
  };
  for (const step of block.steps) {
    const defined = defsOf(step.insn);
    for (const reg of usesOf(step.insn)) need(reg, step);
    for (const reg of defined) if (fields.has(reg)) last.set(reg, steps.length);
    steps.push({ ...step, insn: renameInsn(step.insn, rename) });
  }
  for (const reg of exitUses(block.exit)) need(reg, block.exit);
  if (block.exit.op === 'if') {
    block.exit = { ...block.exit, test: renameTest(block.exit.test, rename) };
  }
  block.steps = steps;
  return changed;
}
