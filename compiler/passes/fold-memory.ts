/**
 * Pass:    fold-memory
 * Reads:   the image `memory` (linear memory as the snapshot left it), constants
 * Writes:  load.memory at a constant address to its constant, or to a trap where it is out of bounds;
 *          at any other address to load.image, whose limit is the exact bound of WASM. Where the function
 *          writes memory, only what no decision may write: a store that may reach it is refused by the frontend
 * Refuses: nothing
 * Keeps:   traps: the image is the whole memory, so that a load behind the data but inside the pages
 *          reads zero as in WASM
 */
import {
  definitions,
  type Func,
  foldInstr,
  type Instr,
  MEMORY_IMAGE,
  type Module,
  newValue,
  readBytes,
  type ValueId,
} from '../ir/index.js';
import { eliminateDeadCode } from './eliminate-dead-code.js';

/** Resolves loads from linear memory. */
export function foldMemory(func: Func, module: Module): boolean {
  const memory = module.images.find((image) => image.name === MEMORY_IMAGE)?.bytes ?? null;
  // What a decision wrote is promote-memory's first.
  if (func.blocks.some((b) => b.instrs.some((i) => i.op === 'store.memory'))) {
    return foldStatics(func, memory?.subarray(0, module.scratchFrom ?? 0) ?? null);
  }
  const size = memory?.length ?? 0;
  const defs = definitions(func);
  const constant = (value: ValueId): bigint | null => {
    const def = defs.get(value);
    return def?.op === 'const' ? def.value : null;
  };
  let changed = false;
  let cut = false;
  for (const block of func.blocks) {
    const out: Instr[] = [];
    for (const instr of block.instrs) {
      if (instr.op !== 'load.memory' && instr.op !== 'load.image') {
        out.push(instr);
        continue;
      }
      const address = constant(instr.args[0]);
      const { id, type, loc } = instr;
      if (instr.op === 'load.image') {
        const bytes = module.images.find((image) => image.name === instr.image)?.bytes;
        if (address === null || bytes === undefined) {
          out.push(instr);
          continue;
        }
        changed = true;
        if (address > BigInt(instr.limit)) {
          block.term = { op: 'trap', kind: 'trap', loc };
          cut = true;
          break;
        }
        const value = readBytes(bytes, instr.offset + Number(address), instr.size, false, type);
        out.push({ op: 'const', id, type, loc, value });
        continue;
      }
      changed = true;
      const value = foldInstr(instr, constant, () => 'i32', memory);
      const limit = size - instr.size - instr.offset;
      if (value !== null) {
        out.push({ op: 'const', id, type, loc, value });
      } else if (address !== null || limit < 0) {
        block.term = { op: 'trap', kind: 'trap', loc };
        cut = true;
        break;
      } else out.push(...imageLoad(func, instr, limit));
    }
    block.instrs = out;
  }
  // What followed a trap may have been used in blocks that are unreachable now.
  if (cut) eliminateDeadCode(func);
  return changed;
}

/** Loads at constant addresses of memory that the decision does not write. */
function foldStatics(func: Func, statics: Uint8Array | null): boolean {
  const defs = definitions(func);
  const constant = (value: ValueId): bigint | null => {
    const def = defs.get(value);
    return def?.op === 'const' ? def.value : null;
  };
  let changed = false;
  for (const block of func.blocks) {
    block.instrs = block.instrs.map((instr) => {
      if (instr.op !== 'load.memory') return instr;
      const value = foldInstr(instr, constant, () => 'i32', statics);
      if (value === null) return instr;
      changed = true;
      const { id, type, loc } = instr;
      return { op: 'const', id, type, loc, value };
    });
  }
  return changed;
}

function imageLoad(func: Func, load: Instr & { op: 'load.memory' }, limit: number): Instr[] {
  const { id, type, loc, size, offset, args } = load;
  const narrow = load.signed && size < (type === 'i32' ? 4 : 8);
  const raw = narrow ? newValue(func) : id;
  const instr: Instr = {
    op: 'load.image',
    image: MEMORY_IMAGE,
    id: raw,
    type,
    loc,
    size,
    offset,
    limit,
    args,
  };
  if (!narrow) return [instr];
  const kind = size === 1 ? 'extend8_s' : size === 2 ? 'extend16_s' : 'extend32_s';
  return [instr, { op: 'unary', kind, id, type, loc, args: [raw] }];
}
