import { existsSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ATTACH_TYPE,
  BPFFS_PATH,
  cgroupId,
  listPins,
  mountBpffs,
  openKernel,
  pinDirectory,
  removePin,
  removePinTree,
} from '../../runtime/kernel/index.js';
import { compileC, connectFrom, withCgroup } from './support.js';

const kernel = openKernel();
const test = suite('kernel door: attachments');

// Port 1 has no listener: a connect that the hook lets through ends in ECONNREFUSED.
const DENY = compileC(`
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, __u64); } seen SEC(".maps");
SEC("cgroup/connect4") int deny(struct bpf_sock_addr *ctx) {
  __u32 zero = 0;
  __u64 id = bpf_get_current_cgroup_id();
  bpf_map_update_elem(&seen, &zero, &id, 0);
  return 0;
}
SEC("cgroup/connect4") int allow(struct bpf_sock_addr *ctx) { return 1; }
`);
const CONNECT4 = ATTACH_TYPE.cgroupInet4Connect;
const zero = new Uint8Array(4);

test('a denied connect is EPERM, its twin in another cgroup is not', () => {
  using object = kernel.load({ name: 'deny', bytes: DENY });
  withCgroup('denied', (denied) => {
    withCgroup('twin', (twin) => {
      using link = kernel.attachCgroup(object.program('deny'), denied, CONNECT4);
      assert.ok(link.fd > 2);
      assert.is(connectFrom(denied, 1), 'EPERM');
      assert.is(connectFrom(twin, 1), 'ECONNREFUSED');
      const seen = object.map('seen').lookup(zero) ?? new Uint8Array(8);
      assert.is(new DataView(seen.buffer).getBigUint64(0, true), cgroupId(denied));
    });
  });
});

test('closing an unpinned link detaches, updating it switches', () => {
  using object = kernel.load({ name: 'deny', bytes: DENY });
  withCgroup('switch', (path) => {
    const link = kernel.attachCgroup(object.program('deny'), path, CONNECT4);
    assert.is(connectFrom(path, 1), 'EPERM');
    link.update(object.program('allow'));
    assert.is(connectFrom(path, 1), 'ECONNREFUSED');
    link.update(object.program('deny'));
    link[Symbol.dispose]();
    link[Symbol.dispose]();
    assert.is(connectFrom(path, 1), 'ECONNREFUSED');
  });
});

test('a pinned link survives its closing, and ends with its pin', () => {
  mountBpffs();
  const directory = pinDirectory(`${BPFFS_PATH}/weft-test-link`);
  try {
    withCgroup('pinned', (path) => {
      {
        using object = kernel.load({ name: 'deny', bytes: DENY });
        using link = kernel.attachCgroup(object.program('deny'), path, CONNECT4);
        link.pin(`${directory}/link`);
        object.program('deny').pin(`${directory}/program`);
        object.map('seen').pin(`${directory}/map`);
      }
      assert.is(connectFrom(path, 1), 'EPERM');
      {
        using link = kernel.openLink(`${directory}/link`);
        using program = kernel.openProgram(`${directory}/program`);
        using map = kernel.openMap(`${directory}/map`);
        assert.ok(link.fd > 2);
        assert.is(program.info().name, 'deny');
        assert.is.not(map.lookup(zero)?.[0], undefined);
        assert.throws(
          () => kernel.openMap(`${directory}/link`),
          (error: { code?: string }) => error.code === 'KERNEL_WRONG_KIND',
        );
      }
      removePinTree(directory);
      assert.is(connectFrom(path, 1), 'ECONNREFUSED');
    });
  } finally {
    removePinTree(directory);
  }
  assert.not.ok(existsSync(directory));
});

test('pins are made and removed on bpffs only', () => {
  for (const path of ['/tmp/weft-test-pins', `${BPFFS_PATH}/../weft`, 'relative'])
    for (const step of [pinDirectory, removePinTree])
      assert.throws(
        () => step(path),
        (error: { code?: string }) => error.code === 'KERNEL_NOT_BPFFS',
      );
});

test('a whole bpffs mount is never removed', () => {
  mountBpffs();
  assert.throws(
    () => removePinTree(BPFFS_PATH),
    (error: { code?: string }) => error.code === 'KERNEL_NOT_BPFFS',
  );
  assert.ok(existsSync(BPFFS_PATH));
});

test('directories of pins are made, listed and removed with what is in them', () => {
  mountBpffs();
  const directory = `${BPFFS_PATH}/weft-test-tree`;
  try {
    assert.equal(listPins(directory), []);
    pinDirectory(`${directory}/inner`);
    using object = kernel.load({ name: 'deny', bytes: DENY });
    object.map('seen').pin(`${directory}/seen`);
    object.map('seen').pin(`${directory}/inner/again`);
    assert.throws(
      () => object.map('seen').pin(`${directory}/seen`),
      (error: { code?: string; remedy?: string }) =>
        error.code === 'KERNEL_EEXIST' && error.remedy?.includes('remove the older pin') === true,
    );
    assert.equal(listPins(directory), ['inner', 'seen']);
    removePin(`${directory}/seen`);
    removePin(`${directory}/seen`);
    assert.equal(listPins(directory), ['inner']);
  } finally {
    removePinTree(directory);
  }
  removePinTree(directory);
  assert.not.ok(existsSync(directory));
});

test('attaching to what is no cgroup is refused', () => {
  using object = kernel.load({ name: 'deny', bytes: DENY });
  for (const [path, code] of [
    ['/nowhere', 'KERNEL_ENOENT'],
    ['/tmp', 'KERNEL_EBADF'],
  ] as const)
    assert.throws(
      () => kernel.attachCgroup(object.program('deny'), path, CONNECT4),
      (error: { code?: string }) => error.code === code,
    );
});

test.run();
