/** Refusals of the kernel door that no other test is about. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mountBpffs, openKernel } from '../../runtime/kernel/index.js';
import { compileC } from './support.js';

const test = suite('kernel door: refusals');
const kernel = openKernel();
const OBJECT = compileC(`
const volatile __u32 limit = 5;
SEC("tc") int classify(struct __sk_buff *skb) { return limit; }
`);

/** Code of what a call throws; null where it throws nothing. */
function codeOf(call: () => unknown): string | null {
  try {
    call();
    return null;
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
}

test('a global that an object lacks', () => {
  const load = (name: string): void =>
    kernel
      .load({ name: 'o', bytes: OBJECT, globals: { [name]: new Uint8Array(4) } })
      [Symbol.dispose]();
  assert.is(
    codeOf(() => load('limit')),
    null,
  );
  assert.is(
    codeOf(() => load('limits')),
    'KERNEL_NO_GLOBAL',
  );
});

test('a map that an object lacks', () => {
  using object = kernel.load({ name: 'o', bytes: OBJECT });
  assert.is(
    codeOf(() => object.map('.rodata')),
    null,
  );
  assert.is(
    codeOf(() => object.map('nothing')),
    'KERNEL_NO_MAP',
  );
});

test('bpffs cannot be mounted where nothing is', () => {
  assert.is(
    codeOf(() => mountBpffs('/nowhere/bpf')),
    'KERNEL_MOUNT',
  );
  assert.is(
    codeOf(() => mountBpffs()),
    null,
  );
});

test.run();
