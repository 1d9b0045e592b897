/**
 * The store in a folder: the contract, and what is on the disk after power cuts at each step, cut and
 * damaged files, a full disk, and another process.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openFolder } from '../../runtime/store/folder-store.js';
import { openStore } from '../../runtime/store/index.js';
import type { Store } from '../../runtime/store/types.js';
import { ModelDisk, PowerCut, SURVIVALS } from '../support/model-disk.js';
import { CONFORMANCE, codeOf, take } from '../support/store-conformance.js';

const test = suite('store: folder');
const FOLDER = '/store';
/** Small enough that a handful of commits makes a snapshot. */
const LOG_BYTES = 200;

/** Each store in a temporary folder that is gone afterwards. */
async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'weft-store-'));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

for (const [name, row] of Object.entries(CONFORMANCE)) {
  test(name, () =>
    inFolder(async (folder) => {
      const store = await openStore(`file:${folder}`);
      await row(store, 'p');
      await store.close();
    }),
  );
}

/** Everything that the store holds, as text. */
async function picture(store: Store): Promise<string> {
  const { entries, revision } = await store.list('');
  const told = entries.map((e) => `${e.key}=${Buffer.from(e.value).toString('hex')}@${e.revision}`);
  return [`${revision}`, ...told].join(' ');
}

/** Commits of different kinds; several wait for the disk together. */
const SCRIPT: readonly ((store: Store) => Promise<unknown>)[] = [
  (store) => store.commit([], [{ key: 'a', value: Uint8Array.of(1, 2, 3) }]),
  (store) =>
    store.commit(
      [],
      [
        { key: 'a', value: null },
        { key: 'b', value: new Uint8Array(60) },
        { key: 'c', value: new Uint8Array(60).fill(7) },
      ],
    ),
  (store) =>
    Promise.all([
      store.commit([], [{ key: 'd', value: Uint8Array.of(4) }]),
      store.commit([{ key: 'd', revision: 0n }], [{ key: 'd', value: Uint8Array.of(5) }]),
      store.commit([], [{ key: 'e', value: Uint8Array.of(6) }]),
    ]),
  (store) => store.commit([], [{ key: 'b', value: new Uint8Array(90).fill(9) }]),
  (store) => store.commit([], [{ key: 'c', value: null }]),
  (store) => store.commit([], [{ key: 'b', value: new Uint8Array(90).fill(8) }]),
  (store) => store.commit([], [{ key: 'f', value: Uint8Array.of(0) }]),
];

/** The pictures that the script leaves after each commit, also within its groups. */
async function pictures(): Promise<string[]> {
  const seen: string[] = [];
  const disk = new ModelDisk();
  const store = await openFolder(FOLDER, { disk, logBytes: LOG_BYTES });
  seen.push(await picture(store));
  for (const step of SCRIPT) {
    const before = (await store.list('')).revision;
    await step(store);
    const { revision } = await store.list('');
    // Commits of a group may be cut off singly: their pictures are read back from a cut log.
    for (let at = before + 1n; at < revision; at += 1n) seen.push('');
    seen.push(await picture(store));
  }
  await store.close();
  assert.ok(
    disk.steps.some((step) => step.startsWith('rename')),
    'a snapshot was made',
  );
  assert.ok(
    disk.steps.some((step) => step.startsWith('remove')),
    'old files were removed',
  );
  return seen;
}

/** The revision that a picture begins with, as a place in the list of pictures. */
function place(shown: string): number {
  return Number(shown.split(' ')[0]) - 1;
}

/** Plays the script until it ends or the power goes. Returns the place of the last picture answered. */
async function play(disk: ModelDisk): Promise<number> {
  let answered = 0;
  try {
    const store = await openFolder(FOLDER, { disk, logBytes: LOG_BYTES });
    for (const step of SCRIPT) {
      await step(store);
      answered = place(await picture(store));
    }
    await store.close();
  } catch (error) {
    if (disk.steps.length === 0) throw error;
  }
  return answered;
}

test('power cut at each step: what was answered is there, in whole commits', async () => {
  const known = await pictures();
  const whole = new ModelDisk();
  await play(whole);
  let cuts = 0;
  for (let stopAt = 0; stopAt < whole.steps.length; stopAt += 1) {
    for (const survival of SURVIVALS) {
      const disk = new ModelDisk(stopAt);
      const answered = await play(disk);
      const after = disk.afterPowerCut(survival);
      const told = `step ${stopAt} (${disk.steps.at(-1)}), ${survival.names} names, ${survival.bytes} bytes`;
      const store = await openFolder(FOLDER, { disk: after, logBytes: LOG_BYTES }).catch(
        (error) => {
          throw new Error(`${told}: ${error}`);
        },
      );
      const shown = await picture(store);
      const at = place(shown);
      assert.ok(at >= answered, `${told}: ${answered} answered, ${at} there`);
      assert.ok(known[at] === '' || known[at] === shown, `${told}: ${shown}`);
      // It goes on: what is written now is there after another start.
      await store.commit([], [{ key: 'later', value: Uint8Array.of(1) }]);
      await store.close();
      const again = await openFolder(FOLDER, {
        disk: after.afterPowerCut(SURVIVALS[7] ?? survival),
      });
      assert.ok((await again.get('later')) !== null, `${told}: goes on`);
      await again.close();
      cuts += 1;
    }
  }
  assert.ok(cuts > 200, String(cuts));
});

