/** What of nodes and namespaces matters: where a node is, and whether a namespace is in the mesh. */
import { labelsOf, objectOf, type Raw, textOf } from './raw.js';

export interface NodeFacts {
  readonly name: string;
  readonly region: string | null;
  readonly zone: string | null;
}

export interface NamespaceFacts {
  readonly name: string;
  readonly isEnrolled: boolean;
}

/** On a pod or its namespace: `false` keeps it out of the mesh. */
export const ENROLLED = 'weft.dev/enrolled';

export function readNode(raw: Raw): NodeFacts | null {
  const metadata = objectOf(raw['metadata']);
  const name = textOf(metadata['name']);
  if (name === null) return null;
  const labels = labelsOf(metadata['labels']);
  return {
    name,
    region: textOf(labels['topology.kubernetes.io/region']),
    zone: textOf(labels['topology.kubernetes.io/zone']),
  };
}

export function readNamespace(raw: Raw): NamespaceFacts | null {
  const metadata = objectOf(raw['metadata']);
  const name = textOf(metadata['name']);
  if (name === null) return null;
  return { name, isEnrolled: labelsOf(metadata['labels'])[ENROLLED] !== 'false' };
}
