/** Signals that come while a program is verified: a timer sends one each 5 ms, which is less than the verifier needs. */
import { createRequire } from 'node:module';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isKernelError, isVerifierError } from '../../runtime/kernel/index.js';
import { loadNative, type Native } from '../../runtime/kernel/native.js';
import { INTERRUPTED_LOADS, loadObject } from '../../runtime/kernel/object.js';
import { compileC } from './support.js';

const test = suite('kernel door: signals during a load');
const EACH_US = 5_000;
const ITIMER_REAL = 0;

type SetTimer = (which: number, every: BigInt64Array, before: null) => number;
const koffi = createRequire(import.meta.url)('koffi');
const setTimer: SetTimer = koffi.load('libc.so.6').func('int setitimer(int, void *, void *)');

/** So many steps for the verifier. */
const walked = (turns: number): Uint8Array =>
  compileC(`SEC("tc") int policy(struct __sk_buff *skb) {
  int sum = 0;
  for (int i = 0; i < ${turns}; i++) { asm volatile("" : "+r"(sum)); sum += i; }
  return sum;
}`);
const LONG = walked(30_000);
const TOO_LONG = walked(10_000_000);

interface Loaded {
  readonly error: unknown;
  readonly loads: number;
}

/** Loads while the timer runs. */
function interrupted(bytes: Uint8Array, changed: Partial<Native> = {}): Loaded {
  const native = { ...loadNative('libbpf.so.1'), ...changed };
  let loads = 0;
  const counted: Native = {
    ...native,
    object_load: (object) => {
      loads += 1;
      return native.object_load(object);
    },
  };
  const onAlarm = (): void => {};
  process.on('SIGALRM', onAlarm);
  const every = BigInt(EACH_US);
  setTimer(ITIMER_REAL, new BigInt64Array([0n, every, 0n, every]), null);
  try {
    loadObject(counted, { name: 'walked', bytes, reasonOnly: true })[Symbol.dispose]();
    return { error: null, loads };
  } catch (error) {
    return { error, loads };
  } finally {
    setTimer(ITIMER_REAL, new BigInt64Array(4), null);
    process.off('SIGALRM', onAlarm);
  }
}

test('a program that the verifier takes is loaded', () => {
  const { error, loads } = interrupted(LONG);
  assert.is(error, null);
  assert.is(loads, 2, 'interrupted once, then with signals held back');
});

test('one that it refuses is told with its reason', () => {
  const { error, loads } = interrupted(TOO_LONG);
  assert.ok(isVerifierError(error), String(error));
  assert.match(error.summary, /program is too large/);
  assert.is(loads, 2);
});

test('where they cannot be held back, both are told as interrupted', () => {
  for (const bytes of [LONG, TOO_LONG]) {
    const { error, loads } = interrupted(bytes, { pthread_sigmask: () => 0 });
    assert.ok(isKernelError(error), String(error));
    assert.is(error.code, 'KERNEL_EAGAIN');
    assert.is(loads, 1 + INTERRUPTED_LOADS);
  }
});

test.run();
