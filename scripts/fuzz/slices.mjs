// A long run over the readers as many short ones: each slice is one reader, so many inputs and a seed of its own, in a
// process of its own, whose memory is bounded. Whoever runs the same again goes on where it ended.
import { spawnSync } from 'node:child_process';
import { Progress } from './progress.mjs';

/** Inputs of a slice: some seconds. */
const SLICE = 20_000;
/** Seeds of a run's slices; the next run's begin behind them. */
const SEEDS = 100_000;

/** Runs until all is done, a fault, or so many seconds; `done`: inputs of this run and of those that it goes on. */
export function fuzzInSlices({ entry, inputs, seed, to, seconds }) {
  const progress = new Progress(to, { inputs, seed });
  const node = (args, stdio) =>
    spawnSync(process.execPath, ['--max-old-space-size=512', entry, ...args], {
      encoding: 'utf8',
      stdio,
    });
  const names = node([], 'pipe').stdout.trim().split('\n');
  const share = Math.ceil(inputs / names.length);
  const end = Date.now() + seconds * 1000;
  const total = () => names.reduce((sum, name) => sum + progress.of(name), 0);
  for (;;) {
    // By turns: what ends early has tried each of them.
    const open = names.filter((name) => progress.of(name) < share);
    if (open.length === 0) break;
    for (const name of open) {
      if (Date.now() >= end) return { isFine: true, done: total() };
      const count = Math.min(SLICE, share - progress.of(name));
      const own = seed * SEEDS + Math.floor(progress.of(name) / SLICE);
      const ran = node([String(count), String(own), name], ['ignore', 'inherit', 'inherit']);
      if (ran.status !== 0) {
        if (ran.signal !== null) console.log(`${name}: ended by ${ran.signal}, seed ${own}`);
        return { isFine: false, done: total() };
      }
      progress.add({ [name]: count });
    }
    console.log(`${total()} of ${share * names.length} inputs`);
  }
  const done = total();
  progress.forget();
  return { isFine: true, done };
}
