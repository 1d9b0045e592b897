/** What is over a bundle's limits is told, and what is just within is not. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_ROUTES, MAX_SITES } from '../../compiler/abi/index.js';
import { decodeBundle, encodeBundle } from '../../compiler/bundle/index.js';
import { v8Snapshot } from '../../runtime/snapshot/index.js';
import { compileTexts } from '../support/compile-texts.js';
import { sampleBundle } from '../support/sample-bundle.js';
import { ALLOW, compile } from './frontend-project.js';

const test = suite('limits');

test('P113: sites of a bundle', async () => {
  const codes = async (firstSite: number): Promise<string[]> =>
    (await compile(ALLOW, v8Snapshot, firstSite)).diagnostics.map((d) => d.code);
  assert.equal(await codes(MAX_SITES), []);
  assert.equal(await codes(MAX_SITES + 1), ['P113']);
});

const clusters = (count: number): string =>
  `import { cluster, Connection, Route } from "weft";
for (let i = 0; i < ${count}; i++) cluster("s", "v" + i.toString());
export function routeConnection(connection: Connection): Route { return Route.None; }
`;

test('P114: clusters of a policy', async () => {
  const outcome = await compileTexts(new Map([['a.ts', clusters(MAX_ROUTES + 1)]]));
  assert.equal(
    outcome.diagnostics.map((d) => d.code),
    ['P114'],
  );
});

test('B204: clusters of a bundle', async () => {
  const half = (MAX_ROUTES + 1) / 2;
  const codes = async (count: number): Promise<string[]> => {
    const texts = new Map([
      ['a.ts', clusters(half)],
      ['b.ts', clusters(count)],
    ]);
    return (await compileTexts(texts)).diagnostics.map((d) => d.code);
  };
  assert.equal(await codes(half - 1), []);
  assert.equal(await codes(half), ['B204']);
});

/** A loop that only fuel bounds, and one whose end the compiler sees. */
const looping = (loop: string): string => `import { Connection, Verdict } from "weft";
export function authorizeConnection(connection: Connection): Verdict {
  let a: u32 = connection.destination.port, b = <u32>connection.now;
  ${loop}
  return a == 1 ? Verdict.Allow : Verdict.Deny;
}
`;
const COLLATZ = 'while (a > 1) a = a & 1 ? a * 3 + 1 : a >> 1;';

/** A loop between whose turns so many numbers live. */
const keeping = (count: number): string => {
  const each = Array.from({ length: count }, (_, i) => i);
  const first = each.map((i) => `let v${i}: u32 = b ^ ${i * 77};`).join(' ');
  const turn = each.map((i) => `v${i} = v${i} * 3 ^ v${(i + 1) % count};`).join(' ');
  const last = each.map((i) => `v${i}`).join(' ^ ');
  return `${first} while (a > 1) { ${turn} a = a & 1 ? a * 3 + 1 : a >> 1; } a = (${last}) & 1;`;
};

test('B210: loops that kernels without may_goto can neither walk nor call', async () => {
  const found = async (loop: string, fuel: number): Promise<string> => {
    const { diagnostics } = await compileTexts(new Map([['a.ts', looping(loop)]]), {
      budget: { fuel },
    });
    return diagnostics.map((d) => `${d.code} ${d.line} ${d.message}`).join('\n');
  };
  assert.match(
    await found(keeping(24), 20_000),
    /^B210 4 .*20000 turns.*only the fuel.*20000 branches/,
  );
  assert.is(await found(keeping(7), 20_000), '');
  assert.is(await found(COLLATZ, 20_000), '');
  assert.is(await found(COLLATZ, 1_000_000), '');
  assert.is(await found(COLLATZ, 5000), '');
  const gcd = 'while (b != 0) { const t = a % b; a = b; b = t; }';
  assert.is(await found(gcd, 20_000), '');
  assert.is(await found(gcd, 100_000), '');
  assert.is(await found(gcd, 35_000), '');
  assert.is(await found('while (b != 0) { a += b & 1 ? 3 : b; b >>= 1; }', 100_000), '');
  assert.is(
    await found('for (let i: u32 = 0; i < (b & 63); i++) a += i & 1 ? b : i;', 100_000),
    '',
  );
});

test('B211: functions that together are more than a verifier walks', async () => {
  const found = async (count: number, kernels: readonly string[]): Promise<string> => {
    const names = Array.from({ length: count }, (_, i) => `p${i}.ts`);
    const texts = new Map(names.map((name) => [name, looping(COLLATZ)]));
    const { diagnostics } = await compileTexts(texts, { budget: { fuel: 7000 }, kernels });
    return diagnostics.map((d) => `${d.code} ${d.line} ${d.message}`).join('\n');
  };
  assert.match(
    await found(3, ['6.1', '6.12']),
    /^B211 4 .* more than 980000 instructions for connections, at least \d+ of them in `p\d_authorize`$/,
  );
  assert.is(await found(2, ['6.1', '6.12']), '');
  assert.is(await found(3, ['6.12']), '');
});

test('B105: an index that is no JSON', () => {
  const archive = encodeBundle(sampleBundle());
  const at = Buffer.from(archive).indexOf('{"manifests"');
  assert.ok(at > 0);
  assert.ok(decodeBundle(archive).ok);
  archive[at] = '['.charCodeAt(0);
  const outcome = decodeBundle(archive);
  assert.equal(outcome.ok ? [] : outcome.diagnostics.map((d) => d.code), ['B105']);
});

test.run();
