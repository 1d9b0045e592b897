/** Functions put into the place that calls them: which, what moves, what is kept, and what stays a call. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  inlineFunctions,
  MOST_WITH_GLOBALS,
} from '../../runtime/kernel/inline/inline-functions.js';
import type { Program } from '../../runtime/kernel/inline/instruction.js';

const test = suite('functions put in');

type Slot = readonly [code: number, to: number, from: number, offset: number, immediate: number];
/** A call of, or the address of, the function with this number. */
interface Refers {
  readonly slot: Slot;
  readonly func: number;
}
type Line = Slot | Refers;

const FP = 10;
const exit: Slot = [0x95, 0, 0, 0, 0];
const set = (to: number, immediate: number): Slot => [0xb7, to, 0, 0, immediate];
const move = (to: number, from: number): Slot => [0xbf, to, from, 0, 0];
const add = (to: number, immediate: number): Slot => [0x07, to, 0, 0, immediate];
const addRegister = (to: number, from: number): Slot => [0x0f, to, from, 0, 0];
const store = (base: number, offset: number, from: number): Slot => [0x7b, base, from, offset, 0];
const load = (to: number, base: number, offset: number): Slot => [0x79, to, base, offset, 0];
const jump = (offset: number): Slot => [0x05, 0, 0, offset, 0];
const ifZero = (register: number, offset: number): Slot => [0x15, register, 0, offset, 0];
const helper = (id: number): Slot => [0x85, 0, 0, 0, id];
const call = (func: number): Refers => ({ slot: [0x85, 0, 1, 0, 0], func });
const addressOf = (func: number): readonly Line[] => [
  { slot: [0x18, 2, 4, 0, 0], func },
  [0, 0, 0, 0, 0],
];

const FUNCTION_RECORD = 8;
const LINE_RECORD = 16;

/** A program of functions, the first its own; each instruction has a line. */
function program(...functions: readonly (readonly Line[])[]): Program {
  const starts: number[] = [];
  let count = 0;
  for (const body of functions) {
    starts.push(count);
    count += body.length;
  }
  const slots = new DataView(new ArrayBuffer(count * 8));
  for (const [at, line] of functions.flat().entries()) {
    const isRefers = 'func' in line;
    const [code, to, from, offset, immediate] = isRefers ? line.slot : line;
    const far = isRefers ? (starts[line.func] as number) - at - 1 : immediate;
    slots.setUint8(at * 8, code);
    slots.setUint8(at * 8 + 1, to | (from << 4));
    slots.setInt16(at * 8 + 2, offset, true);
    slots.setInt32(at * 8 + 4, far, true);
  }
  const records = (offsets: readonly number[], size: number) => {
    const view = new DataView(new ArrayBuffer(offsets.length * size));
    for (const [index, offset] of offsets.entries()) {
      view.setUint32(index * size, offset, true);
      view.setUint32(index * size + 4, 100 + index, true);
    }
    return { bytes: new Uint8Array(view.buffer), size };
  };
  const lines = functions
    .flat()
    .flatMap((line, at) => ('func' in line || line[0] !== 0 ? [at] : []));
  return {
    slots: new Uint8Array(slots.buffer),
    functions: records(starts, FUNCTION_RECORD),
    lines: records(lines, LINE_RECORD),
  };
}

function slotsOf({ slots }: Program): Slot[] {
  const view = new DataView(slots.buffer, slots.byteOffset);
  return Array.from({ length: slots.length / 8 }, (_, at) => [
    view.getUint8(at * 8),
    view.getUint8(at * 8 + 1) & 15,
    view.getUint8(at * 8 + 1) >> 4,
    view.getInt16(at * 8 + 2, true),
    view.getInt32(at * 8 + 4, true),
  ]);
}

