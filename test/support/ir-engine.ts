/**
 * The IR as an engine: stages of the compilation of each policy, kept as they went by, run by the evaluator
 * over the simulator's host functions. Each decision of a policy is taken by its next stage, in turn.
 */
import { ABI_IMPORTS, type ExportName, type ImportName } from '../../compiler/abi/index.js';
import { BugError } from '../../compiler/diagnostic/index.js';
import type { CompileInput } from '../../compiler/index.js';
import { type Evaluated, evaluator, MEMORY_IMAGE, type Module } from '../../compiler/ir/index.js';
import { FUNCTION_PART, policyFunction } from '../../compiler/lower/policy-function.js';
import { buildViewFunctions, VIEW_EXTERNS } from '../../compiler/passes/view-functions.js';
import type { StartPolicy } from '../../runtime/simulate/engine.js';
import { hostImports, OUT_OF_FUEL } from '../../runtime/simulate/host.js';

/** The module of a policy behind one pass. */
export interface Stage {
  readonly pass: string;
  readonly module: Module;
}

/** Keeps the stages that `wants` picks; `first` and `last` of a policy are kept always. */
export class StageKeeper {
  readonly #stages = new Map<number, Stage[]>();
  readonly #wants: () => boolean;
  #passes = 0;

  constructor(wants: () => boolean) {
    this.#wants = wants;
  }

  readonly observe: NonNullable<CompileInput['observe']> = (policy, pass, module) => {
    this.#passes += 1;
    // `build` is where simplifying begins, again behind `expand`; `drop-unused` is where all ends.
    const isEdge = pass === 'build' || pass === 'drop-unused' || pass === 'expand';
    if (!isEdge && !this.#wants()) return;
    const kept = this.#stages.get(policy) ?? [];
    this.#stages.set(policy, kept);
    const functions = structuredClone(module.functions);
    kept.push({ pass, module: { ...module, functions, images: [...module.images] } });
  };

  /** How many passes changed something. */
  get passes(): number {
    return this.#passes;
  }

  of(policy: number): readonly Stage[] {
    return this.#stages.get(policy) ?? [];
  }
}

/** A stage with what its views call, which is joined to it only in the bundle. */
function runnable({ module }: Stage): ReturnType<typeof evaluator> {
  const views = buildViewFunctions(new Set(VIEW_EXTERNS.map(({ name }) => name)));
  return evaluator({ ...module, functions: [...module.functions, ...views.functions] });
}

type Host = Readonly<Record<string, (...operands: never[]) => number | bigint | undefined>>;

/** Calls a host function as WebAssembly does. */
function answerOf(host: Host): (name: string, args: readonly bigint[]) => bigint {
  return (name, args) => {
    const call = host[name] as
      | ((...operands: unknown[]) => number | bigint | undefined)
      | undefined;
    const { params } = ABI_IMPORTS[name as ImportName];
    if (call === undefined) throw new BugError(`no host function \`${name}\``);
    const operands = args.map((value, i) =>
      params[i] === 'i64' ? BigInt.asIntN(64, value) : Number(BigInt.asIntN(32, value)),
    );
    return BigInt(call(...operands) ?? 0);
  };
}

function raise({ stop, value }: Evaluated): number {
  if (stop === 'fuel') throw OUT_OF_FUEL;
  if (stop !== null) throw new Error('trap');
  return Number(value);
}

/** Runs policies stage by stage; `used` hears which pass's stage takes a decision. */
export function irPolicies(
  stages: (policy: number) => readonly Stage[],
  used: (policy: number, pass: string) => void = () => undefined,
): StartPolicy {
  return (setup, policy, texts, current) => {
    const own = stages(policy.index);
    if (own.length === 0) throw new BugError(`no stage of \`${policy.name}\` was kept`);
    const image = own[0]?.module.images.find(({ name }) => name === MEMORY_IMAGE)?.bytes;
    const memory = { buffer: (image ?? new Uint8Array()).slice().buffer };
    const abi = answerOf(hostImports(setup.manifest, policy, texts, current, () => memory));
    const run = own.map(runnable);
    let turn = 0;
    const ask = (name: ExportName) => (): number => {
      const stage = turn++ % run.length;
      used(policy.index, own[stage]?.pass ?? '');
      const { view, base } = current;
      const struct = new Uint8Array(view.buffer, view.byteOffset + base);
      const function_ = policyFunction(policy.index, FUNCTION_PART[name]);
      const evaluate = run[stage];
      if (evaluate === undefined) throw new BugError('no stage');
      return raise(evaluate(function_, { abi, pointers: [struct] }));
    };
    const call = Object.fromEntries(policy.exports.map((name) => [name, ask(name)]));
    return { policy, call, fuel: null, reset: null };
  };
}
