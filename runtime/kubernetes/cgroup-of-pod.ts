/**
 * Which pod and container a cgroup belongs to, by its path alone, as kubelet and the container runtimes
 * write it:
 *
 * - systemd driver (kubelet, cgroup_manager_linux.go; containerd and cri-o by runc's systemd manager):
 *   `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod<UID with _>.slice/cri-containerd-<ID>.scope`,
 *   cri-o's containers are `crio-<ID>.scope`; a pod of class Guaranteed lies directly below `kubepods.slice`
 * - cgroupfs driver: `/kubepods/burstable/pod<UID>/<ID>`, cri-o's containers are `crio-<ID>`
 * - containerd with the cgroupfs driver under a kubelet with the systemd driver:
 *   `/kubepods-burstable-pod<UID with _>.slice:cri-containerd:<ID>`
 *
 * Whatever lies above (kubelet's `--cgroup-root`, kind's `kubelet.slice`) and below (cgroups that the
 * container made itself) does not matter.
 */

export type Runtime = 'containerd' | 'cri-o' | 'docker';

export interface PodCgroup {
  /** As in `metadata.uid`; for a static pod as in the annotation `kubernetes.io/config.hash`. */
  readonly uid: string;
  /** Null for the pod's own cgroup, which holds those of its containers. */
  readonly container: string | null;
  /** Null where the path does not tell: the cgroupfs driver of containerd and docker. */
  readonly runtime: Runtime | null;
  readonly driver: 'systemd' | 'cgroupfs';
}

const UID = '[0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32}';
const CLASS = '(?:besteffort|burstable)';
const SLICE = `(?:[\\w.]+-)?kubepods(?:-${CLASS})?-pod(${UID})\\.slice`;
const ID = '[0-9a-f]{64}';

const SYSTEMD = new RegExp(
  `/${SLICE}(?:/(?:(cri-containerd|crio|docker)-(${ID})\\.scope(?:/.*)?)?)?$`,
);
const MIXED = new RegExp(`/${SLICE}:(cri-containerd|crio|docker):(${ID})(?:/.*)?$`);
const CGROUPFS = new RegExp(
  `/kubepods/(?:${CLASS}/)?pod(${UID})(?:/(?:(crio-)?(${ID})(?:/.*)?)?)?$`,
);

const RUNTIMES: Readonly<Record<string, Runtime>> = {
  'cri-containerd': 'containerd',
  crio: 'cri-o',
  'crio-': 'cri-o',
  docker: 'docker',
};

/** The pod of a cgroup, written with a slash in front as in /proc/PID/cgroup; null where it is of none. */
export function cgroupOfPod(path: string): PodCgroup | null {
  for (const [pattern, driver] of [
    [MIXED, 'cgroupfs'],
    [SYSTEMD, 'systemd'],
    [CGROUPFS, 'cgroupfs'],
  ] as const) {
    const match = pattern.exec(path);
    if (match === null) continue;
    const [, uid = '', runtime = '', container = null] = match;
    return {
      uid: uid.replaceAll('_', '-'),
      container: container ?? null,
      runtime: RUNTIMES[runtime] ?? null,
      driver,
    };
  }
  return null;
}
