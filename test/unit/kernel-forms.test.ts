/** The kernels of weft.json: which forms of loops a bundle gets, what is refused, and which kernels take it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isOlder, needsWalkedLoops } from '../../compiler/abi/index.js';
import { policyObject } from '../../runtime/agent/policy-object.js';
import { readProject } from '../../runtime/config/index.js';
import { compileTexts } from '../support/compile-texts.js';

const test = suite('kernel forms');

const LOOP = `
import { Connection, Verdict } from "weft";
export function authorizeConnection(connection: Connection): Verdict {
  let sum: u64 = connection.now;
  while (sum > 1) { if ((sum & 1) == 1) sum = sum * 3 + 1; else sum >>= 1; if (sum % 1000003 == 7) sum ^= connection.now >> 3; }
  return sum == 0 ? Verdict.Allow : Verdict.Deny;
}
`;
const compile = (kernels: readonly string[], fuel: number) =>
  compileTexts(new Map([['p.ts', LOOP]]), { kernels, budget: { fuel } });

test('series are compared by number, not as text', () => {
  assert.ok(isOlder('6.1', '6.9') && isOlder('6.9', '6.12') && isOlder('5.15', '6.1'));
  assert.not(isOlder('6.12', '6.9') || isOlder('6.9', '6.9') || isOlder('7.0', '6.18'));
  assert.ok(needsWalkedLoops(['6.18', '6.6']));
  assert.not(needsWalkedLoops(['6.9', '6.12']));
});

const hasTurns = (object: Uint8Array | undefined): boolean =>
  Buffer.from(object ?? []).includes('_turn0');

test('loops that old kernels cannot walk are calls where one is named, and only there', async () => {
  const old = await compile(['6.1', '6.18'], 500_000);
  assert.equal(old.diagnostics, []);
  assert.ok(hasTurns(old.bundle?.objects.base));
  assert.not(hasTurns(old.bundle?.objects.mayGoto));
  const walked = await compile(['6.1', '6.18'], 50);
  assert.not(hasTurns(walked.bundle?.objects.base), 'what can be walked is no call');
  const recent = await compile(['6.12', '6.18'], 500_000);
  assert.equal(recent.diagnostics, []);
  assert.ok(recent.bundle !== null);
  assert.not(hasTurns(recent.bundle?.objects.base));
  assert.equal(recent.bundle?.objects.mayGoto, old.bundle?.objects.mayGoto);
});

test('a bundle has the form that a kernel takes, or is refused (A006)', async () => {
  const both = (await compile(['6.1', '6.18'], 50)).bundle;
  const recent = (await compile(['6.12'], 50)).bundle;
  if (both === null || recent === null) throw new Error('it does not compile');
  const [old, fresh] = [{ hasMayGoto: () => false }, { hasMayGoto: () => true }];
  assert.not.equal(both.objects.base, both.objects.mayGoto);
  assert.is(policyObject(old, both), both.objects.base);
  assert.is(policyObject(fresh, both), both.objects.mayGoto);
  assert.is(policyObject(fresh, recent), recent.objects.mayGoto);
  assert.equal(recent.objects.mayGoto, both.objects.mayGoto);
  assert.throws(
    () => policyObject(old, recent),
    (e: { code: string }) => e.code === 'A006',
  );
});

test('a kernel that Weft does not run on is refused at its place (W206)', () => {
  const text = (kernel: string): string =>
    `{ "name": "p", "policies": [{ "file": "p.ts", "attach": [{ "namespace": "n" }] }],\n  "kernels": ["6.12", "${kernel}"] }`;
  const { project, diagnostics } = readProject(text('5.10'), 'weft.json');
  assert.is(project, null);
  assert.equal(
    diagnostics.map(({ code, line }) => [code, line]),
    [['W206', 2]],
  );
  assert.equal(readProject(text('6.1'), 'weft.json').diagnostics, []);
});

test.run();
