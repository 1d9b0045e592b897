/** The store in a folder of this machine's disk: kill -9 at each step of a write, and a disk that is full. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openFolder } from '../../runtime/store/folder-store.js';
import { codeOf } from '../support/store-conformance.js';

const test = suite('store: kill -9');
const WRITER = fileURLToPath(new URL('../support/store-writer.js', import.meta.url));
let folder = '';
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'weft-store-'));
});
test.after.each(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the writer until it is killed at a step. Returns the revisions that it was answered. */
function write(into: string, stopAt: number): { answered: bigint[]; ended: boolean } {
  const done = spawnSync(process.execPath, [WRITER, into, String(stopAt)], { encoding: 'utf8' });
  const lines = done.stdout.trim().split('\n').filter(Boolean);
  const ended = lines.at(-1) === 'end';
  assert.ok(ended || done.signal === 'SIGKILL', done.stderr);
  return { answered: lines.filter((line) => line !== 'end').map(BigInt), ended };
}

test('killed at each step: every commit that was answered is there, and none in part', async () => {
  let steps = 0;
  for (; ; steps += 1) {
    const into = join(folder, String(steps));
    mkdirSync(into);
    const { answered, ended } = write(into, steps);
    const store = await openFolder(into);
    const { entries, revision } = await store.list('');
    assert.ok(revision >= (answered.at(-1) ?? 1n), `step ${steps}: ${answered} and ${revision}`);
    const last = entries.find(({ key }) => key === 'last');
    if (revision > 1n) {
      const turn = Number(revision) - 2;
      assert.is(last?.value[0], turn, `step ${steps}`);
      const beside = entries.find(({ key }) => key === `k${turn % 3}`);
      assert.equal(
        new Uint8Array(beside?.value ?? []),
        new Uint8Array(60).fill(turn),
        `step ${steps}`,
      );
    } else {
      assert.is(last, undefined);
    }
    await store.close();
    if (ended) break;
  }
  assert.ok(steps > 20, String(steps));
});

test('a disk that is full in earnest: refused, nothing lost, and on it goes', async () => {
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'weft-store-test', folder]);
  assert.is(mounted.status, 0, String(mounted.stderr));
  try {
    const store = await openFolder(join(folder, 'store'));
    await store.commit([], [{ key: 'a', value: new Uint8Array(50_000) }]);
    const filler = join(folder, 'filler');
    assert.throws(() => writeFileSync(filler, new Uint8Array(1 << 20)), 'ENOSPC');
    const commit = (): Promise<unknown> =>
      store.commit([], [{ key: 'b', value: new Uint8Array(50_000) }]);
    assert.is(await codeOf(commit), 'D106');
    assert.is(await store.get('b'), null);
    rmSync(filler);
    await commit();
    await store.close();
    const again = await openFolder(join(folder, 'store'));
    assert.equal(
      (await again.list('')).entries.map(({ key, value }) => [key, value.length]),
      [
        ['a', 50_000],
        ['b', 50_000],
      ],
    );
    await again.close();
  } finally {
    spawnSync('umount', [folder]);
  }
});

test.run();
