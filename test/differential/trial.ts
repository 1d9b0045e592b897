/** One bundle of generated policies and what it is asked: decided by every engine, and compared with V8. */
import type { Manifest } from '../../compiler/bundle/manifest.js';
import {
  ASKED,
  type Ask,
  createEngine,
  type RecordFields,
  readRecord,
} from '../../runtime/simulate/index.js';
import { mustCompileForSome } from '../support/compile-texts.js';
import { encodeAll, type Facts, Interner } from '../support/encode-connection.js';
import { encodeRequests, type RequestFacts } from '../support/encode-request.js';
import { kernelEngine, wasmEngine, wasmtimeEngine } from '../support/engines.js';
import { irPolicies, type Stage, StageKeeper } from '../support/ir-engine.js';
import { sameAnswer } from '../support/same-answer.js';

export interface Trial {
  readonly texts: ReadonlyMap<string, string>;
  readonly fuel: number;
  readonly asked: Asked;
}
export type Asked =
  | { readonly isRequest: false; readonly facts: readonly Facts[] }
  | { readonly isRequest: true; readonly facts: readonly RequestFacts[] };

export interface TrialOptions {
  /** Whether a stage of the compilation is kept, asked at each pass. */
  readonly keep: () => boolean;
  /** The IR decides every n-th; 0: each one by each kept stage. */
  readonly irEach: number;
  /** Changes a kept stage: a fault that the comparison must find. */
  readonly spoil?: (stage: Stage) => void;
}

/** An engine that does not answer as V8 does. */
export interface Difference {
  /** Which of the facts. */
  readonly index: number;
  /** `wasmtime`, `kernel`, or `ir behind <pass>`. */
  readonly engine: string;
  readonly answer: RecordFields;
}
export interface Tried {
  readonly manifest: Manifest;
  /** V8's. */
  readonly answers: readonly RecordFields[];
  readonly differences: readonly Difference[];
  /** Stages of the compilation that decided something, by the pass before them. */
  readonly stages: ReadonlyMap<string, number>;
}

/** The structs of some facts, taken out of all. */
function pick(bytes: Uint8Array, size: number, indices: readonly number[]): Uint8Array {
  const out = new Uint8Array(indices.length * size);
  indices.forEach((from, to) => {
    out.set(bytes.subarray(from * size, (from + 1) * size), to * size);
  });
  return out;
}

interface Question {
  readonly bytes: Uint8Array;
  readonly ask: Ask;
  readonly count: number;
}

function decideByStages(
  { manifest, symbols }: { readonly manifest: Manifest; readonly symbols: readonly string[] },
  { bytes, ask, count }: Question,
  keeper: StageKeeper,
  irEach: number,
): {
  answers: (readonly [index: number, pass: string, RecordFields])[];
  stages: Map<string, number>;
} {
  const most = Math.max(...manifest.policies.map(({ index }) => keeper.of(index).length));
  const all = Array.from({ length: count }, (_, i) => i);
  const indices =
    irEach === 0
      ? all.flatMap((i) => new Array<number>(most).fill(i))
      : all.filter((i) => i % irEach === 0);
  const stages = new Map<string, number>();
  let passes: string[] = [];
  const start = irPolicies(
    (policy) => keeper.of(policy),
    (_, pass) => {
      stages.set(pass, (stages.get(pass) ?? 0) + 1);
      passes.push(pass);
    },
  );
  const engine = createEngine({ manifest, wasm: [], symbols }, start);
  const { size } = ASKED[ask];
  const answers = indices.map((index) => {
    passes = [];
    const { records } = engine.decide(pick(bytes, size, [index]), ask);
    const record = readRecord(new DataView(records.buffer, records.byteOffset), 0);
    return [index, [...new Set(passes)].join(', '), record] as const;
  });
  return { answers, stages };
}

/** Compiles and decides. Throws where it does not compile, or a kernel does not take it. */
export async function tryTrial(trial: Trial, options: TrialOptions): Promise<Tried> {
  const { texts, fuel, asked } = trial;
  const keeper = new StageKeeper(options.keep);
  const bundle = await mustCompileForSome(texts, { budget: { fuel } }, keeper.observe);
  const { manifest } = bundle;
  const { spoil } = options;
  if (spoil !== undefined) {
    for (const { index } of manifest.policies) keeper.of(index).forEach(spoil);
  }
  const interner = new Interner(manifest);
  const bytes = asked.isRequest
    ? encodeRequests(asked.facts, manifest, interner)
    : encodeAll(asked.facts, manifest, interner);
  const ask: Ask = asked.isRequest ? 'bothRequest' : 'both';
  using v8 = wasmEngine(bundle, interner.added);
  const answers = await v8.decide(bytes, ask);
  const differences: Difference[] = [];
  const compare = (index: number, engine: string, answer: RecordFields): void => {
    const wanted = answers[index];
    if (wanted === undefined) throw new Error('an answer is missing');
    if (!sameAnswer(wanted, answer)) differences.push({ index, engine, answer });
  };
  using wasmtime = wasmtimeEngine(bundle, interner.added);
  using kernel = kernelEngine(bundle);
  for (const engine of [wasmtime, kernel]) {
    const others = await engine.decide(bytes, ask);
    if (others.length !== answers.length) throw new Error(`${engine.name} answers too few`);
    for (const [i, answer] of others.entries()) compare(i, engine.name, answer);
  }
  const question = { bytes, ask, count: asked.facts.length };
  const parts = { manifest, symbols: interner.added };
  const ir = decideByStages(parts, question, keeper, options.irEach);
  for (const [index, pass, answer] of ir.answers) compare(index, `ir behind ${pass}`, answer);
  return { manifest, answers, differences, stages: ir.stages };
}

/** A trial of some of the facts. */
export function withFacts(trial: Trial, facts: readonly (Facts | RequestFacts)[]): Trial {
  const asked = { isRequest: trial.asked.isRequest, facts } as Asked;
  return { ...trial, asked };
}
