/**
 * Runs the assertions on one state of one module: every entry in the IR evaluator and, joined into few
 * objects, in the kernel.
 */
import { CONNECTION } from '../../compiler/abi/index.js';
import { evaluate, type Func, type Module } from '../../compiler/ir/index.js';
import type { Kernel } from '../../runtime/kernel/index.js';
import { loadBatch, makeBatch, runEntry } from '../differential/kernel-batch.js';
import { buildEntry, ENDED, MAX_ARGS, prepare } from './build-entry.js';
import type { State } from './engine-v8.js';
import type { Const } from './read-script.js';
import type { Wrapper } from './wrap-module.js';

/** An assertion on a function: what it must return, or null where it must trap. */
export interface Case {
  readonly line: number;
  readonly name: string;
  readonly args: readonly Const[];
  readonly results: readonly Const[] | null;
}
export interface Outcome {
  readonly case: Case;
  /** Codes of what the compiler refuses, or `verifier`, `stack`: where it is not empty nothing ran. */
  readonly refused: readonly string[];
  /** What each engine answered where it was wrong; null where it was right. */
  readonly evaluator: string | null;
  readonly kernel: string | null;
}
export interface Bench {
  readonly kernel: Kernel;
  readonly hook: Uint8Array;
}

/** Programs of one object: the kernel allows 256 functions. */
const ENTRIES = 40;

type Run = (word: number) => number;

/** How a call ended, and the words of its results. */
function observe(run: Run, words: number): string {
  const ended = run(0);
  if (ended === ENDED.trap) return 'trap';
  if (ended === ENDED.fuel) return 'fuel';
  if (ended !== ENDED.returned) return `ended ${ended}`;
  return Array.from({ length: words }, (_, i) => run(i + 1).toString(16)).join(' ');
}

function wanted(results: readonly Const[] | null): string {
  if (results === null) return 'trap';
  return results
    .flatMap(({ type, value }) => (type === 'i64' ? [value & 0xffffffffn, value >> 32n] : [value]))
    .map((word) => word.toString(16))
    .join(' ');
}

function input(one: Case, word: number): Uint8Array {
  const bytes = new Uint8Array(CONNECTION.size);
  const view = new DataView(bytes.buffer);
  for (const [i, { value }] of one.args.entries()) view.setBigUint64(8 * i, value, true);
  view.setUint32(8 * one.args.length, word, true);
  return bytes;
}

interface Entry {
  readonly name: string;
  readonly module: Module;
  readonly func: Func;
  readonly words: number;
  readonly cases: readonly Case[];
}

function compareEntry(entry: Entry, inKernel: (bytes: Uint8Array) => number): Outcome[] {
  return entry.cases.map((one) => {
    const want = wanted(one.results);
    const evaluated = observe((word) => {
      const { value } = evaluate(entry.module, entry.func.name, { pointers: [input(one, word)] });
      return Number(value & 0xffffffffn);
    }, entry.words);
    const ran = observe((word) => inKernel(input(one, word)), entry.words);
    return {
      case: one,
      refused: [],
      evaluator: evaluated === want ? null : `${evaluated}, not ${want}`,
      kernel: ran === want ? null : `${ran}, not ${want}`,
    };
  });
}

function refuse(cases: readonly Case[], refused: readonly string[]): Outcome[] {
  return cases.map((one) => ({ case: one, refused, evaluator: null, kernel: null }));
}

/** Loads entries together; where the verifier refuses, apart, to find out which. */
function runEntries(bench: Bench, entries: readonly Entry[]): Outcome[] {
  const image = entries.flatMap((e) => e.module.images)[0];
  const module: Module = {
    name: 'spec',
    functions: entries.flatMap((e) => e.module.functions),
    images: image === undefined ? [] : [image],
    positions: [],
    externs: [],
  };
  try {
    const batch = makeBatch(module, { mayGoto: true });
    const left = entries.filter((e) => !batch.entries.includes(e.func));
    const outcomes = left.flatMap((e) => refuse(e.cases, ['stack']));
    const fitting = entries.filter((e) => batch.entries.includes(e.func));
    if (fitting.length === 0) return outcomes;
    using loaded = loadBatch(bench.kernel, bench.hook, batch.object);
    for (const entry of fitting) {
      const which = batch.entries.indexOf(entry.func);
      outcomes.push(...compareEntry(entry, (bytes) => runEntry(loaded, which, bytes)));
    }
    return outcomes;
  } catch (error) {
    if (entries.length > 1) return entries.flatMap((entry) => runEntries(bench, [entry]));
    const text = String(error);
    return refuse(entries[0]?.cases ?? [], [`not loaded: ${text.slice(0, 200)}`]);
  }
}

/** Runs the assertions on the functions of a module in a state. */
export function runBatch(
  bench: Bench,
  wasm: Uint8Array,
  state: State,
  wrappers: ReadonlyMap<string, Wrapper>,
  cases: readonly Case[],
): Outcome[] {
  const prepared = prepare(wasm, state);
  const outcomes: Outcome[] = [];
  const entries: Entry[] = [];
  for (const name of new Set(cases.map((one) => one.name))) {
    const own = cases.filter((one) => one.name === name);
    const wrapper = wrappers.get(name);
    if (wrapper === undefined || wrapper.params.length >= MAX_ARGS) {
      outcomes.push(...refuse(own, [wrapper === undefined ? 'I101' : 'arguments']));
      continue;
    }
    const built = buildEntry(prepared, wrapper, entries.length);
    if (!built.ok) {
      const written = !prepared.module.tablesKnown && built.codes.includes('I105');
      outcomes.push(...refuse(own, written ? ['table'] : built.codes));
      continue;
    }
    const func = built.module.functions.find((f) => f.kind === 'entry');
    if (func === undefined) throw new Error('the entry is gone');
    const words = wrapper.results.reduce((n, type) => n + (type === 'i64' ? 2 : 1), 0);
    entries.push({ name, module: built.module, func, words, cases: own });
  }
  for (let i = 0; i < entries.length; i += ENTRIES) {
    outcomes.push(...runEntries(bench, entries.slice(i, i + ENTRIES)));
  }
  return outcomes;
}
