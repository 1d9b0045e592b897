/**
 * The memory of an agent's process, kept as small as its work is. V8 grows for a start, a new world or a
 * report of a large node, and keeps what it grew to; in a quiet moment behind those it is all collected and
 * given back.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Kernel } from '../kernel/index.js';
import type { AgentEnv } from './agent-env.js';
import type { Usage } from './metrics.js';

/** Looked at so often … */
const LOOK_MS = 5000;
/** … and quiet where the process had less than this part of a CPU since the last look. */
const QUIET = 0.1;
/** Worth a collection: that much more than behind the last one … */
const GROWN_BYTES = 8 << 20;
/** … which takes some 20 ms, and was so many looks ago. */
const LOOKS_BETWEEN = 12;

/** Before anything large is made: a young generation that does not grow, an old one that grows slowly. Answers with what collects all. */
export function smallHeap(): () => void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--optimize-for-size');
  setFlagsFromString('--expose-gc');
  // INVARIANT: a context that is made behind the flag has it.
  const collect: () => void = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  return () => collect();
}

export interface MemoryWatch {
  /** One look: is it quiet, and has it grown? Then it is given back. */
  look(): void;
}

/** What each look decides by. */
export function memoryWatch(usage: () => Usage, giveBack: () => void): MemoryWatch {
  let { cpuSeconds } = usage();
  let least = 0;
  let looks = LOOKS_BETWEEN;
  return {
    look() {
      const now = usage();
      const isQuiet = now.cpuSeconds - cpuSeconds < (QUIET * LOOK_MS) / 1000;
      cpuSeconds = now.cpuSeconds;
      looks += 1;
      if (!isQuiet || looks < LOOKS_BETWEEN || now.residentBytes - least < GROWN_BYTES) return;
      giveBack();
      looks = 0;
      least = usage().residentBytes;
    },
  };
}

/** Looks until it is disposed of; null where the process is not the agent's own. */
export function keepSmall(
  env: Pick<AgentEnv, 'usage' | 'collect'>,
  kernel: Pick<Kernel, 'returnMemory'>,
): Disposable | null {
  const { collect } = env;
  if (collect === null) return null;
  const giveBack = (): void => {
    collect();
    kernel.returnMemory();
  };
  const watch = memoryWatch(() => env.usage(), giveBack);
  const timer = setInterval(() => watch.look(), LOOK_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
