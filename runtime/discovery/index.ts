export { formatAddress, formatEndpoint, isV4Mapped, parseAddress } from './address.js';
export { CODES as DISCOVERY_CODES } from './codes.js';
export {
  ANONYMOUS,
  attributeText,
  type Identity,
  identityOf,
  predicateHolds,
  principalOf,
  type SymbolTable,
  symbolTable,
} from './identity.js';
export {
  clusterMembers,
  defaultClusterName,
  hasLabels,
  serviceMembers,
  shortName,
} from './members.js';
export {
  NO_CLUSTER,
  type Plan,
  type PlanCluster,
  type PlanEndpoint,
  type PlanFrontend,
  type PlanManifest,
  type PlanService,
  type PlanWorkload,
  PROTOCOL,
  planGeneration,
} from './plan.js';
export {
  attachedServices,
  attachedWorkloads,
  type PolicyTargets,
  policyTargets,
} from './policy-targets.js';
export { readWorld, type WorldRead } from './read-world.js';
export {
  type ResolvedCluster,
  resolveCluster,
  type UnresolvedCluster,
} from './resolve-cluster.js';
export { MAX_SCHEDULE, schedule } from './schedule.js';
export type * from './types.js';
