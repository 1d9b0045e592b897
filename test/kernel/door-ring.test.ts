import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isKernelError, openKernel } from '../../runtime/kernel/index.js';
import { compileC } from './support.js';

const kernel = openKernel();
const test = suite('kernel door: ring buffer');
const RING = compileC(`
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } events SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, __u32); } plain SEC(".maps");
__u32 next;
SEC("tc") int emit(struct __sk_buff *skb) {
  __u32 *r = bpf_ringbuf_reserve(&events, 12, 0);
  __u32 zero = 0;
  bpf_map_update_elem(&plain, &zero, &zero, 0);
  if (!r) return 1;
  r[0] = ++next; r[1] = 7; r[2] = skb->len;
  bpf_ringbuf_submit(r, 0);
  return 0;
}`);

test('a drain delivers what waits, in order, and then nothing', () => {
  using object = kernel.load({ name: 'ring', bytes: RING });
  using reader = kernel.ringReader(object.map('events'));
  const records: number[][] = [];
  const keep = (bytes: Uint8Array): void => {
    records.push([...new Uint32Array(bytes.slice().buffer)]);
  };
  assert.is(reader.drain(keep), 0);
  object.program('emit').testRun(new Uint8Array(30), { repeat: 3 });
  assert.is(reader.drain(keep), 3);
  assert.is(reader.drain(keep), 0);
  assert.equal(records, [
    [1, 7, 30],
    [2, 7, 30],
    [3, 7, 30],
  ]);
  assert.ok(reader.epollFd > 2);
});

test('a full ring refuses the program and keeps its records; draining makes room', () => {
  using object = kernel.load({ name: 'ring', bytes: RING });
  using reader = kernel.ringReader(object.map('events'));
  const emit = object.program('emit');
  assert.is(emit.testRun(new Uint8Array(30), { repeat: 1000 }).retval, 1);
  const held = reader.drain(() => {});
  assert.ok(held > 100 && held < 1000);
  assert.is(emit.testRun(new Uint8Array(30)).retval, 0);
});

test('a throwing callback loses only its own record', () => {
  using object = kernel.load({ name: 'ring', bytes: RING });
  using reader = kernel.ringReader(object.map('events'));
  object.program('emit').testRun(new Uint8Array(30), { repeat: 2 });
  assert.throws(
    () =>
      reader.drain(() => {
        throw new Error('mine');
      }),
    'mine',
  );
  assert.is(
    reader.drain(() => {}),
    1,
  );
});

test('a map that is no ring is refused, and a closed reader is quiet', () => {
  using object = kernel.load({ name: 'ring', bytes: RING });
  assert.throws(() => kernel.ringReader(object.map('plain')), isKernelError);
  const reader = kernel.ringReader(object.map('events'));
  reader[Symbol.dispose]();
  reader[Symbol.dispose]();
  assert.is(
    reader.drain(() => {}),
    0,
  );
});

test.run();
