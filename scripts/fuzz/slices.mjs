// A long run over the readers as many short ones: each slice is one reader, so many inputs and a seed of its own, in a
// process of its own, whose memory is bounded. How far it came lies in a file: whoever runs the same again goes on there.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Inputs of a slice: some seconds. */
const SLICE = 20_000;
/** Seeds of a run's slices; the next run's begin behind them. */
const SEEDS = 100_000;

function readProgress(file, { inputs, seed }) {
  try {
    const known = JSON.parse(readFileSync(file, 'utf8'));
    if (known.inputs === inputs && known.seed === seed) return known;
  } catch {
    // None, or of a run that died while it wrote: from the beginning.
  }
  return { inputs, seed, done: {} };
}

/** Runs until all is done, a fault, or so many seconds; `done`: inputs of this run and of those that it goes on. */
export function fuzzInSlices({ entry, inputs, seed, to, seconds }) {
  mkdirSync(to, { recursive: true });
  const file = join(to, `progress-${seed}.json`);
  const progress = readProgress(file, { inputs, seed });
  const node = (args, stdio) =>
    spawnSync(process.execPath, ['--max-old-space-size=512', entry, ...args], {
      encoding: 'utf8',
      stdio,
    });
  const names = node([], 'pipe').stdout.trim().split('\n');
  const share = Math.ceil(inputs / names.length);
  const end = Date.now() + seconds * 1000;
  const doneOf = (name) => progress.done[name] ?? 0;
  const total = () => names.reduce((sum, name) => sum + doneOf(name), 0);
  for (;;) {
    // By turns: what ends early has tried each of them.
    const open = names.filter((name) => doneOf(name) < share);
    if (open.length === 0) break;
    for (const name of open) {
      if (Date.now() >= end) return { isFine: true, done: total() };
      const count = Math.min(SLICE, share - doneOf(name));
      const own = seed * SEEDS + Math.floor(doneOf(name) / SLICE);
      const ran = node([String(count), String(own), name], ['ignore', 'inherit', 'inherit']);
      if (ran.status !== 0) {
        if (ran.signal !== null) console.log(`${name}: ended by ${ran.signal}, seed ${own}`);
        return { isFine: false, done: total() };
      }
      progress.done[name] = doneOf(name) + count;
      writeFileSync(`${file}.new`, JSON.stringify(progress));
      renameSync(`${file}.new`, file);
    }
    console.log(`${total()} of ${share * names.length} inputs`);
  }
  // A run that is whole begins anew when it is asked for again.
  writeFileSync(file, JSON.stringify({ ...progress, done: {} }));
  return { isFine: true, done: total() };
}
