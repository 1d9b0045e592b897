/**
 * Compares the two engines on generated policies: V8 and the kernel decide the same structs, verdict and
 * route, draw by draw. A difference is printed as a case file, ready for test/case.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Manifest } from '../../compiler/bundle/manifest.js';
import type { Ask, RecordFields } from '../../runtime/simulate/index.js';
import { mustCompile } from '../support/compile-texts.js';
import { describeRecord } from '../support/describe-record.js';
import { type Facts, Interner } from '../support/encode-connection.js';
import type { RequestFacts } from '../support/encode-request.js';
import { kernelEngine, wasmEngine } from '../support/engines.js';
import { printCase } from '../support/print-case.js';
import { Prng } from '../support/prng.js';
import { sameAnswer } from '../support/same-answer.js';

/** What is generated, and how much of it. */
export interface Comparison<F extends Facts | RequestFacts> {
  readonly name: string;
  /** The text of a policy. */
  readonly policy: (random: Prng, asks: 'authorize' | 'route') => string;
  /** Fuel that a bundle may get; little of it shows decisions that are cut short. */
  readonly fuel: readonly number[];
  readonly facts: (random: Prng) => F;
  readonly encode: (all: readonly F[], manifest: Manifest, interner: Interner) => Uint8Array;
  readonly ask: Ask;
  /** Bundles that are compared where none are asked for, and the variable that asks. */
  readonly bundles: { readonly count: number; readonly variable: string };
  readonly decisionsEach: number;
  /** Found differences are written to `dist/differential/<prefix>N.case`. */
  readonly prefix: string;
}

/** WEFT_SEED moves the whole run elsewhere; the default is what CI runs. */
const SEED = Number(process.env['WEFT_SEED'] ?? 1);
const KINDS = ['authorize', 'authorize', 'route'] as const;

interface Counts {
  policies: number;
  decisions: number;
  allow: number;
  deny: number;
  routed: number;
  stopped: number;
}

function attach(random: Prng): readonly number[] | null {
  const chosen = KINDS.map((_, i) => i).filter(() => random.oneIn(2));
  return chosen.length > 0 ? chosen : null;
}

function report(name: string, texts: ReadonlyMap<string, string>, rows: readonly string[]): string {
  const sections = [...texts].map(([file, text]) => `--- ${file}\n${text}`);
  const text = `${sections.join('')}--- cases\n${rows.join('\n')}\n`;
  const folder = fileURLToPath(new URL('../../differential/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  const path = `${folder}${name}.case`;
  writeFileSync(path, text);
  return path;
}

function count(counts: Counts, answer: RecordFields): void {
  counts.decisions += 1;
  counts[answer.verdict === 1 ? 'allow' : 'deny'] += 1;
  if ((answer.route & 0xffff) !== 0) counts.routed += 1;
  if (answer.reason === 3 || answer.reason === 4) counts.stopped += 1;
}

async function compareBundle<F extends Facts | RequestFacts>(
  seed: number,
  comparison: Comparison<F>,
  counts: Counts,
): Promise<void> {
  const random = new Prng(seed);
  const texts = new Map(KINDS.map((asks, i) => [`g${i}.ts`, comparison.policy(random, asks)]));
  const bundle = await mustCompile(texts, { budget: { fuel: random.pick(comparison.fuel) } });
  const { manifest } = bundle;
  const facts = Array.from({ length: comparison.decisionsEach }, () => ({
    ...comparison.facts(random),
    policies: attach(random),
  }));
  const interner = new Interner(manifest);
  const bytes = comparison.encode(facts, manifest, interner);
  using wasm = wasmEngine(bundle, interner.added);
  using kernel = kernelEngine(bundle);
  const simulated = await wasm.decide(bytes, comparison.ask);
  const observed = await kernel.decide(bytes, comparison.ask);
  const name = `${comparison.prefix}${seed}`;
  const rows: string[] = [];
  simulated.forEach((a, i) => {
    const b = observed[i];
    const one = facts[i];
    if (b === undefined || one === undefined) throw new Error('an answer is missing');
    count(counts, a);
    if (sameAnswer(a, b) || rows.length > 20) return;
    const ask = a.route === b.route ? 'authorize' : 'route';
    const words = (r: RecordFields): string =>
      Object.values(describeRecord(r, manifest, ask)).join(' ');
    rows.push(`# the kernel says ${words(b)}`, printCase(`${name}-${i}`, one, ask, words(a)));
  });
  counts.policies += KINDS.length;
  if (rows.length > 0)
    assert.unreachable(`engines differ: ${report(name, texts, rows)}\n${rows.join('\n')}`);
}

/** Registers and runs the suite: a test for each bundle, and one that enough of each kind was seen. */
export function compareEngines<F extends Facts | RequestFacts>(comparison: Comparison<F>): void {
  const { name, bundles, decisionsEach } = comparison;
  const asked = Number(process.env[bundles.variable] ?? bundles.count);
  const counts: Counts = { policies: 0, decisions: 0, allow: 0, deny: 0, routed: 0, stopped: 0 };
  const test = suite(name);
  for (let n = 0; n < asked; n++) {
    const seed = SEED * 100_000 + n;
    test(`seed ${seed}`, () => compareBundle(seed, comparison, counts));
  }
  test('enough was compared, and it was not all the same', () => {
    console.error(`compared ${JSON.stringify(counts)}`);
    if (asked < bundles.count) return;
    assert.ok(counts.policies >= bundles.count * KINDS.length, 'policies');
    assert.ok(counts.decisions >= bundles.count * decisionsEach, 'decisions');
    for (const kind of ['allow', 'deny', 'routed', 'stopped'] as const) {
      assert.ok(counts[kind] > counts.decisions / 1000, `${kind}: ${counts[kind]}`);
    }
  });
  test.run();
}
