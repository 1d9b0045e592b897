export type { Admin, AdminPlace, Applying, EventFilter, Watched } from './admin.js';
export { type Begin, begin, type Changed } from './begin.js';
export { CHANGES, type Change, type ChangeInput, change } from './change.js';
export { type ClusterRule, type NodeRow, nodeRows, ruleTotals } from './cluster.js';
export { CODES as ROLLOUT_CODES } from './codes.js';
export { type Desired, desired, rolloutOf, settledDigest } from './desired.js';
export { durationText, readDuration } from './duration.js';
export { hasTaken, isHeard, type Observed, shutGate } from './gates.js';
export { PLAN_DEFAULTS, type Plan, type PlanGates, type PlanStage, readPlan } from './plan.js';
export { type Progress, progressOf } from './progress.js';
export { decodeRollout, encodeRollout, RolloutError } from './read-rollout.js';
export { isOfStage, isOnNew, isTargeted } from './select-nodes.js';
export { shortDigest } from './short-digest.js';
export { stageText, step } from './step.js';
export type {
  Gates,
  HistoryEntry,
  Labels,
  Mark,
  NodeReport,
  OnShut,
  PausedBy,
  RolloutDocument,
  RolloutSpec,
  RolloutState,
  RuleCount,
  ShadowCounts,
  Stage,
  StageKind,
} from './types.js';
