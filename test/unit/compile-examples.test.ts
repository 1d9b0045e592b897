import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type CompileOutcome,
  compileProject,
  decodeBundle,
  encodeBundle,
} from '../../compiler/index.js';
import { readProject } from '../../runtime/config/index.js';
import { wizerSnapshot } from '../../runtime/snapshot/index.js';

const test = suite('compile-examples');

// Built tests run from dist/test/unit, next to which the sources lie three folders up.
const EXAMPLES = fileURLToPath(new URL('../../../policies/examples/', import.meta.url));

async function compileExample(name: string): Promise<CompileOutcome> {
  const file = (path: string): string | null => {
    try {
      return readFileSync(join(EXAMPLES, name, path), 'utf8');
    } catch {
      return null;
    }
  };
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

test.run();
