export {
  type DescriptorStore,
  NO_STORE,
  openDescriptorStore,
  type StoreEnvironment,
} from './descriptor-store.js';
export { type Forward, type ForwardOptions, startForward } from './forward.js';
export type { Predecessor, Successor } from './hand-over.js';
export { upstreamName } from './inherit.js';
export {
  DOORS,
  decodeLease,
  decodePool,
  decodePoolKey,
  FORWARD_LAYOUT,
  FORWARD_MAPS,
  type Handover,
  type Name,
  type PoolKey,
  type Told,
} from './layout.js';
export type { AskedRequest, Judgement, Unreadable } from './session.js';
