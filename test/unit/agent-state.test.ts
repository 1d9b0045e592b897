/** The state document is read once, until it is another one, whoever wrote it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isAgentError } from '../../runtime/agent/agent-error.js';
import { readState, removeState, writeState } from '../../runtime/agent/state.js';
import { nodeFolders } from '../support/node-folders.js';

const test = suite('agent: the state document');
const run = mkdtempSync(join(tmpdir(), 'weft-state-'));
const paths = { pins: '/nowhere', cgroups: '/nowhere', ...nodeFolders(run) };
const record = (n: number) => ({ cgroupId: String(n), cgroup: `/c${n}`, workload: null });
const enrolled = (): string[] => readState(paths).enrolled.map(({ cgroupId }) => cgroupId);

test.after(() => rmSync(run, { recursive: true, force: true }));

test('as it is now, and the same one as long as it is', () => {
  const empty = readState(paths);
  assert.equal(empty.enrolled, []);
  for (const n of [1, 2]) {
    writeState(paths, { ...empty, enrolled: [record(n)] });
    assert.equal(enrolled(), [String(n)]);
    assert.is(readState(paths), readState(paths));
  }
  const file = join(paths.run, 'state.json');
  writeFileSync(file, JSON.stringify({ ...empty, enrolled: [record(1), record(2)] }));
  assert.equal(enrolled(), ['1', '2'], 'another process wrote it in place');
  writeFileSync(file, '{');
  assert.throws(
    () => readState(paths),
    (error: unknown) => isAgentError(error) && error.code === 'A005',
  );
  removeState(paths);
  assert.equal(enrolled(), []);
});

test.run();
