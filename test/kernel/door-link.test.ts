import { readdirSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isKernelError, openKernel } from '../../runtime/kernel/index.js';
import { compileC } from './support.js';

const kernel = openKernel();
const test = suite('kernel door: linker');

const STRUCT = (name: string): string => `struct ${name} { __u32 port; __u32 other; };\n`;
const caller = (struct: string): Uint8Array =>
  compileC(`${STRUCT(struct)}
extern int decide(const struct ${struct} *c);
SEC("tc") int entry(struct __sk_buff *skb) {
  struct ${struct} c = { .port = skb->len, .other = 1 };
  return decide(&c);
}`);
const POLICY = compileC(`${STRUCT('connection')}
__noinline int decide(const struct connection *c) { return c ? c->port + c->other : 0; }`);

test('an extern is joined with its definition, and runs', () => {
  const bytes = kernel.link([
    { name: 'hook', bytes: caller('connection') },
    { name: 'policy', bytes: POLICY },
  ]);
  using object = kernel.load({ name: 'joined', bytes });
  assert.is(object.program('entry').testRun(new Uint8Array(50)).retval, 51);
});

test('another struct is a link error that says so, and leaves no descriptor', () => {
  const before = readdirSync('/proc/self/fd').length;
  let caught: unknown;
  try {
    kernel.link([
      { name: 'hook', bytes: caller('connexion') },
      { name: 'policy', bytes: POLICY },
    ]);
  } catch (error) {
    caught = error;
  }
  assert.ok(isKernelError(caught));
  assert.is(caught.code, 'KERNEL_LINK');
  assert.match(caught.message, /cannot link `hook`, `policy`: .*incompatible struct names/);
  assert.is(readdirSync('/proc/self/fd').length, before);
});

test('bytes that are no object are refused by name', () => {
  assert.throws(
    () => kernel.link([{ name: 'junk', bytes: new Uint8Array(100) }]),
    (error: { code?: string; message: string }) =>
      error.code === 'KERNEL_NOT_ELF' && error.message.includes('`junk`'),
  );
});

test('an empty ELF file is refused by the linker', () => {
  const bytes = new Uint8Array(200);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  bytes.set([1, 0, 247, 0, 1], 16);
  assert.throws(
    () => kernel.link([{ name: 'empty', bytes }]),
    (error: { code?: string; message: string }) =>
      error.code === 'KERNEL_LINK' && error.message.includes('missing SYMTAB section in empty'),
  );
});

test.run();
