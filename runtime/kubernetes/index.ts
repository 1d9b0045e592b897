export { cgroupOfPod, type PodCgroup, type Runtime } from './cgroup-of-pod.js';
export { findPodCgroups } from './find-pod-cgroups.js';
export { followPods, type PodsOptions } from './follow-pods.js';
export { podWorkload, uidInCgroup, type WorkloadFacts } from './pod-workload.js';
