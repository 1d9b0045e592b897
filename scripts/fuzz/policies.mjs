// Generated policies in all engines, as many short runs of test/differential: each slice is so many bundles from a seed
// of its own, in a process of its own (asc's memory grows with what it compiled). Whoever runs the same again goes on
// where it ended. What is counted is what the tests say that they compared.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Progress } from './progress.mjs';

/** The tests by turns, each with its share of the decisions; `each`: those of a bundle. */
const GENERATED = [
  { test: 'differential/policies', variable: 'WEFT_BUNDLES', each: 3000, share: 0.6 },
  { test: 'differential/requests', variable: 'WEFT_REQUEST_BUNDLES', each: 2900, share: 0.4 },
];
/** Bundles of a slice: half a minute. */
const SLICE = 50;
const COMPARED = /^compared (\{.*\})$/m;

/** Compares one slice; a run that does not say what it compared has failed. */
function compareSlice(root, { test, variable }, seed, count) {
  const usual = { WEFT_IR_EACH: '1', WEFT_KEEP_FOUND: '1' };
  const ran = spawnSync(process.execPath, [join(root, 'scripts/test.mjs'), '--no-build', test], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    env: { ...usual, ...process.env, WEFT_SEED: String(seed), [variable]: String(count) },
  });
  const said = `${ran.stdout}${ran.stderr}`;
  const { policies, decisions } = JSON.parse(COMPARED.exec(said)?.[1] ?? '{}');
  const isSame = ran.status === 0 && decisions > 0;
  if (!isSame) console.log(said);
  return { isSame, policies: policies ?? 0, decisions: decisions ?? 0 };
}

/**
 * Runs until all is done, or so many seconds; differences stand in the corpus and do not end it. Counts are those of
 * this run and of those that it goes on.
 */
export function comparePolicies({ root, inputs, seed, to, seconds }) {
  const progress = new Progress(to, { inputs, seed });
  const end = Date.now() + seconds * 1000;
  const shareOf = ({ each, share }) => Math.ceil((inputs * share) / each);
  const tell = () => ({
    policies: progress.of('policies'),
    decisions: progress.of('decisions'),
    differences: progress.of('differences'),
  });
  for (;;) {
    const open = GENERATED.filter((one) => progress.of(one.test) < shareOf(one));
    if (open.length === 0) break;
    for (const one of open) {
      if (Date.now() >= end) return { ...tell(), isWhole: false };
      const done = progress.of(one.test);
      const count = Math.min(SLICE, shareOf(one) - done);
      const own = seed + Math.floor(done / SLICE);
      const { isSame, policies, decisions } = compareSlice(root, one, own, count);
      progress.add({ [one.test]: count, policies, decisions, differences: isSame ? 0 : 1 });
      const { decisions: so } = tell();
      console.log(`${one.test} seed ${own}: ${decisions} decisions; ${so} of ${inputs}`);
    }
  }
  const all = tell();
  progress.forget();
  return { ...all, isWhole: true };
}