test('power cut while it recovers from a power cut', async () => {
  const whole = new ModelDisk();
  await play(whole);
  for (let stopAt = 0; stopAt < whole.steps.length; stopAt += 1) {
    for (const survival of SURVIVALS) {
      const first = new ModelDisk(stopAt);
      const answered = await play(first);
      const second = first.afterPowerCut(survival);
      second.cutAt(stopAt % 3);
      await openFolder(FOLDER, { disk: second }).catch(() => null);
      const store = await openFolder(FOLDER, { disk: second.afterPowerCut(survival) });
      assert.ok(place(await picture(store)) >= answered, `step ${stopAt}`);
      await store.close();
    }
  }
});

/** A folder with one log of five commits, and the log's path. */
async function fiveCommits(): Promise<{ disk: ModelDisk; path: string; ends: number[] }> {
  const disk = new ModelDisk();
  const store = await openFolder(FOLDER, { disk });
  const path = disk.paths()[0] ?? '';
  const ends: number[] = [];
  for (let i = 0; i < 5; i += 1) {
    await store.commit([], [{ key: `k${i}`, value: Uint8Array.of(i, i + 1) }]);
    ends.push(disk.file(path)?.length ?? 0);
  }
  await store.close();
  return { disk, path, ends };
}

test('a log that is cut off anywhere loses the commit that is cut, and says nothing', async () => {
  const { disk, path, ends } = await fiveCommits();
  const whole = disk.file(path) ?? new Uint8Array();
  for (let size = 0; size <= whole.length; size += 1) {
    disk.setFile(path, whole.slice(0, size));
    const store = await openFolder(FOLDER, { disk });
    const { entries } = await store.list('');
    assert.is(entries.length, ends.filter((end) => end <= size).length, `cut at ${size}`);
    await store.close();
  }
});

test('a byte that is wrong anywhere is refused with its place, and nothing is changed', async () => {
  const { disk, path, ends } = await fiveCommits();
  const whole = disk.file(path) ?? new Uint8Array();
  for (let at = 0; at < whole.length; at += 1) {
    const bytes = whole.slice();
    bytes[at] = (bytes[at] ?? 0) ^ 0x20;
    disk.setFile(path, bytes);
    const start = [0, ...ends].filter((end) => end <= at).at(-1);
    const message = await openFolder(FOLDER, { disk }).then(
      () => 'opened',
      (error: Error) => error.message,
    );
    assert.match(message, `\`${path}\` is damaged at byte ${start}: `);
    assert.equal(disk.file(path), bytes);
  }
  assert.is(await codeOf(() => openFolder(FOLDER, { disk })), 'D104');
});

test('files that are missing or cut are refused where commits are lost with them', async () => {
  const disk = new ModelDisk();
  const store = await openFolder(FOLDER, { disk, logBytes: LOG_BYTES });
  for (const step of SCRIPT) await step(store);
  await store.close();
  const snapshot = disk.paths().find((path) => path.includes('snapshot')) ?? '';
  const bytes = disk.file(snapshot) ?? new Uint8Array();
  const cut = disk.afterPowerCut({ names: 'all', bytes: 'all' });
  for (const size of [0, 10, bytes.length - 30, bytes.length - 1]) {
    cut.setFile(snapshot, bytes.slice(0, size));
    assert.is(await codeOf(() => openFolder(FOLDER, { disk: cut })), 'D104', `cut to ${size}`);
  }
  await disk.remove(snapshot);
  assert.is(await codeOf(() => openFolder(FOLDER, { disk })), 'D104', 'no snapshot');
});

test('a disk that is full: the commit is refused, the store goes on when there is room', async () => {
  let full = false;
  const disk = new ModelDisk(Number.POSITIVE_INFINITY, (step) =>
    full && step.startsWith('append') ? new Error('ENOSPC') : null,
  );
  const store = await openFolder(FOLDER, { disk });
  await store.commit([], [{ key: 'a', value: Uint8Array.of(1) }]);
  const before = await picture(store);
  full = true;
  assert.is(await codeOf(() => store.commit([], [{ key: 'b', value: Uint8Array.of(1) }])), 'D106');
  assert.is(await picture(store), before);
  full = false;
  const revision = await store.commit([], [{ key: 'b', value: Uint8Array.of(2) }]);
  assert.is((await take(store, 'b', 0n + (revision ?? 0n) - 1n, 1)).length, 1);
  await store.close();
  const again = await openFolder(FOLDER, { disk });
  assert.is((await again.list('')).entries.length, 2);
  await again.close();
});

