export { BugError, unreachable } from './bug-error.js';
export type { CodeTable } from './code-table.js';
export { CodedError } from './coded-error.js';
export {
  type Diagnostic,
  type DiagnosticOptions,
  diagnostic,
  hasErrors,
  type Position,
  type Severity,
} from './diagnostic.js';
export { messageOf } from './message-of.js';
export { type RenderOptions, renderDiagnostic, summarize } from './render.js';
