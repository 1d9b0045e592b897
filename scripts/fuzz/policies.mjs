// Generated policies in all engines, as many short runs of test/differential: each slice is so many bundles from a seed
// of its own, in a process of its own (asc's memory grows with what it compiled). Whoever runs the same again goes on
// where it ended. What is counted is what the tests say that they compared. Each test has a lane of its own, side by
// side with the other's: a slice keeps one processor busy.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { findLeftovers, removeLeftovers } from '../leftovers.mjs';
import { Progress } from './progress.mjs';

/** The tests, each with its share of the decisions, so that both end at about the same time; `each`: those of a bundle. */
const GENERATED = [
  { test: 'differential/policies', variable: 'WEFT_BUNDLES', each: 3000, share: 0.6 },
  { test: 'differential/requests', variable: 'WEFT_REQUEST_BUNDLES', each: 2900, share: 0.4 },
];
/** Bundles of a slice: half a minute; a test of this command asks for fewer. */
const SLICE = Number(process.env.WEFT_FUZZ_SLICE ?? 50);
const COMPARED = /^compared (\{.*\})$/m;

/** Runs Node to its end: its status, and all that it said. */
function runNode(words, env) {
  const options = { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024, env };
  return new Promise((resolve) => {
    execFile(process.execPath, words, options, (error, stdout, stderr) => {
      resolve({ isFine: error === null, said: `${stdout}${stderr}` });
    });
  });
}

/** Compares one slice; a run that does not say what it compared has failed. */
async function compareSlice(root, { test, variable }, seed, count) {
  // Beside another slice: who looks for what is left behind is the run as a whole.
  const usual = { WEFT_IR_EACH: '1', WEFT_KEEP_FOUND: '1', WEFT_TEST_RUN: '1' };
  const own = { WEFT_SEED: String(seed), [variable]: String(count) };
  const { isFine, said } = await runNode([join(root, 'scripts/test.mjs'), '--no-build', test], {
    ...usual,
    ...process.env,
    ...own,
  });
  const { policies, decisions } = JSON.parse(COMPARED.exec(said)?.[1] ?? '{}');
  const isSame = isFine && decisions > 0;
  if (!isSame) console.log(said);
  return { isSame, policies: policies ?? 0, decisions: decisions ?? 0 };
}

/**
 * Runs until all is done, or so many seconds; differences stand in the corpus and do not end it. Counts are those of
 * this run and of those that it goes on. What a slice leaves behind in the kernel counts as a difference.
 */
export async function comparePolicies({ root, inputs, seed, to, seconds }) {
  const progress = new Progress(to, { inputs, seed });
  const end = Date.now() + seconds * 1000;
  const before = new Set(findLeftovers());
  const shareOf = ({ each, share }) => Math.ceil((inputs * share) / each);
  const lane = async (one) => {
    while (progress.of(one.test) < shareOf(one) && Date.now() < end) {
      const done = progress.of(one.test);
      const count = Math.min(SLICE, shareOf(one) - done);
      const own = seed + Math.floor(done / SLICE);
      const { isSame, policies, decisions } = await compareSlice(root, one, own, count);
      progress.add({ [one.test]: count, policies, decisions, differences: isSame ? 0 : 1 });
      const so = progress.of('decisions');
      console.log(`${one.test} seed ${own}: ${decisions} decisions; ${so} of ${inputs}`);
    }
  };
  await Promise.all(GENERATED.map(lane));
  // A run within the tests leaves the look to them: what others make beside it is theirs.
  const isWithin = process.env.WEFT_TEST_RUN === '1';
  const left = isWithin ? [] : findLeftovers().filter((thing) => !before.has(thing));
  for (const thing of left) console.log(`left behind: ${thing}`);
  removeLeftovers(left);
  if (left.length > 0) progress.add({ differences: left.length });
  const all = {
    policies: progress.of('policies'),
    decisions: progress.of('decisions'),
    differences: progress.of('differences'),
  };
  const isWhole = GENERATED.every((one) => progress.of(one.test) >= shareOf(one));
  if (isWhole) progress.forget();
  return { ...all, isWhole };
}
