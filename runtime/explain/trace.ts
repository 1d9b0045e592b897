/**
 * An engine of the simulator that tells what it does: policies run in the IR's evaluator, over the same structs and
 * with the same imports as under V8, and every question that is asked of a policy is kept with its steps.
 */
import { ABI_IMPORTS, type ExportName } from '../../compiler/abi/index.js';
import { BugError } from '../../compiler/diagnostic/index.js';
import {
  type Bundle,
  evaluate,
  FUNCTION_PART,
  type PolicyIr,
  policyFunction,
  reopenPolicy,
  type Term,
} from '../../compiler/index.js';
import {
  type Ask,
  createEngine,
  type EngineAnswer,
  type EngineSetup,
  hostImports,
  OUT_OF_FUEL,
  type StartPolicy,
  type WorkerEngine,
} from '../simulate/index.js';
import type { Naming } from './name-term.js';
import { valueReader } from './read-value.js';
import { isImportName, operationOf, type Place, type Step, stepOf } from './steps.js';

/** A choice that a run made, for coverage. */
export interface BranchTaken {
  readonly at: Place;
  /** Stays the same from run to run. */
  readonly key: string;
  /** 0 and 1 of a condition, the number of a case of a switch. */
  readonly taken: number;
}

/** One question that was asked of one policy. */
export interface Question {
  readonly policy: string;
  readonly export: ExportName;
  /** Number of the batch in which it was asked: client and server ask apart. */
  readonly round: number;
  readonly ask: Ask;
  readonly steps: readonly Step[];
  readonly branches: readonly BranchTaken[];
  /** The answer of the policy's function; null where it stopped early. */
  readonly answer: number | null;
  /** Why it stopped. */
  readonly stop: string | null;
}

/** Steps of a question that are kept: a loop that runs out of fuel has very many. */
const MAX_STEPS = 1000;

/** Answers by the key of a step in place of what the input says. */
export type Forced = ReadonlyMap<string, boolean>;

export class Tracer {
  readonly #irs: ReadonlyMap<string, PolicyIr>;
  #questions: Question[] = [];
  #forced: Forced = new Map();
  #round = 0;
  #work = 0;
  #ask: Ask = 'both';

  constructor(bundle: Pick<Bundle, 'manifest' | 'wasm' | 'maps'>) {
    const { policies } = bundle.manifest;
    this.#irs = new Map(policies.map((entry) => [entry.name, reopenPolicy(bundle, entry)]));
  }

  /** IR of the policies, by name. */
  get irs(): ReadonlyMap<string, PolicyIr> {
    return this.#irs;
  }

  /** Begins anew: what was noted is forgotten. */
  reset(forced: Forced = new Map()): void {
    this.#questions = [];
    this.#forced = forced;
    this.#round = 0;
  }

  /** Values computed since it was made: the measure of what its runs cost. */
  get work(): number {
    return this.#work;
  }

  /** What was asked since the last reset. */
  get questions(): readonly Question[] {
    return this.#questions;
  }

  /** For `openSimulator`. */
  readonly startEngine = (setup: EngineSetup): WorkerEngine => {
    const engine = createEngine(setup, this.#start);
    return {
      decide: async (structs: Uint8Array, ask: Ask): Promise<EngineAnswer> => {
        this.#round += 1;
        this.#ask = ask;
        return engine.decide(structs, ask);
      },
      [Symbol.asyncDispose]: async () => {},
    };
  };

  readonly #start: StartPolicy = (setup, policy, texts, current) => {
    const ir = this.#irs.get(policy.name);
    if (ir === undefined) throw new BugError(`no IR of \`${policy.name}\``);
    const buffer = ir.memory.slice().buffer;
    const imports = hostImports(setup.manifest, policy, texts, current, () => ({ buffer }));
    const naming: Naming = {
      ir,
      read: valueReader(texts, current, { manifest: setup.manifest, policy }),
    };
    const abi = (name: string, args: readonly bigint[]): bigint => {
      if (!isImportName(name)) throw new BugError(`\`${name}\` is no import`);
      const operands = ABI_IMPORTS[name].params.map((kind, i) =>
        kind === 'i64'
          ? BigInt.asIntN(64, args[i] ?? 0n)
          : Number(BigInt.asIntN(32, args[i] ?? 0n)),
      );
      return BigInt(
        (imports[name] as (...all: readonly unknown[]) => number | bigint)(...operands) ?? 0,
      );
    };
    const call = policy.exports.map((name) => [name, () => this.#run(naming, name, abi)] as const);
    return { policy, call: Object.fromEntries(call), fuel: null, reset: null };
  };

  #run(
    naming: Naming,
    name: ExportName,
    abi: (name: string, args: readonly bigint[]) => bigint,
  ): number {
    const { ir } = naming;
    const steps: Step[] = [];
    const branches: BranchTaken[] = [];
    const times = new Map<string, number>();
    const term = (term: Term): bigint => {
      const operation = operationOf(term, ir);
      this.#work += 1;
      const time = times.get(operation) ?? 0;
      const step = stepOf(term, time, naming);
      if (step === null) return term.value;
      times.set(operation, time + 1);
      const forced = this.#forced.get(step.key);
      const isTurned = forced !== undefined && step.holds !== null && forced !== step.holds;
      if (steps.length < MAX_STEPS) steps.push(isTurned ? { ...step, holds: forced } : step);
      return isTurned ? BigInt(term.value === 0n) : term.value;
    };
    const question = { policy: ir.entry.name, export: name, round: this.#round, ask: this.#ask };
    const note = (answer: number | null, stop: string | null): void => {
      this.#questions.push({ ...question, steps, branches, answer, stop });
    };
    try {
      const { stop, value } = evaluate(
        ir.module,
        policyFunction(ir.entry.index, FUNCTION_PART[name]),
        {
          abi,
          pointers: [new Uint8Array()],
          watch: {
            term,
            branch: (func, block, _, taken) => {
              const at = block.term.loc === null ? undefined : ir.module.positions[block.term.loc];
              if (at === undefined) return;
              const { file, line, column } = at;
              branches.push({
                at: { file, line, column },
                key: `${ir.entry.name} ${func.name} ${block.id}`,
                taken,
              });
            },
          },
        },
      );
      if (stop === 'fuel') throw OUT_OF_FUEL;
      if (stop !== null) throw new RangeError('the policy stopped');
      note(Number(value), null);
      return Number(value);
    } catch (error) {
      if (error instanceof BugError) throw error;
      note(null, error instanceof Error ? error.message : 'trap');
      throw error;
    }
  }
}
