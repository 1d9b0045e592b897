/**
 * As policies.test.ts, for requests: generated request policies and requests, V8 and the kernel on the
 * same structs weft_request.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RecordFields } from '../../runtime/simulate/index.js';
import { mustCompile } from '../support/compile-texts.js';
import { describeRecord } from '../support/describe-record.js';
import { Interner } from '../support/encode-connection.js';
import { encodeRequests, type RequestFacts } from '../support/encode-request.js';
import { kernelEngine, wasmEngine } from '../support/engines.js';
import { generatePolicy } from '../support/generate-policy.js';
import { generateRequest } from '../support/generate-request.js';
import { printCase } from '../support/print-case.js';
import { Prng } from '../support/prng.js';

/** WEFT_SEED moves the whole run elsewhere; the default is what CI runs. */
const SEED = Number(process.env['WEFT_SEED'] ?? 1);
const BUNDLES = Number(process.env['WEFT_REQUEST_BUNDLES'] ?? 60);
const KINDS = ['authorize', 'authorize', 'route'] as const;
const REQUESTS = 1700;

const counts = { policies: 0, decisions: 0, allow: 0, deny: 0, routed: 0, stopped: 0 };

/** What both engines must have in common: everything but the fuel, which the kernel does not report. */
function sameAnswer(a: RecordFields, b: RecordFields): boolean {
  return (
    a.verdict === b.verdict &&
    a.site === b.site &&
    a.policy === b.policy &&
    a.reason === b.reason &&
    a.audited === b.audited &&
    a.shadowAllow === b.shadowAllow &&
    a.shadowDeny === b.shadowDeny &&
    a.route === b.route
  );
}

function attach(random: Prng): readonly number[] | null {
  const chosen = KINDS.map((_, i) => i).filter(() => random.oneIn(2));
  return chosen.length > 0 ? chosen : null;
}

function report(seed: number, texts: ReadonlyMap<string, string>, rows: readonly string[]): string {
  const sections = [...texts].map(([file, text]) => `--- ${file}\n${text}`);
  const text = `${sections.join('')}--- cases\n${rows.join('\n')}\n`;
  const folder = fileURLToPath(new URL('../../differential/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  const path = `${folder}request-seed-${seed}.case`;
  writeFileSync(path, text);
  return path;
}

async function compareBundle(seed: number): Promise<void> {
  const random = new Prng(seed);
  const texts = new Map(KINDS.map((kind, i) => [`g${i}.ts`, generatePolicy(random, kind, true)]));
  const bundle = await mustCompile(texts, { budget: { fuel: random.pick([40, 200, 2000]) } });
  const { manifest } = bundle;
  const facts: RequestFacts[] = Array.from({ length: REQUESTS }, () => ({
    ...generateRequest(random),
    policies: attach(random),
  }));
  const interner = new Interner(manifest);
  const bytes = encodeRequests(facts, manifest, interner);
  using wasm = wasmEngine(bundle, interner.added);
  using kernel = kernelEngine(bundle);
  const simulated = await wasm.decide(bytes, 'bothRequest');
  const observed = await kernel.decide(bytes, 'bothRequest');
  const rows: string[] = [];
  simulated.forEach((a, i) => {
    const b = observed[i];
    const one = facts[i];
    if (b === undefined || one === undefined) throw new Error('an answer is missing');
    counts.decisions += 1;
    counts[a.verdict === 1 ? 'allow' : 'deny'] += 1;
    if ((a.route & 0xffff) !== 0) counts.routed += 1;
    if (a.reason === 3 || a.reason === 4) counts.stopped += 1;
    if (sameAnswer(a, b) || rows.length > 20) return;
    const ask = a.route === b.route ? 'authorize' : 'route';
    const words = (r: RecordFields): string =>
      Object.values(describeRecord(r, manifest, ask)).join(' ');
    rows.push(`# the kernel says ${words(b)}`, printCase(`seed-${seed}-${i}`, one, ask, words(a)));
  });
  counts.policies += KINDS.length;
  if (rows.length > 0)
    assert.unreachable(`engines differ: ${report(seed, texts, rows)}\n${rows.join('\n')}`);
}

const test = suite('request policies in two engines');

for (let n = 0; n < BUNDLES; n++) {
  const seed = SEED * 100_000 + n;
  test(`seed ${seed}`, () => compareBundle(seed));
}

test('enough was compared, and it was not all the same', () => {
  console.error(`compared ${JSON.stringify(counts)}`);
  if (BUNDLES < 60) return;
  assert.ok(counts.policies >= 180, 'policies');
  assert.ok(counts.decisions >= 100_000, 'decisions');
  for (const kind of ['allow', 'deny', 'routed', 'stopped'] as const) {
    assert.ok(counts[kind] > counts.decisions / 1000, `${kind}: ${counts[kind]}`);
  }
});

test.run();