/** What becomes of functions; null where all stay. */
function inlined(...functions: readonly (readonly Line[])[]): Slot[] | null {
  const result = inlineFunctions(program(...functions), () => false);
  if (result === null) return null;
  const view = new DataView(result.lines.bytes.buffer);
  const offsets = Array.from({ length: result.lines.bytes.length / LINE_RECORD }, (_, at) =>
    view.getUint32(at * LINE_RECORD, true),
  );
  // What the kernel asks of line_info (check_btf_line): from the first instruction on, and rising.
  assert.is(offsets[0], 0);
  assert.ok(offsets.every((each, at) => at === 0 || each > (offsets[at - 1] as number)));
  return slotsOf(result);
}

test('a function called once replaces its call', () => {
  assert.equal(inlined([set(1, 7), call(1), add(0, 1), exit], [move(0, 1), exit]), [
    set(1, 7),
    move(0, 1),
    add(0, 1),
    exit,
  ]);
});

test('called twice it stays', () => {
  assert.is(inlined([set(1, 7), call(1), set(1, 8), call(1), exit], [move(0, 1), exit]), null);
});

test('a chain becomes one', () => {
  assert.equal(inlined([call(1), exit], [call(2), add(0, 1), exit], [set(0, 3), exit]), [
    set(0, 3),
    add(0, 1),
    exit,
  ]);
});

test('in a chain only what is called twice stays', () => {
  const twice = [set(0, 3), exit];
  assert.equal(inlined([call(1), exit], [call(2), call(2), exit], twice), [
    [0x85, 0, 1, 0, 2],
    [0x85, 0, 1, 0, 1],
    exit,
    ...twice,
  ]);
});

test('an exit before the end goes behind it, a jump to the call goes to its beginning', () => {
  assert.equal(
    inlined(
      [ifZero(1, 1), set(2, 1), call(1), ifZero(0, -2), exit],
      [set(0, 1), ifZero(1, 1), exit, set(0, 2), exit],
    ),
    [ifZero(1, 1), set(2, 1), set(0, 1), ifZero(1, 1), jump(1), set(0, 2), ifZero(0, -5), exit],
  );
});

test('the frame of the caller begins below that of the function', () => {
  assert.equal(
    inlined(
      [store(FP, -8, 1), move(1, FP), add(1, -8), helper(5), call(1), load(0, FP, -8), exit],
      [set(0, 5), store(FP, -12, 0), exit],
    ),
    [
      store(FP, -24, 1),
      move(1, FP),
      add(1, -16),
      add(1, -8),
      helper(5),
      set(0, 5),
      store(FP, -12, 0),
      load(0, FP, -24),
      exit,
    ],
  );
});

test('two functions lie above their caller in the same place', () => {
  const uses = (depth: number): Line[] => [set(0, 0), store(FP, -depth, 0), exit];
  assert.equal(inlined([call(1), store(FP, -8, 0), call(2), exit], uses(16), uses(32)), [
    set(0, 0),
    store(FP, -16, 0),
    store(FP, -40, 0),
    set(0, 0),
    store(FP, -32, 0),
    exit,
  ]);
});

test('what it writes of r6 to r9 and its caller reads behind it is kept', () => {
  assert.equal(
    inlined(
      [move(6, 1), move(7, 1), call(1), addRegister(0, 6), addRegister(0, 7), exit],
      [move(6, 1), store(FP, -8, 6), move(0, 6), exit],
    ),
    [
      move(6, 1),
      move(7, 1),
      store(FP, -8, 6),
      move(6, 1),
      store(FP, -16, 6),
      move(0, 6),
      load(6, FP, -8),
      addRegister(0, 6),
      addRegister(0, 7),
      exit,
    ],
  );
});

test('what nobody reads behind it is not kept', () => {
  assert.equal(
    inlined([move(6, 1), call(1), set(6, 1), addRegister(0, 6), exit], [move(6, 1), exit]),
    [move(6, 1), move(6, 1), set(6, 1), addRegister(0, 6), exit],
  );
});

test('what is read in the next turn of a loop is kept', () => {
  const result = inlined(
    [move(6, 1), set(1, 1), addRegister(1, 6), call(1), ifZero(0, -4), exit],
    [set(6, 0), move(0, 6), exit],
  );
  assert.equal(
    result?.filter(([code]) => code === 0x7b || code === 0x79),
    [store(FP, -8, 6), load(6, FP, -8)],
  );
});

