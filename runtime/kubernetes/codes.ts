/** Diagnostic codes of what follows a Kubernetes cluster. */
import type { CodeTable } from '../../compiler/diagnostic/index.js';

export const CODES: CodeTable = {
  N101: {
    title: 'the Kubernetes API server cannot be reached',
    help: 'what was known of the cluster stays in force, and it is asked again; check its address, its certificate, and the network',
  },
  N102: {
    title: 'the Kubernetes API server refuses this agent',
    help: 'it has to list and watch pods, nodes, namespaces, services and endpoint slices: see the ClusterRole of the chart',
  },
  N103: {
    title: 'an answer of the Kubernetes API server cannot be read',
    help: 'check that the address is that of an API server of Kubernetes 1.28 or later; the list is read anew',
  },
  N104: {
    title: 'no Kubernetes API server is known',
    help: 'in a pod write `--kubernetes in-cluster`, elsewhere `--kubernetes FILE` with a kubeconfig that has a current context',
  },
  N105: {
    title: 'part of the cluster is left out of the world',
    help: 'the message names the object; docs/kubernetes.md says what of a cluster becomes the world',
  },
};
