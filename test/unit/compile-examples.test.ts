import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compilePolicy } from '../../compiler/compile-policy.js';
import {
  type CompileOutcome,
  compileProject,
  decodeBundle,
  encodeBundle,
  reopenPolicy,
} from '../../compiler/index.js';
import { print } from '../../compiler/ir/index.js';
import { readProject } from '../../runtime/config/index.js';
import { wizerSnapshot } from '../../runtime/snapshot/index.js';

const test = suite('compile-examples');

// Built tests run from dist/test/unit, next to which the sources lie three folders up.
const EXAMPLES = fileURLToPath(new URL('../../../policies/examples/', import.meta.url));

function readExample(name: string): (path: string) => string | null {
  return (path) => {
    try {
      return readFileSync(join(EXAMPLES, name, path), 'utf8');
    } catch {
      return null;
    }
  };
}

async function compileExample(name: string): Promise<CompileOutcome> {
  const file = readExample(name);
  const { project } = readProject(file('weft.json') ?? '', 'weft.json');
  if (project === null) throw new Error(`${name} has a faulty weft.json`);
  return compileProject({ project, read: file, snapshot: wizerSnapshot, checkCluster: null });
}

for (const name of ['ports', 'bookinfo']) {
  test(`${name} compiles to the same bundle each time`, async () => {
    const [first, second] = [await compileExample(name), await compileExample(name)];
    assert.equal(first.diagnostics, []);
    assert.ok(first.ok && second.ok);
    if (!first.ok || !second.ok) return;
    assert.equal(encodeBundle(first.bundle), encodeBundle(second.bundle));
    const decoded = decodeBundle(encodeBundle(first.bundle));
    assert.ok(decoded.ok);
    if (decoded.ok) assert.equal(decoded.bundle, first.bundle);
    const { stages } = first;
    for (const text of [stages.ir, stages.plan, stages.asm]) assert.ok((text ?? '').length > 0);
  });
}

test('a policy out of its bundle is the IR that was lowered, with its places', async () => {
  const compiled = await compileExample('bookinfo');
  assert.ok(compiled.ok);
  if (!compiled.ok) return;
  const decoded = decodeBundle(encodeBundle(compiled.bundle));
  assert.ok(decoded.ok);
  if (!decoded.ok) return;
  const read = readExample('bookinfo');
  let firstSite = 1;
  for (const entry of decoded.bundle.manifest.policies) {
    const { index, name, file } = entry;
    const fuel = decoded.bundle.manifest.fuel;
    const input = { index, name, file, read, snapshot: wizerSnapshot, firstSite, fuel };
    const { policy, sites } = await compilePolicy(input);
    assert.ok(policy !== null);
    if (policy === null) return;
    firstSite += sites;
    const again = reopenPolicy(decoded.bundle, entry);
    assert.is(print(again.module), print(policy.module));
    assert.equal(again.module.positions, policy.module.positions);
    assert.equal(again.resolved.calls, policy.resolved.calls);
  }
});

test.run();
