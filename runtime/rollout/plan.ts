/** Reads a rollout plan: the schema's form, the defaults, and what a schema cannot say. */
import { type Diagnostic, diagnostic, hasErrors } from '../../compiler/diagnostic/index.js';
import { type DocumentPath, type DocumentRead, readDocument } from '../schema/index.js';
import { CODES } from './codes.js';
import { durationText, readDuration } from './duration.js';
import type { Gates, Labels, OnShut, RolloutSpec, Stage, StageKind } from './types.js';

/** A plan as it is written (rollout-plan.schema.json). */
export interface Plan {
  readonly target?: Labels;
  readonly stages: readonly PlanStage[];
  readonly gates?: PlanGates;
  readonly onShut?: OnShut;
}

export interface PlanStage {
  readonly stage: StageKind;
  readonly percent?: number;
  readonly labels?: Labels;
  readonly for?: string;
  readonly pause?: boolean;
}

export interface PlanGates {
  readonly refusals?: number;
  readonly rise?: number;
  readonly differences?: number;
  readonly atLeast?: number;
  readonly silence?: string;
  readonly confirm?: string;
}

/** Nodes report every 5 to 10 s: a gate that is narrower shuts on nodes that are well. */
const LEAST_SILENCE_MS = 20_000;

/** What holds where a plan is silent. */
export const PLAN_DEFAULTS: { readonly for: string } & Required<PlanGates> = {
  for: '1m',
  refusals: 0,
  rise: 0.05,
  differences: 0.01,
  atLeast: 50,
  silence: '30s',
  confirm: '2m',
};

type At = DocumentRead['at'];

/** Finds what contradicts itself. */
class Check {
  readonly found: Diagnostic[] = [];
  readonly #at: At;
  constructor(at: At) {
    this.#at = at;
  }
  fault(code: 'C101' | 'C102', message: string, path: DocumentPath): void {
    const help = CODES[code]?.help ?? null;
    this.found.push(diagnostic(code, message, { at: this.#at(path), help }));
  }
  duration(text: string, path: DocumentPath): number {
    const ms = readDuration(text);
    if (ms === null) this.fault('C102', `\`${text}\` is not a duration`, path);
    return ms ?? 0;
  }
}

function checkOrder(stages: readonly PlanStage[], check: Check): void {
  let most = 0;
  for (const [i, { stage, percent, labels }] of stages.entries()) {
    const path = ['stages', i];
    const isLast = i === stages.length - 1;
    const choices = [percent, labels].filter((c) => c !== undefined).length;
    if (stage === 'canary' && choices !== 1)
      check.fault('C101', 'a canary needs either `percent` or `labels`', path);
    if (stage !== 'canary' && choices > 0)
      check.fault('C101', `\`${stage}\` takes neither \`percent\` nor \`labels\``, path);
    if (stage === 'shadow' && i > 0) check.fault('C101', '`shadow` is not the first stage', path);
    if ((stage === 'all') !== isLast)
      check.fault('C101', isLast ? 'the last stage is not `all`' : '`all` is not the last', path);
    if (percent === undefined) continue;
    if (percent <= most)
      check.fault('C101', `${percent} percent is no more than the ${most} before`, path);
    most = percent;
  }
}

function stageOf(raw: PlanStage, i: number, check: Check): Stage {
  const { stage: kind, percent = null, labels = null, pause = false } = raw;
  const holdMs = check.duration(raw.for ?? PLAN_DEFAULTS.for, ['stages', i, 'for']);
  return { kind, percent, labels, holdMs, pause };
}

function gatesOf(raw: PlanGates, check: Check): Gates {
  const { refusals, rise, differences, atLeast, silence, confirm } = { ...PLAN_DEFAULTS, ...raw };
  const at = ['gates', 'silence'];
  const silenceMs = check.duration(silence, at);
  if (readDuration(silence) !== null && silenceMs < LEAST_SILENCE_MS) {
    const least = durationText(LEAST_SILENCE_MS);
    check.fault('C102', `\`silence\` is less than ${least}: nodes that are well say no more`, at);
  }
  return {
    ...{ refusals, rise, differences, atLeast, silenceMs },
    confirmMs: check.duration(confirm, ['gates', 'confirm']),
  };
}

/** Reads a plan; `spec` is null where there are errors. `hasTarget` tells a plan that names all nodes from one that names none. */
export function readPlan(
  text: string,
  file: string,
): {
  readonly spec: RolloutSpec | null;
  readonly hasTarget: boolean;
  readonly diagnostics: readonly Diagnostic[];
} {
  const { value, diagnostics, at } = readDocument(text, file, 'rollout-plan');
  if (value === null) return { spec: null, hasTarget: false, diagnostics };
  const raw = value as Plan;
  const check = new Check(at);
  checkOrder(raw.stages, check);
  const spec: RolloutSpec = {
    target: raw.target ?? {},
    stages: raw.stages.map((stage, i) => stageOf(stage, i, check)),
    gates: gatesOf(raw.gates ?? {}, check),
    onShut: raw.onShut ?? 'rollback',
  };
  const all = [...diagnostics, ...check.found];
  const hasTarget = raw.target !== undefined;
  return { spec: hasErrors(all) ? null : spec, hasTarget, diagnostics: all };
}
