/** A lowered policy joins a clang-built hook, loads, runs, and shows its lines; by libbpf and bpftool. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CONNECTION } from '../../compiler/abi/index.js';
import { writeObject } from '../../compiler/elf/index.js';
import { parse } from '../../compiler/ir/index.js';
import { lowerModule } from '../../compiler/lower/index.js';
import {
  isVerifierError,
  type Kernel,
  type KernelObject,
  openKernel,
} from '../../runtime/kernel/index.js';
import { compileHook, HOOK, loadBatch, runEntry } from '../differential/kernel-batch.js';

const test = suite('lowered-object');
let kernel: Kernel;
let hook: Uint8Array;
test.before(() => {
  kernel = openKernel();
  hook = compileHook();
});

const SOURCE = `module "demo"
position "policies/demo.ts" 7:3 "  if (connection.destinationPort == 443) return Verdict.Allow;"
position "policies/demo.ts" 9:3 "  return table[connection.protocol];"
image t_a align 8 size 64 {
  0: 000102030405060708090a0b0c0d0e0f
}
func entry weft_route_connection(v0: ptr) -> i32 stopped 240 241 {
b0:
  v1 = load.pointer i32 2 v0 + 212 @0
  v2 = const i32 443 @0
  v3 = eq v1, v2 @0
  br_if v3, b1, b2 @0
b1:
  v4 = const i32 257
  return v4 @0
b2:
  v5 = load.pointer i32 1 v0 + 214 @1
  v6 = load.image i32 4 t_a v5 + 0 limit 60 @1
  return v6 @1
}
`;

function objectOf(source: string): Uint8Array {
  const module = parse(source);
  const lowered = lowerModule(module, { mayGoto: false });
  if (!lowered.ok) throw new Error('refused');
  const { images, externs } = module;
  return writeObject({ functions: lowered.functions, images, externs });
}

function connection(port: number, protocol: number): Uint8Array {
  const bytes = new Uint8Array(CONNECTION.size);
  new DataView(bytes.buffer).setUint16(CONNECTION.destinationPort, port, true);
  bytes[CONNECTION.protocol] = protocol;
  return bytes;
}

test('it answers by code, by image, and by its trap code', () => {
  using loaded = loadBatch(kernel, hook, objectOf(SOURCE));
  assert.is(runEntry(loaded, 0, connection(443, 6)), 257);
  assert.is(runEntry(loaded, 0, connection(80, 6)), 0x09080706);
  assert.is(runEntry(loaded, 0, connection(80, 61)), 240);
});

test('bpftool joins it too, and prints the policy lines beside the instructions', () => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-lowered-'));
  const bpftool = (...args: string[]): string =>
    execFileSync('bpftool', args, { cwd: directory, encoding: 'utf8' });
  try {
    writeFileSync(join(directory, 'hook.o'), hook);
    writeFileSync(join(directory, 'policy.o'), objectOf(SOURCE));
    bpftool('gen', 'object', 'joined.o', 'hook.o', 'policy.o');
    const bytes = new Uint8Array(readFileSync(join(directory, 'joined.o')));
    using loaded = kernel.load({ name: 'joined', bytes, asBuilt: true });
    const dump = ({ program }: KernelObject): string =>
      bpftool('prog', 'dump', 'xlated', 'id', String(program('hook').info().id), 'linum');
    const text = dump(loaded);
    assert.match(
      text,
      /; return table\[connection\.protocol\]; \[file:policies\/demo\.ts line_num:9/,
    );
    assert.match(text, /weft_route_connection\(const struct weft_connection \* connection\)/);
    using inlined = kernel.load({ name: 'joined', bytes });
    assert.match(
      dump(inlined),
      /; return table\[connection\.protocol\]; \[file:policies\/demo\.ts/,
    );
    assert.not.match(dump(inlined), /weft_route_connection\(const/);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test('a hook that declares another layout is refused by the linker', () => {
  const other = HOOK.replace(
    /#include ".*abi.h"/,
    `struct weft_connection { int other; };
     extern int weft_route_connection(const struct weft_connection *connection, int more);`,
  ).replace('(&connection)', '(&connection, 1)');
  const parts = [
    { name: 'hook', bytes: compileHook(other) },
    { name: 'policy', bytes: objectOf(SOURCE) },
  ];
  assert.throws(() => kernel.link(parts));
});

test('what the verifier refuses is mapped to the policy line', () => {
  // An image load beyond its image: lowering trusts the limit, the verifier does not.
  const source = SOURCE.replace('limit 60', 'limit 70');
  let caught: unknown;
  try {
    loadBatch(kernel, hook, objectOf(source));
  } catch (error) {
    caught = error;
  }
  assert.ok(isVerifierError(caught));
  assert.is(caught.position?.file, 'policies/demo.ts');
  assert.is(caught.position?.line, 9);
});

test.run();
