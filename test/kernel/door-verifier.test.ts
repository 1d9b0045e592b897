/**
 * The summariser on real logs (logs/*.log, from Linux 6.18) and the position of real refusals. A
 * log without a row here, or a row without its log, fails.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  isKernelError,
  isVerifierError,
  openKernel,
  sourcePosition,
  summarizeLog,
} from '../../runtime/kernel/index.js';
import { compileC } from './support.js';

const test = suite('kernel door: refusals');
const logs = fileURLToPath(new URL('../../../test/kernel/logs/', import.meta.url));

interface Row {
  readonly want: string;
  readonly line: number | null;
}
const ROWS: Readonly<Record<string, Row>> = {
  'context-access': {
    want: '0: (61) r0 = *(u32 *)(r1 +160): invalid bpf_context access off=160 size=4',
    line: 6,
  },
  'endless-loop': { want: 'infinite loop detected at insn 8', line: 7 },
  'global-function': {
    want: "6: (61) r0 = *(u32 *)(r1 +0): R1 invalid mem access 'mem_or_null'",
    line: 6,
  },
  'helper-not-allowed': {
    want: 'program of this type cannot use helper bpf_skb_load_bytes#26',
    line: 6,
  },
  'null-value': {
    want: "7: (61) r0 = *(u32 *)(r0 +0): R0 invalid mem access 'map_value_or_null'",
    line: 9,
  },
  'packet-bounds': {
    want: 'invalid access to packet, off=0 size=4, R1(id=0,off=0,r=0): R1 offset is outside of the packet',
    line: 7,
  },
  'pointer-arithmetic': {
    want: '0: (27) r1 *= 3: R1 pointer arithmetic with *= operator prohibited',
    line: 6,
  },
  'return-range': {
    want: 'At program exit the register R0 has smin=0 smax=4294967295 should have been in [0, 1]',
    line: 6,
  },
  'scalar-dereference': {
    want: "1: (61) r0 = *(u32 *)(r1 +0): R1 invalid mem access 'scalar'",
    line: 6,
  },
  'stack-bounds': {
    want: '0: (61) r0 = *(u32 *)(r10 -600): invalid read from stack R10 off=-600 size=4',
    line: 7,
  },
  'too-complex': { want: 'BPF program is too large. Processed 1000001 insn', line: null },
  uninitialised: { want: '0: (bf) r0 = r7: R7 !read_ok', line: 7 },
  unreachable: { want: 'unreachable insn 1', line: null },
  'value-bounds': {
    want: '13: (61) r1 = *(u32 *)(r0 +0): R0 unbounded memory access, make sure to bounds check any such access',
    line: 10,
  },
};

test('each log has a row, each row a log', () => {
  const names = readdirSync(logs).map((name) => name.replace(/\.log$/, ''));
  assert.equal(names.sort(), Object.keys(ROWS).sort());
});
for (const [name, { want, line }] of Object.entries(ROWS))
  test(`log ${name}`, () => {
    const log = readFileSync(`${logs}${name}.log`, 'utf8');
    assert.is(summarizeLog(log), want);
    assert.is(sourcePosition(log)?.line ?? null, line);
  });
test('a log that says nothing', () => {
  assert.is(summarizeLog('processed 1 insns (limit 1000000)\n'), 'the kernel gave no reason');
  assert.is(summarizeLog(''), 'the kernel gave no reason');
  assert.is(sourcePosition('; r1 = 1;\n'), null);
});

const kernel = openKernel();
const refusal = (source: string, reasonOnly = false): Error => {
  try {
    kernel.load({ name: 'refused', bytes: compileC(source), reasonOnly })[Symbol.dispose]();
  } catch (error) {
    return error as Error;
  }
  throw new Error('loaded');
};

test('a refusal has the position of its instruction, column and all', () => {
  const error = refusal(`SEC("tc") int policy(struct __sk_buff *skb) {
  return bpf_get_smp_processor_id() + *(volatile __u32 *)(long)skb->data;
}`);
  assert.ok(isVerifierError(error) && !isKernelError(error) && isKernelError(error.cause));
  const { position } = error;
  assert.match(position?.file ?? '', /probe\.c$/);
  assert.equal([position?.line, position?.column], [6, 39]);
  assert.match(error.message, /^the verifier refused program `policy` at .*probe\.c:6: /);
});

test('a refusal without source in its log gets the position from the line info', () => {
  const error = refusal(`SEC("tc") int policy(struct __sk_buff *skb) {
  asm volatile("goto +1\\n\\tr0 = 1" ::: "r0");
  return 0;
}`);
  assert.ok(isVerifierError(error));
  assert.is(error.summary, 'unreachable insn 1');
  assert.equal([error.position?.line, error.position?.column], [6, 3]);
});

const MILLION = `SEC("tc") int policy(struct __sk_buff *skb) {
  int sum = 0;
  for (int i = 0; i < 10000000; i++) { asm volatile("" : "+r"(sum)); sum += i; }
  return sum;
}`;

test('a program of a million steps is refused with its end of the log', () => {
  const error = refusal(MILLION);
  assert.ok(isVerifierError(error));
  assert.match(error.summary, /program is too large/);
  assert.is(error.position?.line, 7);
});

test('with its reason only it is refused without a log', () => {
  const error = refusal(MILLION, true);
  assert.ok(isVerifierError(error));
  assert.match(error.summary, /program is too large/);
  assert.is(error.program, 'policy');
  assert.is(error.position, null);
  assert.ok(error.log.length < 1000, error.log);
  const loaded = { name: 'good', bytes: compileC(`SEC("tc") int policy(void *skb) { return 0; }`) };
  kernel.load({ ...loaded, reasonOnly: true })[Symbol.dispose]();
});

test.run();
