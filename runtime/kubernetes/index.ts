export { type ApiServer, apiServerOfPod, type PodPlace } from './api-server.js';
export { cgroupOfPod, type PodCgroup, type Runtime } from './cgroup-of-pod.js';
export {
  type ClusterFacts,
  type ClusterWorld,
  clusterWorld,
  type WorldOptions,
} from './cluster-world.js';
export { CODES as KUBERNETES_CODES } from './codes.js';
export { findPodCgroups } from './find-pod-cgroups.js';
export {
  type ClusterOptions,
  type ClusterPicture,
  type FollowedCluster,
  followCluster,
} from './follow-cluster.js';
export { apiServerOfKubeconfig } from './kubeconfig.js';
export { isKubernetesError, KubernetesError } from './kubernetes-error.js';
export { type Kind, type PackedFacts, unpackFacts } from './packed.js';
export { pictureLines, readPicture } from './picture-lines.js';
