/** What every form of the store keeps: rows that memory, a folder and etcd run alike. */
import * as assert from 'uvu/assert';
import { isStoreError } from '../../runtime/store/index.js';
import type { Change, Store } from '../../runtime/store/types.js';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** The error's code, or what came instead of an error. */
export async function codeOf(work: () => Promise<unknown>): Promise<string> {
  try {
    return `resolved ${String(await work())}`;
  } catch (error) {
    return isStoreError(error) ? error.code : String(error);
  }
}

/** Changes as text, commit by commit: `+key=value` or `-key`. */
function told(commits: readonly (readonly Change[])[]): string[] {
  return commits.map((changes) =>
    changes
      .map(({ key, value }) =>
        value === null ? `-${key}` : `+${key}=${new TextDecoder().decode(value)}`,
      )
      .join(' '),
  );
}

/** The first `count` commits that a watch tells. */
export async function take(
  store: Store,
  prefix: string,
  from: bigint,
  count: number,
): Promise<Change[][]> {
  const stop = new AbortController();
  const commits: Change[][] = [];
  for await (const changes of store.watch(prefix, from, stop.signal)) {
    commits.push([...changes]);
    if (commits.length === count) break;
  }
  stop.abort();
  return commits;
}

async function written(store: Store, key: string, value: string): Promise<bigint> {
  const revision = await store.commit([], [{ key, value: text(value) }]);
  assert.ok(revision !== null, `commit of ${key}`);
  return revision ?? 0n;
}

