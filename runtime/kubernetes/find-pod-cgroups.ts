/** The cgroups of pods that there are on this node, found by walking the hierarchy. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupOfPod } from './cgroup-of-pod.js';

/** kubelet's own are at most four deep; below that lie those that containers made. */
const MAX_DEPTH = 8;

/** Paths of pods' own cgroups below the mount, by uid. A pod that ends meanwhile is left out. */
export function findPodCgroups(mount: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const visit = (path: string, depth: number): void => {
    const pod = path === '' ? null : cgroupOfPod(path);
    if (pod !== null) {
      // With a mixed driver only containers have cgroups: the pod's is its first container's.
      if (!found.has(pod.uid)) found.set(pod.uid, path);
      return;
    }
    if (depth === MAX_DEPTH) return;
    for (const name of foldersIn(join(mount, path))) visit(`${path}/${name}`, depth + 1);
  };
  visit('', 0);
  return found;
}

function foldersIn(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    return [];
  }
}
