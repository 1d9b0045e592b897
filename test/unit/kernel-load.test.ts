/** What a load that libbpf gives up is told as, and which are tried again: on a libbpf that gives what the test says. */
import { constants } from 'node:os';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isKernelError, isVerifierError } from '../../runtime/kernel/index.js';
import type { Native } from '../../runtime/kernel/native.js';
import { INTERRUPTED_LOADS, loadObject } from '../../runtime/kernel/object.js';

const test = suite('kernel door: loads that fail');
const { E2BIG, EACCES, EAGAIN, EINTR, EINVAL, ENOMEM, ENOSPC } = constants.errno;
const STATS = 'processed 9 insns (limit 1000000) max_states_per_insn 0\n';
const REFUSED = `0: (bf) r0 = r7\nR7 !read_ok\n${STATS}`;
const BEGUN = `func#0 @0\n0: (b7) r0 = 1 ; R0_w=1\n1: (05) goto pc+3\n${STATS}`;
const FAILED = "prog 'policy': BPF program load failed: why";

interface Attempt {
  readonly errno: number;
  readonly log?: string;
  readonly warnings?: readonly string[];
}
interface Loaded {
  readonly error: unknown;
  /** Of each load: whether signals were held back, and the bytes of its log. */
  readonly loads: readonly { readonly isHeld: boolean; readonly size: number }[];
  readonly opened: number;
  readonly closed: number;
  readonly isHeldAfter: boolean;
}

const ELF = new Uint8Array(64);
ELF.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
new DataView(ELF.buffer).setUint16(18, 247, true);

/** Loads with a libbpf whose loads come to these, the last one from then on. */
function load(attempts: readonly Attempt[]): Loaded {
  const loads: { isHeld: boolean; size: number }[] = [];
  let [opened, closed, held] = [0, 0, false];
  let pointed: Uint8Array[] = [];
  let warnings: readonly string[] = [];
  const native: Partial<Native> = {
    listen: (step) => ({ result: step(), warnings }),
    point: (_struct, _offset, target) => pointed.push(target),
    object_open: () => {
      opened += 1;
      return 1n;
    },
    object_close: () => {
      closed += 1;
      pointed = [];
    },
    object_next_map: () => null,
    object_next_program: () => null,
    pthread_sigmask: (how) => {
      held = how === 0;
      return 0;
    },
    object_load: () => {
      const attempt = attempts[Math.min(loads.length, attempts.length - 1)];
      if (attempt === undefined) throw new Error('no attempt');
      const log = pointed[1] ?? new Uint8Array(0);
      loads.push({ isHeld: held, size: log.length });
      new TextEncoder().encodeInto(attempt.log ?? '', log);
      warnings = attempt.errno === 0 ? [] : (attempt.warnings ?? [FAILED]);
      return -attempt.errno;
    },
  };
  let error: unknown = null;
  try {
    loadObject(native as Native, { name: 'stubs', bytes: ELF });
  } catch (caught) {
    error = caught;
  }
  return { error, loads, opened, closed, isHeldAfter: held };
}

const codeOf = ({ error }: Loaded): string =>
  isVerifierError(error) || isKernelError(error) ? error.code : String(error);

for (const errno of [EAGAIN, EINTR])
  for (const [name, log] of [
    ['statistics', STATS],
    ['the beginning of a walk', BEGUN],
    ['nothing', ''],
  ] as const)
    test(`interrupted each time (${errno}), with ${name} in the log: no refusal by the verifier`, () => {
      const loaded = load([{ errno, log }]);
      const name = errno === EAGAIN ? 'EAGAIN' : 'EINTR';
      assert.is(codeOf(loaded), `KERNEL_${name}`);
      assert.ok(isKernelError(loaded.error));
      assert.match(
        loaded.error.message,
        `cannot load object \`stubs\`: bpf_object__load failed with ${name}: ${FAILED}`,
      );
      assert.match(loaded.error.remedy ?? '', /^signals interrupted the verifier each time: /);
      assert.is(loaded.loads.length, 1 + INTERRUPTED_LOADS);
      assert.equal([loaded.opened, loaded.closed], [4, 4]);
    });

test('interrupted once: it is loaded again with signals held back, and they are let go', () => {
  const loaded = load([{ errno: EAGAIN, log: STATS }, { errno: 0 }]);
  assert.is(loaded.error, null);
  assert.equal(
    loaded.loads.map(({ isHeld }) => isHeld),
    [false, true],
  );
  assert.equal([loaded.opened, loaded.closed, loaded.isHeldAfter], [2, 1, false]);
});

test('not interrupted: it is loaded once, with signals as they are', () => {
  assert.equal(
    load([{ errno: 0 }]).loads.map(({ isHeld }) => isHeld),
    [false],
  );
  assert.is(load([{ errno: EINVAL, log: REFUSED }]).loads.length, 1);
});

test('interrupted, then refused: the refusal is told', () => {
  const loaded = load([
    { errno: EAGAIN, log: BEGUN },
    { errno: EACCES, log: REFUSED },
  ]);
  assert.is(codeOf(loaded), 'KERNEL_VERIFIER');
  assert.is(loaded.loads.length, 2);
});

test('a log that is cut, and an interruption: each is tried for its own sake', () => {
  const loaded = load([
    { errno: EAGAIN },
    { errno: ENOSPC, log: 'cut' },
    { errno: EAGAIN },
    { errno: ENOSPC, log: REFUSED },
  ]);
  assert.is(codeOf(loaded), 'KERNEL_VERIFIER');
  const [first, second, third, fourth] = loaded.loads.map(({ size }) => size);
  assert.equal([second, third, fourth], [first, 2 * (first ?? 0), 2 * (first ?? 0)]);
});

const ROWS: readonly (readonly [string, Attempt, string])[] = [
  ['no memory, the walk begun', { errno: ENOMEM, log: BEGUN }, 'KERNEL_ENOMEM'],
  ['no memory, no log', { errno: ENOMEM, log: '' }, 'KERNEL_ENOMEM'],
  [
    'no memory for what is said to be too complex',
    { errno: ENOMEM, log: `${BEGUN}The sequence of 8193 jumps is too complex.\n` },
    'KERNEL_VERIFIER',
  ],
  ['no memory for a map', { errno: ENOMEM, warnings: ['map `m`: failed'] }, 'KERNEL_ENOMEM'],
  ['a refusal', { errno: EINVAL, log: REFUSED }, 'KERNEL_VERIFIER'],
  [
    'too large, as the verifier says',
    { errno: E2BIG, log: `BPF program is too large.\n${STATS}` },
    'KERNEL_VERIFIER',
  ],
  ['too large before any verifier', { errno: E2BIG, log: '' }, 'KERNEL_E2BIG'],
  [
    'taken by the verifier, and not by what comes behind it',
    { errno: 524, log: STATS },
    'KERNEL_ENOTSUPP',
  ],
];
for (const [name, attempt, want] of ROWS)
  test(`told by its errno: ${name}`, () => {
    const loaded = load([attempt]);
    assert.is(codeOf(loaded), want);
    assert.equal([loaded.loads.length, loaded.closed], [1, 1]);
  });

test.run();
