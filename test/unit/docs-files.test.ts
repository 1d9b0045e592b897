/** The examples of docs/files.md are read as the page says. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readProject } from '../../runtime/config/index.js';
import { readWorld } from '../../runtime/discovery/index.js';
import { readScenario } from '../../runtime/simulate/index.js';

const page = readFileSync(new URL('../../../docs/files.md', import.meta.url), 'utf8');
const [project = '', world = '', scenario = ''] = [
  ...page.matchAll(/^```(?:json|yaml)\n([\s\S]*?)^```$/gm),
].map((match) => match[1] ?? '');

const test = suite('docs: files.md');
test('weft.json', () => {
  const read = readProject(project, 'weft.json');
  assert.equal(read.diagnostics, []);
  assert.is(read.project?.policies.length, 2);
});
test('world.yaml and scenario.yaml', () => {
  const read = readWorld(world, 'world.yaml');
  assert.equal(read.diagnostics, []);
  assert.ok(read.world);
  const cases = readScenario(scenario, 'scenario.yaml', read.world);
  assert.equal(cases.diagnostics, []);
  assert.is(cases.scenario?.cases.length, 3);
});
test.run();
