/**
 * What the calls of a module add up to: the verifier counts stack and frames over whole chains, with
 * each frame's stack rounded up (kernel/bpf/verifier.c, check_max_stack_depth).
 */
import { type Diagnostic, diagnostic } from '../diagnostic/index.js';
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
    const inner = [...calleesOf(func)].map((name) => {
      const callee = byName.get(name);
      // Of a function of another module only the frame is known.
      return callee === undefined ? { stack: 0, frames: 1 } : measure(callee);
    });
    const chain = inner.includes('recursive') ? 'recursive' : onTop(func, inner);
    chains.set(func.name, chain);
    return chain;
  };
  return functions.flatMap((func) => {
    const found = finding(func, measure(func));
    return found === null ? [] : [found];
  });
}

function calleesOf(func: LoweredFunction): Set<string> {
  return new Set(func.relocations.filter((r) => r.kind !== 'address').map((r) => r.symbol));
}
function onTop(func: LoweredFunction, inner: readonly Measure[]): Chain {
  const known = inner.filter((chain) => chain !== 'recursive');
  const own = Math.max(1, Math.ceil(func.stack / FRAME_BYTES)) * FRAME_BYTES;
  return {
    stack: own + Math.max(0, ...known.map((chain) => chain.stack)),
    frames: 1 + Math.max(0, ...known.map((chain) => chain.frames)),
  };
}

function finding(func: LoweredFunction, chain: Measure): Diagnostic | null {
  if (chain === 'recursive') return refuse(func, 'L003', 'calls itself, directly or not');
  if (chain.stack > MAX_STACK) {
    const message = `needs ${chain.stack} bytes of stack with what it calls, of ${MAX_STACK}`;
    return refuse(func, 'L001', message);
  }
  if (chain.frames > MAX_FRAMES && func.kind !== 'dispatcher') {
    return refuse(func, 'L004', `starts a chain of ${chain.frames} calls, of ${MAX_FRAMES}`);
  }
  return null;
}

function refuse(func: LoweredFunction, code: string, what: string): Diagnostic {
  const at = func.lines[0]?.position ?? null;
  const message = `function \`${func.name}\` ${what}`;
  return diagnostic(code, message, { at, help: CODES[code]?.help ?? null });
}