const frameOf = (bytes: number): Line[] => [set(0, 0), store(FP, -bytes, 0), exit];
const STAYS: Readonly<Record<string, readonly (readonly Line[])[]>> = {
  'whose address is taken': [[...addressOf(1), call(1), exit], frameOf(8)],
  'that calls itself': [
    [call(1), exit],
    [call(1), exit],
  ],
  'that ends in another program': [
    [call(1), exit],
    [helper(12), exit],
  ],
  'that stores an address of its frame': [
    [call(1), exit],
    [move(1, FP), store(FP, -8, 1), exit],
  ],
  'that adds a variable to an address of its frame': [
    [call(1), exit],
    [move(2, FP), addRegister(2, 1), store(2, 0, 1), exit],
  ],
  'that goes down in its frame in a loop': [
    [call(1), exit],
    [move(2, FP), add(2, -8), store(2, 0, 1), ifZero(1, -3), exit],
  ],
  'that gives an address of its frame to a function': [
    [call(1), exit],
    [move(1, FP), add(1, -8), call(2), move(1, FP), add(1, -8), call(2), exit],
    [store(1, -8, 1), exit],
  ],
  'whose frame does not fit into one with its caller': [
    [call(1), store(FP, -256, 0), exit],
    frameOf(264),
  ],
  'whose frame would lie above a function that its caller calls': [
    [call(1), call(2), call(2), store(FP, -200, 0), exit],
    frameOf(200),
    frameOf(200),
  ],
};
for (const [what, functions] of Object.entries(STAYS))
  test(`a function stays ${what}`, () => {
    assert.is(inlined(...functions), null);
  });

test('the near misses of those are put in', () => {
  const near: readonly (readonly (readonly Line[])[])[] = [
    [
      [call(1), exit],
      [helper(13), exit],
    ],
    [
      [call(1), exit],
      [set(1, 0), store(FP, -8, 1), exit],
    ],
    [
      [call(1), exit],
      [move(2, FP), add(2, -8), store(2, 0, 1), exit],
    ],
    // Upwards, from a lowest address that does not change.
    [
      [call(1), exit],
      [move(2, FP), add(2, -64), add(2, 8), store(2, 0, 1), ifZero(1, -3), exit],
    ],
    [[call(1), store(FP, -256, 0), exit], frameOf(256)],
    [[call(1), call(2), call(2), store(FP, -64, 0), exit], frameOf(200), frameOf(200)],
  ];
  for (const functions of near) assert.ok(inlined(...functions), JSON.stringify(functions));
});

test('a jump that would be too long leaves all as it was', () => {
  const long = (count: number): Line[] => [...Array.from({ length: count }, () => set(0, 0)), exit];
  const caller = [ifZero(1, 1), call(1), exit];
  assert.is(inlined(caller, long(32_768)), null);
  assert.ok(inlined(caller, long(32_767)));
});

test('a global function is put into small programs', () => {
  const global = (type: number): boolean => type === 101;
  const caller = (count: number): Line[] => [
    ...Array.from({ length: count - 5 }, () => set(1, 0)),
    call(1),
    call(2),
    exit,
  ];
  const small = [set(0, 1), exit];
  const functions = (count: number): Program => program(caller(count - 1), [exit], small);
  const slots = (count: number): number | undefined =>
    inlineFunctions(functions(count), global)?.slots.length;
  assert.is(slots(MOST_WITH_GLOBALS), (MOST_WITH_GLOBALS - 3 - 1) * 8);
  // The one that is not global is put in still.
  assert.is(slots(MOST_WITH_GLOBALS + 1), (MOST_WITH_GLOBALS + 1 - 2) * 8);
});

test('without records of functions nothing is changed', () => {
  const made = program([call(1), exit], [set(0, 1), exit]);
  const none = { bytes: new Uint8Array(), size: FUNCTION_RECORD };
  assert.is(
    inlineFunctions({ ...made, functions: none }, () => false),
    null,
  );
});

test.run();
