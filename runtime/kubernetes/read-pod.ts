/** What of a pod matters: who it is, where it answers, whether it may be asked. All else is dropped as it comes. */
import { type Address, parseAddress } from '../discovery/index.js';
import { type Labels, labelsOf, listOf, objectOf, type Raw, textOf } from './raw.js';

export interface PodFacts {
  /** As the path of its cgroup has it. */
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly node: string;
  readonly addresses: readonly Address[];
  readonly labels: Labels;
  readonly serviceAccount: string;
  /** Ready, and not being deleted: whoever leaves is asked no more. */
  readonly isReady: boolean;
}

/** What kubelet names a static pod's cgroup by, instead of the uid that the API server gives. */
const CONFIG_HASH = 'kubernetes.io/config.hash';

function isTrue(conditions: unknown, type: string): boolean {
  return listOf(conditions)
    .map(objectOf)
    .some((condition) => condition['type'] === type && condition['status'] === 'True');
}

/** Addresses of a list of `{ ip }`, without those that are none. */
function addressesOf(list: unknown): Address[] {
  return listOf(list).flatMap((entry) => {
    const text = textOf(objectOf(entry)['ip']);
    return (text === null ? null : parseAddress(text)) ?? [];
  });
}

/**
 * The facts of a pod; null for one that has no address of its own: not scheduled, not started, ended,
 * or on the node's network, where an address does not tell whose it is.
 */
export function readPod(raw: Raw): PodFacts | null {
  const metadata = objectOf(raw['metadata']);
  const spec = objectOf(raw['spec']);
  const status = objectOf(raw['status']);
  const [name, namespace] = [textOf(metadata['name']), textOf(metadata['namespace'])];
  const [node, ownUid] = [textOf(spec['nodeName']), textOf(metadata['uid'])];
  const uid = textOf(objectOf(metadata['annotations'])[CONFIG_HASH]) ?? ownUid;
  const addresses = addressesOf(status['podIPs']);
  if (name === null || namespace === null || node === null || uid === null) return null;
  if (spec['hostNetwork'] === true || addresses.length === 0) return null;
  if (status['phase'] === 'Succeeded' || status['phase'] === 'Failed') return null;
  return {
    ...{ uid, name, addresses, namespace, node, labels: labelsOf(metadata['labels']) },
    serviceAccount: textOf(spec['serviceAccountName']) ?? 'default',
    isReady:
      isTrue(status['conditions'], 'Ready') && textOf(metadata['deletionTimestamp']) === null,
  };
}
