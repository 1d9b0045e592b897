import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isVerifierError, openKernel } from '../../runtime/kernel/index.js';
import { compileC } from './support.js';

const kernel = openKernel();
const test = suite('kernel door: objects');
const u32 = (value: number): Uint8Array => new Uint8Array(new Uint32Array([value]).buffer);

const GOOD = compileC(`
const volatile __u32 limit = 5;
__u32 offset = 1;
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, __u32); } seen SEC(".maps");
SEC("tc") int classify(struct __sk_buff *skb) {
  __u32 zero = 0, *v = bpf_map_lookup_elem(&seen, &zero);
  if (v) *v += 1;
  return limit + offset;
}
SEC("tc") int other(struct __sk_buff *skb) {
  char byte = 0x7f;
  bpf_skb_store_bytes(skb, 0, &byte, 1, 0);
  return 9;
}
`);

test('an object loads, runs and counts', () => {
  using object = kernel.load({ name: 'good', bytes: GOOD });
  assert.is(object.program('classify').testRun(new Uint8Array(64), { repeat: 3 }).retval, 6);
  assert.equal(object.map('seen').lookup(u32(0)), u32(3));
  assert.equal([...object.programNames].sort(), ['classify', 'other']);
  const info = object.program('classify').info();
  assert.ok(info.instructions > 3 && info.verifiedInstructions > 3 && info.jitedBytes > 0);
  assert.match(info.tag, /^[0-9a-f]{16}$/);
});

test('a test-run gives the packet back', () => {
  using object = kernel.load({ name: 'good', bytes: GOOD, only: ['other'] });
  const run = object.program('other').testRun(new Uint8Array(20), { outSize: 64 });
  assert.is(run.retval, 9);
  assert.is(run.dataOut.length, 20);
  assert.is(run.dataOut[0], 0x7f);
  assert.equal(object.programNames, ['other']);
});

test('globals and sizes are set before the load', () => {
  using object = kernel.load({
    name: 'good.dotted',
    bytes: GOOD,
    globals: { limit: u32(40), offset: u32(2) },
    resize: { seen: 8 },
  });
  assert.is(object.program('classify').testRun(new Uint8Array(64)).retval, 42);
  assert.is(object.map('seen').info().maxEntries, 8);
  assert.ok(object.mapNames.includes('.rodata'));
});

test('a map of another object is reused', () => {
  using first = kernel.load({ name: 'first', bytes: GOOD });
  using second = kernel.load({ name: 'second', bytes: GOOD, reuse: { seen: first.map('seen') } });
  second.program('classify').testRun(new Uint8Array(64));
  assert.equal(first.map('seen').lookup(u32(0)), u32(1));
});

test('a refused program gives its summary and its source line', () => {
  const bad = compileC(
    `SEC("tc") int classify(struct __sk_buff *skb) {
  __u32 *p = (void *)(long)skb->data;
  return *p;
}`,
    'bad',
  );
  let caught: unknown;
  try {
    kernel.load({ name: 'bad', bytes: bad });
  } catch (error) {
    caught = error;
  }
  assert.ok(isVerifierError(caught));
  assert.is(caught.program, 'classify');
  assert.is(caught.position?.line, 7);
  assert.is(caught.position?.text, 'return *p;');
  assert.match(caught.summary, /invalid access to packet/);
});

test('a SYSCALL program takes its argument as context and writes it back', () => {
  const bytes = compileC(
    'SEC("syscall") int sum(__u32 *words) { words[2] = words[0] + words[1]; return words[2] + 1; }',
  );
  using object = kernel.load({ name: 'sum', bytes });
  const argument = new Uint8Array(new Uint32Array([30, 12, 0]).buffer);
  const run = object.program('sum').testRun(argument, { repeat: 2 });
  assert.is(run.retval, 43);
  assert.equal([...new Uint32Array(run.contextOut.slice().buffer)], [30, 12, 42]);
  assert.equal([...argument.slice(8)], [0, 0, 0, 0]);
  const large = new Uint8Array(1000);
  large[0] = 1;
  assert.is(object.program('sum').testRun(large).contextOut[8], 1);
});

test('an extern that nobody defines is named', () => {
  const bytes = compileC(`
extern int nowhere(int value);
SEC("tc") int classify(struct __sk_buff *skb) { return nowhere(skb->len); }`);
  assert.throws(
    () => kernel.load({ name: 'extern', bytes }),
    (error: { code?: string; message: string }) =>
      error.code?.startsWith('KERNEL_') === true && error.message.includes('nowhere'),
  );
});

test('a program array takes programs, and a tail call follows it', () => {
  const bytes = compileC(`
struct { __uint(type, BPF_MAP_TYPE_PROG_ARRAY); __uint(max_entries, 2); __type(key, __u32); __type(value, __u32); } jumps SEC(".maps");
SEC("tc") int first(struct __sk_buff *skb) { bpf_tail_call(skb, &jumps, 1); return 1; }
SEC("tc") int second(struct __sk_buff *skb) { return 2; }`);
  using object = kernel.load({ name: 'jumps', bytes });
  const first = object.program('first');
  assert.is(first.testRun(new Uint8Array(64)).retval, 1);
  object.map('jumps').update(u32(1), u32(object.program('second').fd));
  assert.is(first.testRun(new Uint8Array(64)).retval, 2);
  assert.is(object.map('jumps').delete(u32(1)), true);
  assert.is(first.testRun(new Uint8Array(64)).retval, 1);
});

test('a packet too short for the kernel is refused by code', () => {
  using object = kernel.load({ name: 'good', bytes: GOOD, only: ['classify'] });
  assert.throws(
    () => object.program('classify').testRun(new Uint8Array(4)),
    (error: { code?: string }) => error.code === 'KERNEL_EINVAL',
  );
  assert.throws(
    () => object.program('other'),
    (error: { code?: string; remedy?: string }) =>
      error.code === 'KERNEL_NO_PROGRAM' && error.remedy === 'known: classify',
  );
});

test.run();
