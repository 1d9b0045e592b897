/** Every example is a world that runs: its scenario passes, and its README shows what it says. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { weft, withFolder } from './harness.js';

const root = fileURLToPath(new URL('../../../policies/examples/', import.meta.url));
const examples = readdirSync(root).sort();

interface Line {
  readonly id: string;
  readonly verdict: string;
  readonly rule: string;
  readonly expected: boolean;
  readonly differences: readonly string[];
}

async function simulate(
  folder: string,
  scenario: string,
): Promise<{ exit: number; lines: Line[] }> {
  const { exit, stdout } = await weft(['simulate', folder, scenario, '-o', 'ndjson']);
  return {
    exit,
    lines: stdout
      .trimEnd()
      .split('\n')
      .map((line): Line => JSON.parse(line)),
  };
}

const test = suite('examples');

test('there are some', () => {
  assert.ok(examples.includes('bookinfo') && examples.includes('ports'));
});

for (const name of examples) {
  const folder = join(root, name);
  const run = simulate(folder, join(folder, 'scenario.yaml'));
  test(`${name}: the scenario holds`, async () => {
    const { exit, lines } = await run;
    assert.equal(
      lines.filter((line) => !line.expected).map(({ id, differences }) => ({ id, differences })),
      [],
    );
    assert.is(exit, 0);
    for (const verdict of ['allow', 'deny'])
      assert.ok(
        lines.some((line) => line.verdict === verdict),
        `no ${verdict}`,
      );
  });

  test(`${name}: the README shows the scenario's verdicts`, async () => {
    const readme = join(folder, 'README.md');
    assert.ok(existsSync(readme), 'README.md');
    const shown = [
      ...readFileSync(readme, 'utf8').matchAll(/^\| `([\w-]+)` \|.*\| (\w+) \| `([^`]+)` \|$/gm),
    ].map(([, id, verdict, rule]) => ({ id, verdict, rule }));
    const { lines } = await run;
    assert.equal(
      shown,
      lines.map(({ id, verdict, rule }) => ({ id, verdict, rule })),
    );
  });
}

test('a scenario that expects otherwise fails with exit code 2', () =>
  withFolder(async (folder) => {
    const scenario = join(folder, 'scenario.yaml');
    const text = readFileSync(join(root, 'ports/scenario.yaml'), 'utf8');
    writeFileSync(scenario, text.replace('verdict: allow', 'verdict: deny'));
    writeFileSync(join(folder, 'world.yaml'), readFileSync(join(root, 'ports/world.yaml')));
    const { exit, lines } = await simulate(join(root, 'ports'), scenario);
    assert.is(exit, 2);
    assert.equal(
      lines.filter((line) => !line.expected).map(({ differences }) => differences),
      [['verdict: expected deny, got allow']],
    );
  }));

test.run();
