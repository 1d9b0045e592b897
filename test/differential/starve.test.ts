/**
 * Out of fuel is the same verdict at the same point in all engines, at every point: each example policy,
 * and some with loops and subprograms, is given 0, 1, 2, … of fuel until nothing is cut short any more.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readWorld, type World } from '../../runtime/discovery/index.js';
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

const EXAMPLES = 'policies/examples';
const DECISIONS = 60;
/** No subject needs more; one that does is too slow a test. */
const MOST = 200;
const FUEL_REASON = 4;
const ROUTE_FUEL = 0xfff1;

const LOOPS = `
import { Connection, Verdict } from "weft";

function rounds(a: u32, b: u32): u32 {
  let sum: u32 = 0;
  for (let i: u32 = 0; i < a; i++) {
    for (let j: u32 = 0; j < b; j++) sum = sum * 31 + (i ^ j) + (sum >> 7) * 3 + (sum & 5) - (i | 9);
    if (sum % 7 == 3) break;
  }
  return sum;
}
export function authorizeConnection(connection: Connection): Verdict {
  const port = <u32>connection.destination.port;
  if (port % 5 == 4) return Verdict.Deny;
  const sum = rounds(port % 4, port % 3) ^ rounds(port % 2, 3);
  return sum % 3 != 0 ? Verdict.Allow : Verdict.Pass;
}
`;

const RECURSION = `
import { Connection, Verdict } from "weft";

function mix(n: u32, seed: u32): u32 {
  return n < 2 ? seed + n : mix(n - 1, seed * 3) ^ mix(n - 2, seed + n);
}
function wide(n: u32, sum: u64): u64 {
  return n == 0 ? sum : wide(n - 1, sum * 5) + <u64>mix(n & 3, n);
}
export function authorizeConnection(connection: Connection): Verdict {
  const port = <u32>connection.destination.port;
  if (port % 5 == 4) return mix(port % 6, port) % 3 == 0 ? Verdict.Deny : Verdict.Allow;
  return wide(port % 7, port) % 2 == 0 ? Verdict.Allow : Verdict.Pass;
}
`;

type Subject = readonly [
  name: string,
  texts: ReadonlyMap<string, string>,
  world?: World | undefined,
  /** All loops are calls, as kernels before 6.9 have those that they cannot walk. */
  called?: boolean,
];

function example(name: string): Subject {
  const folder = join(EXAMPLES, name);
  const { policies } = JSON.parse(readFileSync(join(folder, 'weft.json'), 'utf8')) as {
    readonly policies: readonly { readonly file: string }[];
  };
  const texts = policies.map(
    ({ file }) => [file, readFileSync(join(folder, file), 'utf8')] as const,
  );
  // Tests attach policies to the namespace `prod`.
  const text = readFileSync(join(folder, 'world.yaml'), 'utf8').replaceAll('.shop', '.prod');
  const { world } = readWorld(text, 'world.yaml');
  return [name, new Map(texts), world ?? undefined];
}

const SUBJECTS: readonly Subject[] = [
  ...readdirSync(EXAMPLES)
    .filter((name) => existsSync(join(EXAMPLES, name, 'weft.json')))
    .map(example),
  ['loops', new Map([['loops.ts', LOOPS]])],
  ['recursion', new Map([['recursion.ts', RECURSION]])],
  ['loops, called', new Map([['loops.ts', LOOPS]]), undefined, true],
  ['recursion, called', new Map([['recursion.ts', RECURSION]]), undefined, true],
  [
    'generated',
    new Map(
      [1, 2, 3, 4].map((seed) => {
        const asks = seed % 2 === 0 ? 'route' : 'authorize';
        return [`g${seed}.ts`, generatePolicy(new Prng(seed), asks, seed > 2)];
      }),
    ),
  ],
];

const isCut = (r: RecordFields): boolean =>
  r.reason === FUEL_REASON || (r.route & 0xffff) === ROUTE_FUEL;

/** Decides with so much fuel in both engines; answers with how many decisions were cut short. */
async function starve([name, texts, world, called]: Subject, fuel: number): Promise<number> {
  const compiled = await mustCompile(
    texts,
    { budget: { fuel } },
    undefined,
    called ? 'all' : 'none',
  );
  const { objects } = compiled;
  const bundle = called
    ? { ...compiled, objects: { ...objects, mayGoto: objects.base } }
    : compiled;
  const { manifest } = bundle;
  const random = new Prng(7);
  const interner = new Interner(manifest);
  const connections = Array.from({ length: DECISIONS }, () => generateConnection(random));
  const requests = Array.from({ length: DECISIONS }, () => generateRequest(random));
  const asksRequests = manifest.policies.some((p) => p.exports.some((e) => e.endsWith('Request')));
  const questions: readonly (readonly [Ask, Uint8Array])[] = [
    ['both', encodeAll(connections, manifest, interner)],
    ...(asksRequests
      ? [['bothRequest', encodeRequests(requests, manifest, interner)] as const]
      : []),
  ];
  using wasm = wasmEngine(bundle, interner.added);
  using wasmtime = wasmtimeEngine(bundle, interner.added);
  using kernel = kernelEngine(bundle, world);
  let cut = 0;
  for (const [ask, bytes] of questions) {
    const simulated = await wasm.decide(bytes, ask);
    cut += simulated.filter(isCut).length;
    for (const engine of [wasmtime, kernel]) {
      const observed = await engine.decide(bytes, ask);
      for (const [i, record] of simulated.entries()) {
        const other = observed[i];
        if (other === undefined) throw new Error('an answer is missing');
        const words = (r: RecordFields): unknown =>
          (['authorize', 'route'] as const).map((of) => describeRecord(r, manifest, of));
        const where = `${name}, fuel ${fuel}, ${ask} ${i} in ${engine.name}`;
        assert.equal(words(other), words(record), where);
        // The kernel does not tell how much was used.
        if (engine === wasmtime) assert.is(other.fuel, record.fuel, where);
      }
    }
  }
  return cut;
}

const test = suite('starving policies');

for (const subject of SUBJECTS) {
  test(`${subject[0]}: the same answers with any fuel`, async () => {
    const cuts: number[] = [];
    while (cuts.at(-1) !== 0) {
      assert.ok(cuts.length <= MOST, 'it needs too much fuel');
      cuts.push(await starve(subject, cuts.length));
    }
    console.error(`${subject[0]}: cut short with fuel 0, 1, …: ${cuts.join(' ')}`);
    assert.ok((cuts[0] ?? 0) > 0, 'without fuel something is cut short');
    for (const [i, cut] of cuts.entries()) {
      assert.ok(cut <= (cuts[i - 1] ?? Number.POSITIVE_INFINITY), `fuel ${i} cuts more`);
    }
  });
}

test.run();
