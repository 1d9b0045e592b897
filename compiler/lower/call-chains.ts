/**
 * What the calls of a module add up to: the verifier counts stack and frames over whole chains, with
 * each frame's stack rounded up (kernel/bpf/verifier.c, check_max_stack_depth).
 */
import { type Diagnostic, diagnostic } from '../diagnostic/index.js';
import type { SourcePosition } from '../ir/types.js';
import { CODES } from './codes.js';
import type { LoweredFunction } from './lowered-function.js';

/** A BPF program has 512 bytes for itself and all that it calls; hooks that ask policies take at most 160 (test/unit/hook-stack). */
export const MAX_STACK = 320;
/** The kernel allows 8 frames; the hook and the dispatcher take one each. */
export const MAX_FRAMES = 6;
/** Without a JIT, and in older kernels with it, a frame takes at least this much. */
const FRAME_BYTES = 32;

interface Chain {
  readonly stack: number;
  readonly frames: number;
  /** The most stack of its own that one of its functions has, and where that has it, or is called. */
  readonly heaviest: { readonly stack: number; readonly at: SourcePosition | null };
}

type Measure = Chain | 'recursive';

/** Refuses recursion (L003), chains of too many frames (L004) and chains of too much stack (L001). */
export function checkCallChains(functions: readonly LoweredFunction[]): Diagnostic[] {
  const byName = new Map(functions.map((func) => [func.name, func]));
  const chains = new Map<string, Measure | 'open'>();
  const measure = (func: LoweredFunction): Measure => {
    const known = chains.get(func.name);
    if (known === 'open') return 'recursive';
    if (known !== undefined) return known;
    chains.set(func.name, 'open');
    const inner = calleesOf(func).map(({ name, at }): Measure => {
      const callee = byName.get(name);
      // Of a function of another module only the frame is known.
      if (callee === undefined) return { stack: 0, frames: 1, heaviest: { stack: 0, at: null } };
      const chain = measure(callee);
      if (chain === 'recursive' || chain.heaviest.at !== null) return chain;
      return { ...chain, heaviest: { ...chain.heaviest, at } };
    });
    const chain = inner.includes('recursive') ? 'recursive' : onTop(func, inner);
    chains.set(func.name, chain);
    return chain;
  };
  return functions.flatMap((func) => {
    const chain = measure(func);
    const isEcho = calleesOf(func).some(({ name }) => {
      const callee = chains.get(name);
      return typeof callee === 'object' && callee.stack > MAX_STACK;
    });
    const found = isEcho ? null : finding(func, chain);
    return found === null ? [] : [found];
  });
}

interface Callee {
  readonly name: string;
  /** Of a call of it. */
  readonly at: SourcePosition | null;
}

function calleesOf({ relocations, lines }: LoweredFunction): readonly Callee[] {
  const found = new Map<string, Callee>();
  for (const { kind, slot, symbol: name } of relocations) {
    if (kind === 'address' || found.has(name)) continue;
    const at = lines.findLast((line) => line.slot <= slot)?.position ?? null;
    found.set(name, { name, at });
  }
  return [...found.values()];
}
function onTop(func: LoweredFunction, inner: readonly Measure[]): Chain {
  const known = inner.filter((chain) => chain !== 'recursive');
  const deepest = known.reduce<Chain | null>(
    (most, chain) => (most !== null && most.stack >= chain.stack ? most : chain),
    null,
  );
  const own = Math.max(1, Math.ceil(func.stack / FRAME_BYTES)) * FRAME_BYTES;
  const below = deepest?.heaviest ?? null;
  return {
    stack: own + (deepest?.stack ?? 0),
    frames: 1 + Math.max(0, ...known.map((chain) => chain.frames)),
    heaviest:
      below !== null && below.stack > func.stack ? below : { stack: func.stack, at: func.fullest },
  };
}

function finding(func: LoweredFunction, chain: Measure): Diagnostic | null {
  const first = func.lines[0]?.position ?? null;
  if (chain === 'recursive') return refuse(func, 'L003', 'calls itself, directly or not', first);
  if (chain.stack > MAX_STACK) {
    const message = `needs ${chain.stack} bytes of stack with what it calls, of ${MAX_STACK}`;
    return refuse(func, 'L001', message, chain.heaviest.at ?? first);
  }
  if (chain.frames > MAX_FRAMES && func.kind !== 'dispatcher') {
    return refuse(func, 'L004', `starts a chain of ${chain.frames} calls, of ${MAX_FRAMES}`, first);
  }
  return null;
}

function refuse(
  func: LoweredFunction,
  code: string,
  what: string,
  at: SourcePosition | null,
): Diagnostic {
  const message = `function \`${func.name}\` ${what}`;
  return diagnostic(code, message, { at, help: CODES[code]?.help ?? null });
}
