export {
  BPFFS_PATH,
  isBelowBpffs,
  isBpffsMounted,
  listPins,
  mountBpffs,
  pinDirectory,
  removePin,
  removePinTree,
} from './bpffs.js';
export { cgroupId, cgroupWithId, findCgroup2, ownCgroup } from './cgroup.js';
export { CODES } from './codes.js';
export { ATTACH_TYPE, CAPABILITY, MAP_FLAG, MAP_TYPE, PROGRAM_TYPE } from './constants.js';
export { type KernelOptions, openKernel } from './kernel.js';
export { errnoName, isKernelError, KernelError } from './kernel-error.js';
export type { SourcePosition } from './line-info.js';
export { addressText, isMapped } from './socket.js';
export type * from './types.js';
export {
  isVerifierError,
  sourcePosition,
  summarizeLog,
  VerifierError,
} from './verifier-error.js';
export { viewOf } from './view-of.js';
