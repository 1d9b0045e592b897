export { type DeclaredTable, declaredTables, type TableKind } from './declared.js';
export type { LookUp } from './entry-hit.js';
export { type Decide, type ExplainOptions, type Explanation, explain } from './explain.js';
export type { Seen } from './name-term.js';
export type { Nearest } from './nearest.js';
export { predicatesOf } from './predicates.js';
export {
  type ExplanationDocument,
  explanationDocument,
  printExplanation,
  withoutRepetitions,
} from './print-explanation.js';
export { ABSENT } from './read-value.js';
export type { Place, Step } from './steps.js';
export { type BranchTaken, type Forced, type Question, Tracer } from './trace.js';
