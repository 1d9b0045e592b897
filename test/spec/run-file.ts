/** Runs one script: V8 keeps its state, assertions on the same state are run together. */
import wabt from 'wabt';
import { type Exports, invoke, type State, spectest, start, stateOf } from './engine-v8.js';
import { EXCEPTIONS } from './exceptions.js';
import { type Command, type Const, type ModuleSource, readScript } from './read-script.js';
import { type Bench, type Case, type Outcome, runBatch } from './run-batch.js';
import { type Wrapped, wrapModule } from './wrap-module.js';

export interface Totals {
  /** Assertions on functions of integers. */
  assertions: number;
  /** Those that each engine got right. */
  evaluator: number;
  kernel: number;
  readonly excepted: Map<string, number>;
  /** `line: what`. */
  readonly failures: string[];
}

interface Loaded {
  readonly wrapped: Wrapped;
  readonly exports: Exports;
}

const assembler = wabt();

async function bytesOf(source: ModuleSource): Promise<Uint8Array> {
  if (source.kind === 'binary') return source.bytes;
  const module = (await assembler).parseWat('spec.wast', source.text, {
    bulk_memory: true,
    multi_value: true,
    mutable_globals: true,
    reference_types: true,
    sat_float_to_int: true,
    sign_extension: true,
    simd: true,
  });
  try {
    return module.toBinary({}).buffer;
  } finally {
    module.destroy();
  }
}

const sameState = (a: State, b: State): boolean =>
  Buffer.compare(a.memory ?? new Uint8Array(), b.memory ?? new Uint8Array()) === 0 &&
  a.globals.every((value, i) => value === b.globals[i]);

class ScriptRun {
  readonly totals: Totals = {
    assertions: 0,
    evaluator: 0,
    kernel: 0,
    excepted: new Map(),
    failures: [],
  };
  readonly #bench: Bench;
  readonly #named = new Map<string, Loaded>();
  readonly #imports: Record<string, Exports> = { spectest: spectest() };
  #current: Loaded | null = null;
  #batch: { readonly of: Loaded; readonly state: State; readonly cases: Case[] } | null = null;

  constructor(bench: Bench) {
    this.#bench = bench;
  }

  async command(command: Command): Promise<void> {
    switch (command.kind) {
      case 'module': {
        const wrapped = wrapModule(await bytesOf(command.source));
        this.#current = { wrapped, exports: start(wrapped.wasm, this.#imports) };
        if (command.name !== null) this.#named.set(command.name, this.#current);
        return;
      }
      case 'register': {
        const of = command.name === null ? this.#current : this.#named.get(command.name);
        if (of) this.#imports[command.as] = of.exports;
        return;
      }
      default:
        this.#call(command);
    }
  }

  #call(command: Command & { kind: 'action' | 'return' | 'trap' }): void {
    const { action, line } = command;
    const of = action.module === null ? this.#current : this.#named.get(action.module);
    if (!of) throw new Error(`${line}: no module`);
    const results = command.kind === 'return' ? command.results : null;
    if (
      command.kind === 'action' ||
      action.args === null ||
      (command.kind === 'return' && !results)
    ) {
      if (action.args !== null) invoke(of.exports, action);
      return;
    }
    const state = stateOf(of.wrapped.wasm, of.exports);
    if (this.#batch?.of !== of || !sameState(this.#batch.state, state)) {
      this.flush();
      this.#batch = { of, state, cases: [] };
    }
    this.#batch?.cases.push({ line, name: action.name, args: action.args, results });
    this.#check(line, invoke(of.exports, action), results);
  }

  #check(line: number, have: readonly bigint[] | null, want: readonly Const[] | null): void {
    const same =
      have === null || want === null ? have === want : want.every((w, i) => w.value === have[i]);
    if (!same) throw new Error(`${line}: V8 answers ${have?.join() ?? 'trap'}`);
  }

  flush(): void {
    const batch = this.#batch;
    this.#batch = null;
    if (batch === null) return;
    const { wasm, wrappers } = batch.of.wrapped;
    for (const outcome of runBatch(this.#bench, wasm, batch.state, wrappers, batch.cases)) {
      this.#count(outcome);
    }
  }

  #count({ case: one, refused, evaluator, kernel }: Outcome): void {
    const { totals } = this;
    totals.assertions += 1;
    const why = refused.flatMap((code) => EXCEPTIONS[code] ?? [])[0];
    if (why !== undefined) {
      totals.excepted.set(why, (totals.excepted.get(why) ?? 0) + 1);
      return;
    }
    if (refused.length > 0) totals.failures.push(`${one.line}: ${one.name}: ${refused.join()}`);
    else {
      if (evaluator === null) totals.evaluator += 1;
      else totals.failures.push(`${one.line}: ${one.name}: evaluator: ${evaluator}`);
      if (kernel === null) totals.kernel += 1;
      else totals.failures.push(`${one.line}: ${one.name}: kernel: ${kernel}`);
    }
  }
}

/** Runs all assertions of a script. */
export async function runFile(bench: Bench, text: string): Promise<Totals> {
  const run = new ScriptRun(bench);
  for (const command of readScript(text)) await run.command(command);
  run.flush();
  return run.totals;
}
