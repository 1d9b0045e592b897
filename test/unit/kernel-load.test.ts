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
interface Load {
  readonly isHeld: boolean;
  readonly size: number;
  readonly slots: number;
}
interface Loaded {
  readonly error: unknown;
  /** Of each load: whether signals were held back, the bytes of its log, and the instructions that the kernel gets. */
  readonly loads: readonly Load[];
  readonly opened: number;
  readonly closed: number;
  readonly isHeldAfter: boolean;
}

const ELF = new Uint8Array(64);
ELF.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
new DataView(ELF.buffer).setUint16(18, 247, true);

/** A program that calls one function, at the addresses that libbpf says. */
const MEMORY: ReadonlyMap<bigint, readonly number[]> = new Map([
  // call +1; exit; r0 = 0; exit
  [10n, [0x1085, 1, 0x95, 0, 0xb7, 0, 0x95, 0]],
  // func_info: offset and type
  [20n, [0, 1, 2, 2]],
  // line_info: offset, file, text, line and column
  [30n, [0, 0, 0, 1, 2, 0, 0, 2]],
]);
/** struct bpf_prog_load_opts: pointer, count and size of func_info and line_info. */
const OPTIONS = new Map([
  [56, 20],
  [64, 2],
  [68, 8],
  [72, 30],
  [80, 2],
  [84, 16],
]);
const SLOTS = 4;

/** Loads with a libbpf whose loads come to these, the last one from then on. */
function load(
  attempts: readonly Attempt[],
  {
    asBuilt = false,
    parts = {},
  }: { readonly asBuilt?: boolean; readonly parts?: Partial<Native> } = {},
): Loaded {
  const loads: Load[] = [];
  let prepare: (program: bigint, options: bigint) => number = () => 0;
  let slots = SLOTS;
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
    prepareCallback: (onProgram) => {
      prepare = onProgram;
      return 1n;
    },
    register_prog_handler: () => 0,
    address: () => 0n,
    object_btf: () => null,
    program_insns: () => 10n,
    program_insn_cnt: () => SLOTS,
    program_set_insns: (_program, _slots, count) => {
      slots = count;
      return 0;
    },
    view: () => {
      const view = new DataView(new ArrayBuffer(88));
      for (const [at, value] of OPTIONS) view.setUint32(at, value, true);
      return new Uint8Array(view.buffer);
    },
    copy: (pointer, length) =>
      new Uint8Array(Uint32Array.from(MEMORY.get(pointer) ?? []).buffer).slice(0, length),
    object_load: () => {
      slots = SLOTS;
      const refused = prepare(5n, 6n);
      const attempt = attempts[Math.min(loads.length, attempts.length - 1)];
      if (attempt === undefined) throw new Error('no attempt');
      const log = pointed[1] ?? new Uint8Array(0);
      loads.push({ isHeld: held, size: log.length, slots });
      new TextEncoder().encodeInto(attempt.log ?? '', log);
      warnings = attempt.errno === 0 ? [] : (attempt.warnings ?? [FAILED]);
      return refused || -attempt.errno;
    },
    ...parts,
  };
  let error: unknown = null;
  try {
    loadObject(native as Native, { name: 'stubs', bytes: ELF, asBuilt });
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
  assert.is(load([{ errno: EINVAL, log: REFUSED }], { asBuilt: true }).loads.length, 1);
});

test('interrupted, then refused: the refusal is told', () => {
  const asBuilt = true;
  const loaded = load(
    [
      { errno: EAGAIN, log: BEGUN },
      { errno: EACCES, log: REFUSED },
    ],
    { asBuilt },
  );
  assert.is(codeOf(loaded), 'KERNEL_VERIFIER');
  assert.is(loaded.loads.length, 2);
});

test('a log that is cut, and an interruption: each is tried for its own sake', () => {
  const attempts = [
    { errno: EAGAIN },
    { errno: ENOSPC, log: 'cut' },
    { errno: EAGAIN },
    { errno: ENOSPC, log: REFUSED },
  ];
  const loaded = load(attempts, { asBuilt: true });
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
    const loaded = load([attempt], { asBuilt: true });
    assert.is(codeOf(loaded), want);
    assert.equal([loaded.loads.length, loaded.closed], [1, 1]);
  });

const slotsOf = ({ loads }: Loaded): readonly number[] => loads.map(({ slots }) => slots);
/** The function's exit and the call of it are gone. */
const INLINED = SLOTS - 2;

test('a function is put in, and left as it was built where that is asked', () => {
  assert.equal(slotsOf(load([{ errno: 0 }])), [INLINED]);
  assert.equal(slotsOf(load([{ errno: 0 }], { asBuilt: true })), [SLOTS]);
});

test('refused with functions put in: loaded as it was built', () => {
  const loaded = load([{ errno: EACCES, log: REFUSED }, { errno: 0 }]);
  assert.is(loaded.error, null);
  assert.equal(slotsOf(loaded), [INLINED, SLOTS]);
  assert.equal([loaded.opened, loaded.closed], [2, 1]);
});

test('refused both ways: told is what is said of it as it was built', () => {
  const loaded = load([{ errno: ENOSPC, log: 'cut' }, { errno: E2BIG }, { errno: 0 }]);
  assert.is(codeOf(loaded), 'KERNEL_E2BIG');
  assert.equal(slotsOf(loaded), [INLINED, SLOTS]);
  assert.is(loaded.loads[0]?.size, loaded.loads[1]?.size);
});

test('interrupted: loaded again in the same way', () => {
  const loaded = load([
    { errno: EINTR },
    { errno: EACCES, log: REFUSED },
    { errno: EINTR },
    { errno: 0 },
  ]);
  assert.equal(slotsOf(loaded), [INLINED, INLINED, SLOTS, SLOTS]);
});

test('what fails while functions are put in is thrown, with the object closed', () => {
  const broken = (): never => {
    throw new Error('broken');
  };
  const loaded = load([{ errno: 0 }], { parts: { program_insn_cnt: broken } });
  assert.is(loaded.error instanceof Error && loaded.error.message, 'broken');
  assert.equal([loaded.opened, loaded.closed], [1, 1]);
});

test.run();