/** Rows by name; `p` is a prefix that nobody else writes below. */
export const CONFORMANCE: Readonly<Record<string, (store: Store, p: string) => Promise<void>>> = {
  async 'an absent key is null, and its list empty'(store, p) {
    assert.is(await store.get(`${p}/a`), null);
    assert.equal((await store.list(`${p}/`)).entries, []);
  },

  async 'what was committed is read back, its bytes unchanged'(store, p) {
    const value = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) & 0xff);
    const revision = await store.commit([], [{ key: `${p}/a`, value }]);
    const entry = await store.get(`${p}/a`);
    assert.equal(new Uint8Array(entry?.value ?? []), value);
    assert.is(entry?.revision, revision);
    await store.commit([], [{ key: `${p}/empty`, value: new Uint8Array() }]);
    assert.is((await store.get(`${p}/empty`))?.value.length, 0);
  },

  async 'a list is sorted, of the prefix alone, and of one moment'(store, p) {
    for (const key of ['c/b', 'c/a', 'c/B', 'c', 'cc', 'd/a'])
      await written(store, `${p}/${key}`, key);
    const { entries, revision } = await store.list(`${p}/c/`);
    assert.equal(
      entries.map(({ key }) => key),
      [`${p}/c/B`, `${p}/c/a`, `${p}/c/b`],
    );
    assert.ok(entries.every((entry) => entry.revision <= revision));
  },

  async 'of commits that come at once and exclude each other one is made'(store, p) {
    const only = [{ key: `${p}/one`, revision: 0n }];
    const put = (value: string): Promise<bigint | null> =>
      store.commit(only, [{ key: `${p}/one`, value: text(value) }]);
    // The first keeps the store busy: those behind it wait for the disk together.
    const busy = store.commit([], [{ key: `${p}/busy`, value: text('x') }]);
    const [, ...made] = await Promise.all([busy, ...['a', 'b', 'c'].map(put)]);
    assert.is(made.filter((revision) => revision !== null).length, 1);
    const apart = await Promise.all(['d', 'e'].map((key) => written(store, `${p}/${key}`, key)));
    assert.is(new Set(apart).size, 2);
  },

  async 'changes of one commit bear one revision, later ones a higher'(store, p) {
    const first = await store.commit(
      [],
      [
        { key: `${p}/a`, value: text('1') },
        { key: `${p}/b`, value: text('1') },
      ],
    );
    const second = await written(store, `${p}/b`, '2');
    assert.is((await store.get(`${p}/a`))?.revision, first);
    assert.is((await store.get(`${p}/b`))?.revision, second);
    assert.ok(second > (first ?? 0n));
  },

  async 'conditions: as read, changed since, absent, present'(store, p) {
    const key = `${p}/a`;
    const first = await store.commit([{ key, revision: 0n }], [{ key, value: text('1') }]);
    assert.ok(first !== null, 'absent');
    const again = await store.commit([{ key, revision: 0n }], [{ key, value: text('x') }]);
    assert.is(again, null, 'not absent any more');
    const second = await store.commit(
      [{ key, revision: first ?? 0n }],
      [{ key, value: text('2') }],
    );
    assert.ok(second !== null, 'as read');
    const stale = await store.commit([{ key, revision: first ?? 0n }], [{ key, value: text('x') }]);
    assert.is(stale, null, 'changed since');
    assert.equal(new TextDecoder().decode((await store.get(key))?.value), '2');
  },

  async 'one condition that fails leaves every key as it was'(store, p) {
    const revision = await written(store, `${p}/a`, '1');
    const committed = await store.commit(
      [
        { key: `${p}/a`, revision },
        { key: `${p}/b`, revision: 5n },
      ],
      [
        { key: `${p}/a`, value: null },
        { key: `${p}/c`, value: text('1') },
      ],
    );
    assert.is(committed, null);
    const { entries } = await store.list(`${p}/`);
    assert.equal(
      entries.map(({ key }) => key),
      [`${p}/a`],
    );
  },

  async 'of many who write on the same condition one succeeds'(store, p) {
    const key = `${p}/leader`;
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        store.commit([{ key, revision: 0n }], [{ key, value: text(String(i)) }]),
      ),
    );
    const won = results.flatMap((revision, i) => (revision === null ? [] : [String(i)]));
    assert.is(won.length, 1);
    assert.is(new TextDecoder().decode((await store.get(key))?.value), won[0]);
  },

  async 'a deleted key is absent; what was absent is deleted without a trace'(store, p) {
    const key = `${p}/a`;
    const { revision } = await store.list(p);
    await written(store, key, '1');
    await store.commit([], [{ key, value: null }]);
    await store.commit([], [{ key, value: null }]);
    await written(store, `${p}/end`, '1');
    assert.is(await store.get(key), null);
    assert.equal(told(await take(store, `${p}/`, revision, 3)), [
      `+${key}=1`,
      `-${key}`,
      `+${p}/end=1`,
    ]);
  },

  async 'a watch tells what was and what comes, by commits, each once'(store, p) {
    const { revision } = await store.list(`${p}/`);
    await written(store, `${p}/w/a`, '1');
    await store.commit(
      [],
      [
        { key: `${p}/w/a`, value: text('2') },
        { key: `${p}/other`, value: text('2') },
        { key: `${p}/w/b`, value: text('2') },
      ],
    );
    const watched = take(store, `${p}/w/`, revision, 5);
    await written(store, `${p}/w/a`, '3');
    await written(store, `${p}/other`, '3');
    await store.commit([], [{ key: `${p}/w/a`, value: null }]);
    await written(store, `${p}/w/b`, '4');
    const commits = await watched;
    assert.equal(told(commits), [
      `+${p}/w/a=1`,
      `+${p}/w/a=2 +${p}/w/b=2`,
      `+${p}/w/a=3`,
      `-${p}/w/a`,
      `+${p}/w/b=4`,
    ]);
    const from = commits[1]?.[0]?.revision ?? 0n;
    assert.equal(told(await take(store, `${p}/w/`, from, 1)), [`+${p}/w/a=3`]);
  },

  async 'a watch ends when its signal aborts, also before anything came'(store, p) {
    const stop = new AbortController();
    const { revision } = await store.list(`${p}/`);
    const seen: string[] = [];
    const done = (async () => {
      for await (const changes of store.watch(`${p}/`, revision, stop.signal)) {
        seen.push(...told([changes]));
        stop.abort();
      }
    })();
    await written(store, `${p}/a`, '1');
    await done;
    assert.equal(seen, [`+${p}/a=1`]);
    const aborted = AbortSignal.abort();
    for await (const _ of store.watch(`${p}/`, revision, aborted)) assert.unreachable('no change');
  },

  async 'keys of a lease go when it is released; who wrote them anew keeps them'(store, p) {
    const lease = await store.lease(10_000);
    const { revision } = await store.list(`${p}/`);
    await store.commit(
      [],
      [
        { key: `${p}/mine`, value: text('1'), lease },
        { key: `${p}/theirs`, value: text('1'), lease },
        { key: `${p}/plain`, value: text('1') },
      ],
    );
    await written(store, `${p}/theirs`, '2');
    assert.not(lease.lost.aborted);
    await lease.release();
    await lease.release();
    assert.ok(lease.lost.aborted);
    assert.is((await take(store, `${p}/mine`, revision, 2))[1]?.[0]?.value, null);
    assert.equal(
      (await store.list(`${p}/`)).entries.map(({ key }) => key),
      [`${p}/plain`, `${p}/theirs`],
    );
  },

  async 'a commit with a lease that has ended is refused'(store, p) {
    const lease = await store.lease(10_000);
    await lease.release();
    const code = await codeOf(() => store.commit([], [{ key: `${p}/a`, value: text('1'), lease }]));
    assert.is(code, 'D109');
    assert.is(await store.get(`${p}/a`), null);
  },

  async 'what is too large is refused, what is not is kept'(store, p) {
    const whole = new Uint8Array(1 << 20).fill(7);
    const over = new Uint8Array((1 << 20) + 1);
    assert.is(await codeOf(() => store.commit([], [{ key: `${p}/a`, value: over }])), 'D111');
    const many = Array.from({ length: 129 }, (_, i) => ({ key: `${p}/${i}`, value: text('') }));
    assert.is(await codeOf(() => store.commit([], many)), 'D111');
    assert.equal((await store.list(`${p}/`)).entries, []);
    await store.commit([], [{ key: `${p}/a`, value: whole }]);
    await store.commit([], many.slice(1));
    assert.is((await store.get(`${p}/a`))?.value.length, whole.length);
  },

  async 'keys that etcd or a person would not read alike are our own fault'(store, p) {
    for (const key of ['', `${p}/ `, `${p}/é`, `${p}/${'k'.repeat(512)}`]) {
      assert.match(await codeOf(() => store.commit([], [{ key, value: text('') }])), /BugError/);
    }
  },
};
