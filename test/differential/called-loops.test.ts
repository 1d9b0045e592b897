/**
 * Loops as calls of bpf_loop, the form for kernels before 6.9 whose verifiers cannot walk them: this kernel takes it too, and
 * answers as V8 does, with any fuel.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Bundle } from '../../compiler/index.js';
import type { Ask, RecordFields } from '../../runtime/simulate/index.js';
import { mustCompile } from '../support/compile-texts.js';
import { describeRecord } from '../support/describe-record.js';
import { encodeAll, Interner } from '../support/encode-connection.js';
import { encodeRequests } from '../support/encode-request.js';
import { kernelEngine, wasmEngine, wasmtimeEngine } from '../support/engines.js';
import { generateConnection } from '../support/generate-connection.js';
import { generatePolicy } from '../support/generate-policy.js';
import { generateRequest } from '../support/generate-request.js';
import { Prng } from '../support/prng.js';

const COLLATZ = `
import { Connection, Verdict } from "weft";
export function authorizeConnection(connection: Connection): Verdict {
  let a: u32 = connection.destination.port, n: u32 = 0;
  while (a > 1) { a = a & 1 ? a * 3 + 1 : a >> 1; n++; }
  return n % 3 == 0 ? Verdict.Allow : n % 3 == 1 ? Verdict.Deny : Verdict.Pass;
}
`;
/** Two loops behind each other, the second with one in it, whose numbers are all needed behind them. */
const NEST = `
import { Connection, Verdict } from "weft";
function rounds(a: u32, b: u32, c: u64): u64 {
  let sum: u64 = c, most: u32 = 0, last: u32 = 7;
  for (let i: u32 = 0; i < a; i++) {
    for (let j: u32 = 0; j < b + i; j++) {
      sum = sum * 31 + (i ^ j) + (sum >> 7) * 3;
      if (sum % 11 == 3) { last = j; continue; }
      if (sum % 97 == 5) return sum ^ last;
    }
    most = most < i ? i : most;
    if (sum % 7 == 3) break;
  }
  return sum + most * 3 + last;
}
export function authorizeConnection(connection: Connection): Verdict {
  const port = <u32>connection.destination.port;
  if (port % 5 == 4) return Verdict.Deny;
  let x = rounds(port % 4, port % 3, connection.now);
  while (x > 9) x = x % 3 == 0 ? x / 3 : x - 1 >> 1;
  const sum = rounds(port % 2, <u32>x, x);
  return sum % 3 != 0 ? Verdict.Allow : sum % 2 == 0 ? Verdict.Deny : Verdict.Pass;
}
`;

/** Bytes of a head, and memory that is read at an index that the loop makes. */
const REQUEST = `
import { Request, Verdict } from "weft";
const weights: StaticArray<u32> = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3];
export function authorizeRequest(request: Request): Verdict {
  const path = request.path;
  let at: u32 = 0, sum: u32 = 0;
  while (at < <u32>path.length) {
    const byte = <u32>path.at(at);
    sum = sum * 7 + weights[byte & 15];
    at += byte % 3 == 0 ? 1 : byte % 3;
    if (sum % 101 == 4) return Verdict.Deny;
  }
  return sum % 2 == 0 ? Verdict.Allow : Verdict.Pass;
}
`;

const RECURSION = `
import { Connection, Verdict } from "weft";
function mix(n: u32, seed: u32): u32 {
  return n < 2 ? seed + n : mix(n - 1, seed * 3) ^ mix(n - 2, seed + n);
}
export function authorizeConnection(connection: Connection): Verdict {
  const port = <u32>connection.destination.port;
  return mix(port % 6, port) % 3 == 0 ? Verdict.Deny : Verdict.Allow;
}
`;
const SUBJECTS = { collatz: COLLATZ, nest: NEST, request: REQUEST, recursion: RECURSION };
/** Fuel that cuts short, up to what cuts nothing. */
const FUELS = [0, 1, 2, 3, 4, 5, 7, 9, 12, 16, 23, 40, 90, 150, 400];

const DECISIONS = 60;
/** Generated policies. */
const GENERATED = 40;
const FUEL_REASON = 4;

function compiled(text: string, fuel: number): Promise<Bundle> {
  return mustCompile(new Map([['p.ts', text]]), { budget: { fuel } }, undefined, 'all');
}

const hasTurns = (object: Uint8Array): boolean => Buffer.from(object).includes('_turn0');

/** Asks all engines; answers with how many decisions the fuel cut short. */
async function compare(bundle: Bundle, where: string): Promise<number> {
  const { manifest, objects } = bundle;
  const old = { ...bundle, objects: { base: objects.base, mayGoto: objects.base } };
  const random = new Prng(7);
  const interner = new Interner(manifest);
  const connections = Array.from({ length: DECISIONS }, () => generateConnection(random));
  const requests = Array.from({ length: DECISIONS }, () => generateRequest(random));
  const isRequest = manifest.policies.some((p) => p.exports.some((e) => e.endsWith('Request')));
  const [ask, bytes]: readonly [Ask, Uint8Array] = isRequest
    ? ['bothRequest', encodeRequests(requests, manifest, interner)]
    : ['both', encodeAll(connections, manifest, interner)];
  using wasm = wasmEngine(bundle, interner.added);
  using wasmtime = wasmtimeEngine(bundle, interner.added);
  using kernel = kernelEngine(old);
  const simulated = await wasm.decide(bytes, ask);
  for (const engine of [wasmtime, kernel]) {
    const observed = await engine.decide(bytes, ask);
    const words = (r: RecordFields | undefined): unknown =>
      r === undefined
        ? null
        : (['authorize', 'route'] as const).map((of) => describeRecord(r, manifest, of));
    for (const [i, record] of simulated.entries())
      assert.equal(words(observed[i]), words(record), `${where}, ${ask} ${i} in ${engine.name}`);
  }
  return simulated.filter((r) => r.reason === FUEL_REASON).length;
}

const test = suite('called loops');

for (const [name, text] of Object.entries(SUBJECTS)) {
  test(`${name}: loads and answers as V8 does`, async () => {
    const bundle = await compiled(text, 20_000);
    assert.ok(hasTurns(bundle.objects.base), 'nothing is called');
    assert.is(await compare(bundle, name), 0);
  });

  test(`${name}: out of fuel at the same point`, async () => {
    const cuts: number[] = [];
    for (const fuel of FUELS) {
      cuts.push(await compare(await compiled(text, fuel), `${name}, fuel ${fuel}`));
    }
    assert.ok((cuts[0] ?? 0) > 0, 'without fuel something is cut short');
    assert.ok(new Set(cuts).size > 2, `the loops are cut short: ${cuts.join(' ')}`);
    assert.is(cuts.at(-1), 0);
  });
}

test('generated policies: load and answer as V8 does', async () => {
  let called = 0;
  for (let seed = 0; seed < GENERATED; seed++) {
    const random = new Prng(900_000 + seed);
    const text = generatePolicy(random, seed % 3 === 0 ? 'route' : 'authorize', seed % 4 === 3);
    const bundle = await compiled(text, random.pick([30, 300, 3000]));
    if (hasTurns(bundle.objects.base)) called += 1;
    await compare(bundle, `seed ${seed}`);
  }
  console.error(`${called} of ${GENERATED} generated policies with loops that are calls`);
  assert.ok(called > 3);
});

test.run();
