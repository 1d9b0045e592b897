/** What a verifier would walk on each way of many is walked once: policies of many flags stay far from its limit. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { measureVerified } from '../../runtime/agent/index.js';
import { openKernel } from '../../runtime/kernel/index.js';
import { parseCaseFile } from '../support/case-file.js';
import { mustCompile } from '../support/compile-texts.js';

const test = suite('ways of a verifier');

/** Without forgetting, 917,000 of a million. */
const MOST = 100_000;

test('a mask of sixteen labels', async () => {
  const { policies } = parseCaseFile('flags', readFileSync('test/case/flags.case', 'utf8'));
  const { connections } = measureVerified(openKernel(), await mustCompile(policies));
  assert.ok(connections < MOST, `${connections} instructions`);
});

test('a choice that later choices depend on', async () => {
  const steps = Array.from(
    { length: 14 },
    (_, i) =>
      `if (from.label("l${i}").is("y")) state = state == ${i % 5} ? ${(i + 2) % 5} : state + 1;`,
  );
  const text = `import { Connection, Verdict } from "weft";
const found: StaticArray<u32> = [1, 0, 0, 1, 0, 1, 1, 0, 0, 0, 1, 0, 1, 1, 0, 1];
export function authorizeConnection(connection: Connection): Verdict {
  const from = connection.source;
  let state: u32 = 0;
  ${steps.join('\n  ')}
  return found[state & 15] == 1 ? Verdict.Allow : Verdict.Deny;
}
`;
  const bundle = await mustCompile(new Map([['state.ts', text]]));
  const { connections } = measureVerified(openKernel(), bundle);
  assert.ok(connections < MOST, `${connections} instructions`);
});

test.run();
