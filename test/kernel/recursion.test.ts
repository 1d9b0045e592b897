/** A decision gives back its memory for recursion however it ends: more decisions than there are slots, and than one looks at. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FRAME_DEPTH, FRAME_SLOTS } from '../../compiler/abi/index.js';
import { mustCompile } from '../support/compile-texts.js';
import { describeRecord } from '../support/describe-record.js';
import { encodeAll, Interner } from '../support/encode-connection.js';
import { kernelEngine } from '../support/engines.js';
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

test('slots are given back by returns, traps and where fuel ends', async () => {
  const config = { kernels: ['6.12'], budget: { fuel: 300 } };
  const bundle = await mustCompile(new Map([['deep.ts', POLICY]]), config);
  const random = new Prng(5);
  const connections = Array.from({ length: 9 * FRAME_SLOTS }, (_, i) => ({
    ...generateConnection(random),
    policies: null,
    port: i,
  }));
  assert.ok(FRAME_DEPTH < 200);
  using kernel = kernelEngine(bundle);
  const bytes = encodeAll(connections, bundle.manifest, new Interner(bundle.manifest));
  const answers = (await kernel.decide(bytes, 'both')).map(
    (record) => describeRecord(record, bundle.manifest, 'authorize').answer + record.reason,
  );
  const ofKind = (kind: number): readonly string[] => [
    ...new Set(answers.filter((_, i) => i % 3 === kind)),
  ];
  assert.equal([ofKind(0).length, ofKind(1).length, ofKind(2).length], [1, 1, 1]);
  assert.match(ofKind(0)[0] ?? '', /^allow/);
  assert.is(new Set(answers).size, 3, [...new Set(answers)].join());
});

test.run();
