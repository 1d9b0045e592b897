export {
  bitsOf,
  foldBinary,
  foldCompare,
  foldUnary,
  inverse,
  maskOf,
  readBytes,
  swapped,
} from './arithmetic.js';
export { CODES } from './codes.js';
export { Emitter } from './emitter.js';
export {
  type Evaluated,
  type EvaluateHost,
  evaluate,
  evaluator,
  type Term,
  type Watch,
} from './evaluate.js';
export { foldInstr, MEMORY_IMAGE } from './fold-instr.js';
export {
  components,
  type Dominators,
  dominatorOrder,
  dominators,
  type Loop,
  loops,
  postorder,
  predecessors,
  reversePostorder,
  successors,
} from './graph.js';
export {
  blockMap,
  definitions,
  hasEffect,
  mapOperands,
  mapTerm,
  newBlock,
  newValue,
  operandsOf,
  renameUses,
  resolver,
  targetsOf,
  termValue,
  useCounts,
  valueTypes,
} from './operands.js';
export { parse } from './parse.js';
export { IrTextError } from './parse-line.js';
export { print, printFunc, printInstr, printTerm } from './print.js';
export * from './types.js';
export { verify, verifyModule } from './verify.js';
