/** Compiling again what changed, and only that, gives what compiling all of it gives. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compileProject, encodeBundle, PolicyCache } from '../../compiler/index.js';
import { wizerSnapshot } from '../../runtime/snapshot/index.js';
import { projectOf } from '../support/compile-texts.js';

const test = suite('policy cache');

const policy = (verdict: string): string => `
import { Connection, Verdict } from "weft";
import { limit } from "./limit";
export function authorizeConnection(connection: Connection): Verdict {
  return connection.destination.port > limit ? Verdict.Deny : Verdict.${verdict};
}
`;
const texts = new Map([
  ['a.ts', policy('Allow')],
  ['b.ts', policy('Pass').replace('./limit', './other')],
  ['limit.ts', 'export const limit: u16 = 80;\n'],
  ['other.ts', 'export const limit: u16 = 90;\n'],
]);
const files = [{ file: 'a.ts' }, { file: 'b.ts' }];

/** Compiles; answers with the bundle's bytes, what was read, and the policies that were compiled. */
async function compile(cache: PolicyCache | undefined) {
  const compiled = new Set<number>();
  const read = new Set<string>();
  const outcome = await compileProject({
    project: projectOf(texts, { policies: files }),
    read: (path) => {
      if (texts.has(path)) read.add(path);
      return texts.get(path) ?? null;
    },
    snapshot: (wasm) => wizerSnapshot(wasm, 120_000),
    checkCluster: null,
    cache,
    // `build` is seen where the frontend's result is read, and again when all is linked.
    observe: (index, pass, module) => {
      const isFirst = pass === 'build' && module.externs.length === 0;
      if (isFirst) compiled.add(index);
    },
  });
  assert.ok(outcome.ok, JSON.stringify(outcome.diagnostics));
  return { bytes: encodeBundle(outcome.bundle), compiled: [...compiled], read: [...read].sort() };
}

test('unchanged policies are kept, and a change of what they import is one', async () => {
  const cache = new PolicyCache();
  const first = await compile(cache);
  assert.equal(first.compiled, [0, 1]);
  const again = await compile(cache);
  assert.equal(again.compiled, []);
  assert.equal(again.read, first.read, 'all inputs are heard of');
  assert.equal(again.bytes, first.bytes);

  texts.set('b.ts', policy('Audit').replace('./limit', './other'));
  const changed = await compile(cache);
  assert.equal(changed.compiled, [1]);
  assert.equal(changed.bytes, (await compile(undefined)).bytes);

  texts.set('limit.ts', 'export const limit: u16 = 81;\n');
  const imported = await compile(cache);
  assert.equal(imported.compiled, [0]);
  assert.equal(imported.bytes, (await compile(undefined)).bytes);
});

test('a policy whose sites begin elsewhere is compiled again', async () => {
  const cache = new PolicyCache();
  await compile(cache);
  const before = texts.get('a.ts') ?? '';
  const guard = '{\n  if (connection.family == 6) return Verdict.Deny;\n  return connection';
  texts.set('a.ts', before.replace('{\n  return connection', guard));
  const moved = await compile(cache);
  assert.equal(moved.compiled, [0, 1]);
  assert.equal(moved.bytes, (await compile(undefined)).bytes);
});

test.run();
