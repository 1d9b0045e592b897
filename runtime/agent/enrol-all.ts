/** Enrolment of every workload of the loaded world that this node has, and its reverse. */
import { existsSync } from 'node:fs';
import { cgroupId, type Kernel } from '../kernel/index.js';
import { AgentError, isAgentError } from './agent-error.js';
import { enrol, enrolledIds, unenrol } from './enrol.js';
import { withLock } from './lock.js';
import { sweepNode } from './node.js';
import { cgroupPath, type Paths } from './paths.js';
import { type EnrolmentRecord, readState } from './state.js';

export interface EnrolledAll {
  readonly enrolled: readonly EnrolmentRecord[];
  /** Names of workloads that were enrolled before. */
  readonly already: readonly string[];
  /** Names of workloads without a cgroup on this node. */
  readonly absent: readonly string[];
}

/** Enrols each workload of the newest generation whose cgroup exists. Throws A013, KernelError. */
export function enrolAll(kernel: Kernel, paths: Paths): EnrolledAll {
  const newest = readState(paths).generations.at(-1);
  if (newest === undefined) {
    const message = 'nothing is loaded, so there is no world to enrol';
    throw new AgentError('A013', message, 'load first, or use `--cgroup`');
  }
  const enrolled: EnrolmentRecord[] = [];
  const already: string[] = [];
  const absent: string[] = [];
  for (const { name, cgroup } of newest.names.workloads) {
    if (cgroup === null || !existsSync(cgroupPath(paths, cgroup))) {
      absent.push(name);
      continue;
    }
    try {
      enrolled.push(enrol(kernel, paths, cgroup));
    } catch (error) {
      if (!isAgentError(error) || error.code !== 'A014') throw error;
      already.push(name);
    }
  }
  return { enrolled, already, absent };
}

/** Removes those whose cgroup is gone, or is another one under the same name. Throws A001, KernelError. */
export async function unenrolGone(
  kernel: Kernel,
  paths: Paths,
): Promise<readonly EnrolmentRecord[]> {
  const isGone = ({ cgroup, cgroupId: id }: EnrolmentRecord): boolean => {
    try {
      return String(cgroupId(cgroupPath(paths, cgroup))) !== id;
    } catch {
      return true;
    }
  };
  // Nobody is kept waiting for a look.
  if (!readState(paths).enrolled.some(isGone)) return [];
  return withLock(paths, () =>
    readState(paths)
      .enrolled.filter(isGone)
      .map(({ cgroupId: id }) => unenrol(kernel, paths, id)),
  );
}

/** Removes every cgroup from the mesh; harmless where none is in it. Throws KernelError. */
export function unenrolAll(kernel: Kernel, paths: Paths): readonly EnrolmentRecord[] {
  sweepNode(paths);
  return enrolledIds(paths).map((id) => unenrol(kernel, paths, id));
}
