/** The world as it was followed last: written when it is another one, read whole or not at all. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isAgentError } from '../../runtime/agent/agent-error.js';
import {
  hasKeptWorld,
  keepWorld,
  readKeptWorld,
  removeKeptWorld,
} from '../../runtime/agent/kept-world.js';
import type { World } from '../../runtime/discovery/types.js';
import { nodeFolders } from '../support/node-folders.js';

const test = suite('agent: kept world');
const run = mkdtempSync(join(tmpdir(), 'weft-kept-world-'));
const paths = { pins: '/nowhere', cgroups: '/nowhere', ...nodeFolders(run) };
const file = join(paths.lib, 'world');

const address = { family: 4, bytes: new Uint8Array(16).fill(7), text: '7.7.7.7' } as const;
const world: World = {
  file: null,
  services: [],
  workloads: [
    {
      ...{ name: 'web.shop', namespace: 'shop', addresses: [address], labels: { app: 'web' } },
      ...{ serviceAccount: 'web', trustDomain: 'cluster.local', node: 'n1', cgroup: null },
      ...{ locality: { region: null, zone: 'eu-1' }, healthy: true, weight: 1, at: null },
    },
  ],
};
const codeOf = (): string => {
  try {
    readKeptWorld(paths);
    return 'read';
  } catch (error) {
    return isAgentError(error) ? error.code : String(error);
  }
};

test.after(() => rmSync(run, { recursive: true, force: true }));

test('what was written is what is read, and the same is not written twice', () => {
  assert.is(hasKeptWorld(paths), false);
  assert.is(codeOf(), 'A050');
  const digest = keepWorld(paths, world, null);
  assert.equal(readKeptWorld(paths), world);
  const { ino } = statSync(file);
  assert.is(keepWorld(paths, world, digest), digest);
  assert.is(statSync(file).ino, ino);
  const other = { ...world, workloads: [] };
  assert.is.not(keepWorld(paths, other, digest), digest);
  assert.equal(readKeptWorld(paths), other);
  removeKeptWorld(paths);
  assert.is(codeOf(), 'A050');
});

test('what is damaged, or of another version, is none', () => {
  keepWorld(paths, world, null);
  const bytes = readFileSync(file);
  for (const cut of [0, 1, 10, bytes.length - 1]) {
    writeFileSync(file, bytes.subarray(0, cut));
    assert.is(codeOf(), 'A050', String(cut));
  }
  for (const at of [bytes.indexOf('2'), 20, bytes.length - 1]) {
    const other = Buffer.from(bytes);
    other.writeUInt8((other[at] ?? 0) ^ 1, at);
    writeFileSync(file, other);
    assert.is(hasKeptWorld(paths), false, String(at));
  }
});

test.run();
