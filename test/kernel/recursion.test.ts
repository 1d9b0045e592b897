/** A decision gives back its memory for recursion however it ends: more decisions than there are slots, and than one looks at. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FRAME_DEPTH, FRAME_SLOTS } from '../../compiler/abi/index.js';
import type { Bundle } from '../../compiler/bundle/manifest.js';
import { mustCompile } from '../support/compile-texts.js';
import { describeRecord } from '../support/describe-record.js';
import { encodeAll, Interner } from '../support/encode-connection.js';
import { kernelEngine, wasmEngine } from '../support/engines.js';
import { generateConnection } from '../support/generate-connection.js';
import { Prng } from '../support/prng.js';

/** Returns, is too deep, or spends its fuel. */
const POLICY = `
import { Connection, Verdict } from "weft";

function weigh(n: u32, seed: u32): u32 {
  return n == 0 ? seed : (weigh(n - 1, seed + n) ^ n) + 1;
}
function spend(n: u32): u32 {
  return n < 2 ? n : spend(n - 1) + spend(n - 2) * 3;
}
export function authorizeConnection(connection: Connection): Verdict {
  const port = <u32>connection.destination.port;
  if (port % 3 == 2) return spend(40) == 7 ? Verdict.Pass : Verdict.Allow;
  return weigh(port % 3 == 1 ? 200 : 20, port) == 1 ? Verdict.Pass : Verdict.Allow;
}
`;

const test = suite('recursion in the kernel');

let bundle: Bundle;

test.before(async () => {
  const config = { kernels: ['6.12'], budget: { fuel: 300 } };
  bundle = await mustCompile(new Map([['deep.ts', POLICY]]), config);
});

/** Answers to connections to the ports from 0 on. */
async function answersOf(open: typeof kernelEngine, count: number): Promise<readonly string[]> {
  const random = new Prng(5);
  const connections = Array.from({ length: count }, (_, i) => ({
    ...generateConnection(random),
    policies: null,
    port: i,
  }));
  const bytes = encodeAll(connections, bundle.manifest, new Interner(bundle.manifest));
  using engine = open(bundle);
  const records = await engine.decide(bytes, 'both');
  return records.map(
    (record) => describeRecord(record, bundle.manifest, 'authorize').answer + record.reason,
  );
}

test('a decision of each kind ends as in V8', async () => {
  const have = await answersOf(kernelEngine, 3);
  assert.equal(have, await answersOf((of) => wasmEngine(of, []), 3));
  assert.is(new Set(have).size, 3);
});

test('slots are given back by returns, traps and where fuel ends', async () => {
  assert.ok(FRAME_DEPTH < 200);
  const answers = await answersOf(kernelEngine, 9 * FRAME_SLOTS);
  const ofKind = (kind: number): readonly string[] => [
    ...new Set(answers.filter((_, i) => i % 3 === kind)),
  ];
  assert.equal([ofKind(0).length, ofKind(1).length, ofKind(2).length], [1, 1, 1]);
  assert.match(ofKind(0)[0] ?? '', /^allow/);
  assert.is(new Set(answers).size, 3, [...new Set(answers)].join());
});

test.run();
