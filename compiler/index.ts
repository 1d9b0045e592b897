/** The compiler's door: a project in, a bundle and diagnostics out. */
export {
  type Attachment,
  BUNDLE_CODES,
  type Bundle,
  bundleDigest,
  combine,
  combineRoutes,
  type Decision,
  type DecodeOutcome,
  decodeBundle,
  encodeBundle,
  type FunctionCost,
  type Manifest,
  type Outcome,
  type PolicyEntry,
  type RuleEntry,
} from './bundle/index.js';
export type { Budget, PolicyConfig, ProjectConfig } from './bundle/project.js';
export { BUDGET_CODES } from './check-budget.js';
export {
  type ClusterCheck,
  type CompileInput,
  type CompileOutcome,
  compileProject,
  policyName,
  type Stages,
} from './compile.js';
export { compileTests } from './compile-tests.js';
export { ruleText } from './frontend/rule-text.js';
export {
  type BinaryOp,
  type Block,
  type BlockId,
  bitsOf,
  type CompareOp,
  evaluate,
  type Func,
  foldBinary,
  foldCompare,
  foldUnary,
  type Instr,
  type IntType,
  loops,
  MEMORY_IMAGE,
  maskOf,
  operandsOf,
  readBytes,
  reversePostorder,
  swapped,
  type Target,
  type Term,
  type Type,
  targetsOf,
  termValue,
  type UnaryOp,
  type ValueId,
  type Watch,
} from './ir/index.js';
export { FUNCTION_PART, policyFunction } from './lower/policy-function.js';
export type { AbiCall } from './passes/expand-abi-resolve.js';
export { PolicyCache } from './policy-cache.js';
export { type PolicyIr, reopenPolicy } from './reopen-policy.js';
export { buildRegexAutomaton } from './tables/regex-automaton.js';
export { type TestCode, type TestModule, testModule } from './test-module.js';
