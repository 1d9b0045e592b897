/**
 * Compares the engines on generated policies: V8, Wasmtime, the kernel, and the IR behind the compiler's passes
 * decide the same structs, verdict and route, draw by draw. A difference is made small and written down.
 */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RecordFields } from '../../runtime/simulate/index.js';
import { Prng } from '../support/prng.js';
import { generateTrial, KINDS, type TrialShape } from './generate-trial.js';
import { keepFound } from './keep-found.js';
import { tryTrial } from './trial.js';

/** What is compared, and how much of it. */
export interface Comparison extends TrialShape {
  readonly name: string;
  /** Bundles that are compared where none are asked for, and the variable that asks. */
  readonly bundles: { readonly count: number; readonly variable: string };
  /** Names of found differences begin with it. */
  readonly prefix: string;
}

/** WEFT_SEED moves the whole run elsewhere; the default is what CI runs. */
const SEED = Number(process.env['WEFT_SEED'] ?? 1);
/** The IR decides every n-th, each time by another stage of the compilation. */
const IR_EACH = Number(process.env['WEFT_IR_EACH'] ?? 5);
/** Of the passes that change a policy, one in so many is kept as a stage, beside the first and the last. */
const STAGE_EACH = 4;

interface Counts {
  policies: number;
  decisions: number;
  allow: number;
  deny: number;
  routed: number;
  stopped: number;
}

function count(counts: Counts, answer: RecordFields): void {
  counts.decisions += 1;
  counts[answer.verdict === 1 ? 'allow' : 'deny'] += 1;
  if ((answer.route & 0xffff) !== 0) counts.routed += 1;
  if (answer.reason === 3 || answer.reason === 4) counts.stopped += 1;
}

/** Registers and runs the suite: a test for each bundle, and one that enough of each kind was seen. */
export function compareEngines(comparison: Comparison): void {
  const { name, bundles, decisions, prefix } = comparison;
  const asked = Number(process.env[bundles.variable] ?? bundles.count);
  const counts: Counts = { policies: 0, decisions: 0, allow: 0, deny: 0, routed: 0, stopped: 0 };
  const stages = new Map<string, number>();
  const test = suite(name);
  for (let n = 0; n < asked; n++) {
    const seed = SEED * 100_000 + n;
    test(`seed ${seed}`, async () => {
      const trial = generateTrial(seed, comparison);
      const random = new Prng(seed);
      const keep = (): boolean => random.oneIn(STAGE_EACH);
      const tried = await tryTrial(trial, { keep, irEach: IR_EACH });
      counts.policies += KINDS.length;
      for (const answer of tried.answers) count(counts, answer);
      for (const [pass, times] of tried.stages) stages.set(pass, (stages.get(pass) ?? 0) + times);
      if (tried.differences.length === 0) return;
      const { path } = await keepFound(`${prefix}${seed}`, trial, tried);
      assert.unreachable(`engines differ: ${path}\n${readFileSync(path, 'utf8')}`);
    });
  }
  test('enough was compared, and it was not all the same', () => {
    console.error(`compared ${JSON.stringify({ ...counts, stages: Object.fromEntries(stages) })}`);
    if (asked < bundles.count) return;
    assert.ok(counts.policies >= bundles.count * KINDS.length, 'policies');
    assert.ok(counts.decisions >= bundles.count * decisions, 'decisions');
    assert.ok(stages.size > 12, `only ${stages.size} passes were looked behind`);
    for (const kind of ['allow', 'deny', 'routed', 'stopped'] as const) {
      assert.ok(counts[kind] > counts.decisions / 1000, `${kind}: ${counts[kind]}`);
    }
  });
  test.run();
}
