/** Lowering: IR to eBPF instructions. */
export { MAX_FRAMES, MAX_STACK } from './call-chains.js';
export { CODES } from './codes.js';
export {
  AUTHORIZE_FUNCTION,
  AUTHORIZE_REQUEST_FUNCTION,
  buildDispatcher,
  type DispatchRules,
  policyFunction,
  ROUTE_FUNCTION,
  ROUTE_REQUEST_FUNCTION,
} from './dispatcher.js';
export { type LowerOptions, lowerFunction } from './lower-function.js';
export { type Lowered, lowerModule } from './lower-module.js';
export type { Line, LoweredFunction } from './lowered-function.js';
export { printLowered } from './print-lowered.js';
export { MOST_KEPT, type Walked, walkFunction } from './walk/walk-function.js';
