import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  isKernelError,
  isVerifierError,
  type KernelObject,
  openKernel,
} from '../../runtime/kernel/index.js';
import { compileC } from './support.js';

const kernel = openKernel();
const test = suite('kernel door: nothing leaks');

const BAD = compileC(
  `
const volatile __u32 limit = 5;
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 4); __type(key, __u32); __type(value, __u32); } weft_leak_map SEC(".maps");
SEC("tc") int weft_leak_fine(struct __sk_buff *skb) { __u32 k = limit; bpf_map_update_elem(&weft_leak_map, &k, &k, 0); return 0; }
SEC("tc") int weft_leak_bad(struct __sk_buff *skb) { return *(__u32 *)(long)skb->data; }
`,
  'leak',
);

interface Held {
  readonly fds: number;
  readonly ids: string;
}
// Others may load programs meanwhile: ours are told by their name (the kernel cuts it at 15).
const held = (): Held => ({
  fds: readdirSync('/proc/self/fd').length,
  ids: ['map', 'prog']
    .map((kind) => execFileSync('bpftool', [kind, 'list'], { encoding: 'utf8' }))
    .join('')
    .split('\n')
    .filter((line) => line.includes('weft_leak'))
    .join('\n'),
});
// The kernel frees maps and programs a grace period after their last reference: ask again until then.
const ASKS = 200;
const heldWithout = (): Held => {
  let now = held();
  for (let ask = 0; ask < ASKS && now.ids !== ''; ask++) now = held();
  return now;
};
const failure = (step: () => KernelObject): unknown => {
  try {
    step()[Symbol.dispose]();
  } catch (error) {
    return error;
  }
  return null;
};

const rows: readonly [string, () => KernelObject, (error: unknown) => boolean][] = [
  ['refused program', () => kernel.load({ name: 'leak', bytes: BAD }), isVerifierError],
  [
    'unknown map to resize',
    () => kernel.load({ name: 'leak', bytes: BAD, resize: { nowhere: 1 } }),
    isKernelError,
  ],
  [
    'unknown global',
    () => kernel.load({ name: 'leak', bytes: BAD, globals: { nowhere: new Uint8Array(4) } }),
    isKernelError,
  ],
  [
    'global of another size',
    () => kernel.load({ name: 'leak', bytes: BAD, globals: { limit: new Uint8Array(3) } }),
    (error) => (error as { code?: string }).code === 'BUG',
  ],
  [
    'unknown program',
    () => kernel.load({ name: 'leak', bytes: BAD, only: ['nowhere'] }),
    isKernelError,
  ],
  ['no object', () => kernel.load({ name: 'leak', bytes: new Uint8Array(200) }), isKernelError],
  [
    'impossible size',
    () => kernel.load({ name: 'leak', bytes: BAD, resize: { weft_leak_map: 0xffffffff } }),
    isKernelError,
  ],
];
for (const [name, step, isExpected] of rows)
  test(`after a failing load: ${name}`, () => {
    failure(step); // the first failure of a kind may open things once (libbpf's feature probes)
    const before = heldWithout();
    const error = failure(step);
    assert.ok(isExpected(error), String(error));
    assert.equal(heldWithout(), before);
    assert.is(before.ids, '');
  });

test('after a good load and its closing; while it is open there is something to see', () => {
  const before = heldWithout();
  assert.is(before.ids, '');
  const object = kernel.load({ name: 'leak', bytes: BAD, only: ['weft_leak_fine'] });
  assert.is.not(held().ids, '');
  assert.ok(held().fds > before.fds);
  object[Symbol.dispose]();
  object[Symbol.dispose]();
  assert.equal(heldWithout(), before);
  assert.throws(
    () => object.map('weft_leak_map').info(),
    (error: { code?: string }) => error.code === 'KERNEL_CLOSED',
  );
});

test('a map of another shape is not reused', () => {
  using object = kernel.load({ name: 'leak', bytes: BAD, only: ['weft_leak_fine'] });
  const before = held().fds;
  assert.throws(
    () =>
      kernel.load({
        name: 'leak',
        bytes: BAD,
        reuse: { weft_leak_map: object.map('.rodata') },
      }),
    (error: { code?: string }) => error.code === 'KERNEL_MAP_MISMATCH',
  );
  assert.is(held().fds, before);
});

test.run();
