export type { ActiveBundle } from './active-bundle.js';
export { trustPolicyOf } from './admit.js';
export { AgentError, isAgentError, PlanError } from './agent-error.js';
export {
  type Applied,
  type NodeBundles,
  type NodeBundlesOptions,
  openNodeBundles,
} from './bundles.js';
export { CODES as AGENT_CODES } from './codes.js';
export { enrol, enrolledIds, unenrol, workloadCgroup } from './enrol.js';
export { type EnrolledAll, enrolAll, unenrolAll } from './enrol-all.js';
export { type EventOptions, readEvents } from './events.js';
export { KEPT, MAX_KEPT, pinnedGenerations } from './generations.js';
export { createKernelSimulator, type KernelSimulator } from './kernel-simulator.js';
export { type GoodBundle, readGood } from './last-good.js';
export { type Loaded, type LoadOptions, load, loadOrNote } from './load.js';
export { withLock } from './lock.js';
export { cgroupPath, machinePaths, type Paths, pinsOf } from './paths.js';
export { readSource, type Source } from './read-source.js';
export { type RolledBack, rollback } from './rollback.js';
export { readSeen, type Seen, type SeenOptions, type SeenSummary } from './seen.js';
export { createShadow, type Shadow, type ShadowCount, type ShadowOptions } from './shadow.js';
export { nodeCgroups, type Staged, type StageOptions, stage } from './stage.js';
export { type EnrolmentRecord, readState, type State } from './state.js';
export { type NodeStatus, nodeStatus } from './status.js';
export { LOAD_STEPS, type LoadStep, ROLLBACK_STEPS, type RollbackStep } from './steps.js';
export { type Unloaded, unload } from './unload.js';
export { measureVerified, type VerifiedCost } from './verified-cost.js';
