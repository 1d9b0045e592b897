/** One IR function through all of lowering. */
import { BugError, type Diagnostic, diagnostic } from '../diagnostic/index.js';
import type { Func, Loc, SourcePosition } from '../ir/types.js';
import { allocateRegisters, type Stack } from './allocate/allocate-registers.js';
import { readAgain } from './allocate/read-again.js';
import { encode, type Slot } from './asm/index.js';
import { CODES } from './codes.js';
import { hoistConstants } from './emit/hoist-constants.js';
import { linearise } from './emit/linearise.js';
import { simplifyBlocks } from './emit/simplify-blocks.js';
import type { LirFunc } from './lir.js';
import type { Line, LoweredFunction } from './lowered-function.js';
import { mergeChains } from './select/merge-chains.js';
import { selectInstructions } from './select/select-instructions.js';

/** Kernels keep the count of may_goto on the stack of the function, in 8 or 16 bytes. */
const MAY_GOTO_BYTES = 16;

export interface LowerOptions {
  /** Emit may_goto at loop headers, for kernels that have it (6.9 and later). */
  readonly mayGoto: boolean;
  /** Fields are read again where a function takes more bytes of stack than this; below 0: wherever they can be. */
  readonly readAgainAbove?: number;
}
export type LoweredOne =
  | { readonly ok: true; readonly func: LoweredFunction }
  | { readonly ok: false; readonly diagnostic: Diagnostic };

/** Lowers one function; refuses with L002 where it is too long. */
export function lowerFunction(
  func: Func,
  positions: readonly SourcePosition[],
  options: LowerOptions & { readonly input?: LoweredFunction['input'] },
): LoweredOne {
  const { lir, stack } = allocate(func, options);
  simplifyBlocks(lir);
  hoistConstants(lir);
  const { code, locs, longestPath } = linearise(lir, { walksLoops: !options.mayGoto });
  const hidden = code.insns.some(({ op }) => op === 'may_goto') ? MAY_GOTO_BYTES : 0;
  const first = locs.find((loc) => loc !== null) ?? null;
  const encoded = encode(code);
  if (!encoded.ok) {
    const message = `function \`${func.name}\` is too long: a jump spans ${encoded.distance} slots`;
    return refuse('L002', message, positions, locs[encoded.at] ?? first);
  }
  return {
    ok: true,
    func: {
      name: func.name,
      kind: func.kind,
      params: func.params.map((param) => param.type),
      input: options.input ?? 'connection',
      result: func.result,
      code,
      locs,
      bytes: encoded.bytes,
      relocations: encoded.relocations,
      lines: linesOf(locs, encoded.slots, positions),
      instructions: code.insns.length,
      stack: stack.bytes + hidden,
      fullest: stack.fullest === null ? null : (positions[stack.fullest] ?? null),
      worstPath: longestPath,
    },
  };
}

/**
 * Bytes of stack from which on fields are read again: what a policy may use is 320, with all that it calls. What it
 * tested of a field the verifier does not know of the same field read again, so it is not done without need.
 */
const MUCH_STACK = 192;

interface Allocated {
  readonly lir: LirFunc;
  readonly stack: Stack;
}

/** Code in registers, and the stack that it takes. */
function allocate(func: Func, options: LowerOptions): Allocated {
  const { mayGoto } = options;
  for (const trustCopies of [true, false]) {
    const lir = selected(func, { mayGoto, trustCopies });
    const stack = allocateRegisters(lir);
    if (stack.bytes === 0 || !lir.trustsCopies) return lessStack(func, options, { lir, stack });
  }
  throw new BugError(`function ${func.name} trusts copies that it was told not to`);
}

function selected(
  func: Func,
  options: { readonly mayGoto: boolean; readonly trustCopies: boolean },
): LirFunc {
  const lir = selectInstructions(func, options);
  mergeChains(lir);
  return lir;
}

/** The look-ups of rule lists ask every field in each of their loops, and branch on none. */
function muchStack({ kind }: Func): number {
  return kind === 'dispatcher' ? 0 : MUCH_STACK;
}

/** The same with fields read again where they are used, if it takes much stack without and less with it. */
function lessStack(
  func: Func,
  { mayGoto, readAgainAbove = muchStack(func) }: LowerOptions,
  plain: Allocated,
): Allocated {
  if (plain.stack.bytes <= readAgainAbove) return plain;
  const lir = selected(func, { mayGoto, trustCopies: false });
  if (!readAgain(lir)) return plain;
  const stack = allocateRegisters(lir);
  return stack.bytes < plain.stack.bytes || readAgainAbove < 0 ? { lir, stack } : plain;
}

function refuse(
  code: string,
  message: string,
  positions: readonly SourcePosition[],
  loc: Loc,
): LoweredOne {
  const at = loc === null ? null : (positions[loc] ?? null);
  return {
    ok: false,
    diagnostic: diagnostic(code, message, { at, help: CODES[code]?.help ?? null }),
  };
}

/**
 * Runs of instructions with one position. Code without a position of its own (copies, prologue)
 * counts to what stands before it; kernels want a line at the very start.
 */
function linesOf(
  locs: readonly Loc[],
  slots: readonly Slot[],
  positions: readonly SourcePosition[],
): Line[] {
  const lines: Line[] = [];
  let current = locs.find((loc) => loc !== null) ?? null;
  for (const [i, loc] of locs.entries()) {
    const changed = loc !== null && loc !== current;
    if (i > 0 && !changed) continue;
    if (changed && i > 0) current = loc;
    const position = current === null ? undefined : positions[current];
    const slot = slots[i];
    if (position !== undefined && slot !== undefined) lines.push({ slot, position });
  }
  return lines;
}
