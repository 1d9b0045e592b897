export { balanceChains } from './balance-chains.js';
export { dropUnused } from './drop-unused.js';
export { eliminateCommonSubexpressions } from './eliminate-common-subexpressions.js';
export { eliminateDeadCode } from './eliminate-dead-code.js';
export { expandArithmetic } from './expand-arithmetic.js';
export { foldConstants } from './fold-constants.js';
export { foldMemory } from './fold-memory.js';
export { foldPlaces } from './fold-places.js';
export { type Calls, guardLoops, type Walk } from './guard-loops.js';
export { indexMemory } from './index-memory.js';
export { inline } from './inline.js';
export { inlinePolicies } from './inline-policies.js';
export { lowerSwitch } from './lower-switch.js';
export { mergeWays } from './merge-ways.js';
export { mostOf } from './most.js';
export {
  type OptimizeOptions,
  optimize,
  type PassObserver,
  type SimplifyOptions,
  simplify,
} from './optimize.js';
export { orderBlocks } from './order-blocks.js';
export { partCompares } from './part-compares.js';
export { promoteMemory } from './promote-memory.js';
export { reduceStrength } from './reduce-strength.js';
export { repairSsa } from './repair-ssa.js';
export { simplifyBranches } from './simplify-branches.js';
export { simplifyParams } from './simplify-params.js';
export { sinkLoads } from './sink-loads.js';
export { sinkValues } from './sink-values.js';
export { threadBranches } from './thread-branches.js';
export type { FunctionPass, ModulePass } from './types.js';
export { unrollLoops } from './unroll-loops.js';