test('a disk that is full when a snapshot is due: the log goes on', async () => {
  const disk = new ModelDisk(Number.POSITIVE_INFINITY, (step) =>
    /(create|append) .*snapshot/.test(step) ? new Error('ENOSPC') : null,
  );
  const store = await openFolder(FOLDER, { disk, logBytes: LOG_BYTES });
  for (const step of SCRIPT) await step(store);
  const shown = await picture(store);
  await store.close();
  const again = await openFolder(FOLDER, {
    disk: disk.afterPowerCut({ names: 'none', bytes: 'none' }),
  });
  assert.is(await picture(again), shown);
  await again.close();
});

for (const [what, pattern] of [
  ['a sync that fails', /^sync \/store\/log/],
  ['an append that can not be taken back', /^(append|truncate)/],
] as const) {
  test(`${what}: nothing more is written until the store is opened again`, async () => {
    let failing = false;
    const disk = new ModelDisk(Number.POSITIVE_INFINITY, (step) =>
      failing && pattern.test(step) ? new Error('EIO') : null,
    );
    const store = await openFolder(FOLDER, { disk });
    await store.commit([], [{ key: 'a', value: Uint8Array.of(1) }]);
    failing = true;
    const commit = (): Promise<unknown> =>
      store.commit([], [{ key: 'b', value: Uint8Array.of(1) }]);
    assert.is(await codeOf(commit), 'D106');
    failing = false;
    assert.is(await codeOf(commit), 'D106');
    assert.is((await store.get('a'))?.value[0], 1, 'it is still read');
    await store.close();
  });
}

test('leased keys of a process that ended are gone', async () => {
  const disk = new ModelDisk();
  const store = await openFolder(FOLDER, { disk, logBytes: LOG_BYTES });
  const lease = await store.lease(1000);
  await store.commit([], [{ key: 'leader', value: Uint8Array.of(1), lease }]);
  await store.commit([], [{ key: 'leader2', value: Uint8Array.of(1), lease }]);
  await store.commit([], [{ key: 'leader2', value: Uint8Array.of(2) }]);
  for (const step of SCRIPT) await step(store);
  for (const end of [disk, disk.afterPowerCut({ names: 'none', bytes: 'none' })]) {
    const again = await openFolder(FOLDER, { disk: end });
    assert.is(await again.get('leader'), null);
    assert.is((await again.get('leader2'))?.value[0], 2);
    await again.close();
  }
});

test('another process: refused while it lives, and seen where the lock did not hold', () =>
  inFolder(async (folder) => {
    const store = await openFolder(folder);
    const other = openFolder(folder);
    assert.is(await codeOf(() => other), 'D103');
    const log = readdirSync(folder).find((name) => name.startsWith('log-')) ?? '';
    writeFileSync(join(folder, log), 'x', { flag: 'a' });
    const commit = (): Promise<unknown> =>
      store.commit([], [{ key: 'a', value: Uint8Array.of(1) }]);
    assert.is(await codeOf(commit), 'D103');
    assert.is(readFileSync(join(folder, log), 'utf8'), 'x');
    await store.close();
  }));

test('a place that is none, and a folder that cannot be made', async () => {
  assert.is(await codeOf(() => openStore('sqlite:x')), 'D101');
  assert.is(await codeOf(() => openStore('file:')), 'D101');
  assert.is(await codeOf(() => openStore('file:/dev/null/x')), 'D106');
});

test('only its own user reads the folder', () =>
  inFolder(async (folder) => {
    const store = await openFolder(join(folder, 'deep', 'er'));
    await store.close();
    const { statSync } = await import('node:fs');
    assert.is(statSync(join(folder, 'deep', 'er')).mode & 0o077, 0);
  }));

test('the model disk does lose what was not synced', async () => {
  const disk = new ModelDisk(2);
  const file = await disk.create('/f');
  await file.append(Uint8Array.of(1, 2, 3, 4));
  try {
    await file.sync();
    assert.unreachable('the power went');
  } catch (error) {
    assert.ok(error instanceof PowerCut);
  }
  assert.is(disk.afterPowerCut({ names: 'none', bytes: 'all' }).file('/f'), undefined);
  assert.is(disk.afterPowerCut({ names: 'all', bytes: 'none' }).file('/f')?.length, 0);
  assert.is(disk.afterPowerCut({ names: 'all', bytes: 'half' }).file('/f')?.length, 2);
});

test.run();
