/** Cgroups of pods: each runtime and driver, and what only looks like one. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cgroupOfPod } from '../../runtime/kubernetes/cgroup-of-pod.js';
import { findPodCgroups } from '../../runtime/kubernetes/find-pod-cgroups.js';

const test = suite('kubernetes: cgroups');
const UID = '0f2b1c3d-4e5f-6789-abcd-ef0123456789';
const FLAT = UID.replaceAll('-', '_');
const STATIC = '0123456789abcdef0123456789abcdef';
const ID = 'c0ffee00'.repeat(8);

for (const [name, path, want] of [
  [
    'systemd, containerd, burstable',
    `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${FLAT}.slice/cri-containerd-${ID}.scope`,
    [UID, ID, 'containerd', 'systemd'],
  ],
  [
    'systemd, cri-o, guaranteed',
    `/kubepods.slice/kubepods-pod${FLAT}.slice/crio-${ID}.scope`,
    [UID, ID, 'cri-o', 'systemd'],
  ],
  [
    'systemd, cri-o, a cgroup inside the container',
    `/kubepods.slice/kubepods-pod${FLAT}.slice/crio-${ID}.scope/container/worker`,
    [UID, ID, 'cri-o', 'systemd'],
  ],
  [
    'systemd, docker',
    `/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${FLAT}.slice/docker-${ID}.scope`,
    [UID, ID, 'docker', 'systemd'],
  ],
  [
    "systemd, below kind's slice",
    `/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/kubelet-kubepods-besteffort-pod${FLAT}.slice/cri-containerd-${ID}.scope`,
    [UID, ID, 'containerd', 'systemd'],
  ],
  [
    'systemd, the pod itself',
    `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${FLAT}.slice`,
    [UID, null, null, 'systemd'],
  ],
  [
    'systemd, a static pod',
    `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${STATIC}.slice`,
    [STATIC, null, null, 'systemd'],
  ],
  ['cgroupfs, containerd', `/kubepods/burstable/pod${UID}/${ID}`, [UID, ID, null, 'cgroupfs']],
  ['cgroupfs, guaranteed', `/kubepods/pod${UID}/${ID}`, [UID, ID, null, 'cgroupfs']],
  ['cgroupfs, cri-o', `/kubepods/besteffort/pod${UID}/crio-${ID}`, [UID, ID, 'cri-o', 'cgroupfs']],
  ['cgroupfs, the pod itself', `/kubepods/pod${UID}`, [UID, null, null, 'cgroupfs']],
  ['cgroupfs, another root', `/nested/kubepods/pod${UID}`, [UID, null, null, 'cgroupfs']],
  [
    'containerd by cgroupfs under kubelet by systemd',
    `/kubepods-burstable-pod${FLAT}.slice:cri-containerd:${ID}`,
    [UID, ID, 'containerd', 'cgroupfs'],
  ],
] as const) {
  test(name, () => {
    const pod = cgroupOfPod(path);
    assert.equal(pod && [pod.uid, pod.container, pod.runtime, pod.driver], want);
  });
}

for (const path of [
  '/',
  '/system.slice/containerd.service',
  '/kubepods.slice',
  '/kubepods.slice/kubepods-burstable.slice',
  '/kubepods/burstable',
  // One digit too few, a letter that is none, a class that there is not, no slice, a user's own unit.
  `/kubepods.slice/kubepods-pod${FLAT.slice(1)}.slice`,
  `/kubepods.slice/kubepods-pod${FLAT.replace('0f', 'zz')}.slice`,
  `/kubepods.slice/kubepods-best-pod${FLAT}.slice`,
  `/kubepods.slice/kubepods-pod${FLAT}`,
  `/user.slice/kubepods-pod${FLAT}.sliced`,
  `/kubepods/other/pod${UID}`,
  `/kubepods/burstable/pod${UID}/${ID.slice(1)}`,
  `/kubepods.slice/kubepods-pod${FLAT}.slice/evil-${ID}.scope`,
  `/home/kubepods-burstable-pod${FLAT}.slice:evil:${ID}`,
]) {
  test(`of no pod: ${path}`, () => assert.is(cgroupOfPod(path), null));
}

test('a hierarchy is walked to its pods, and no further', () => {
  const mount = mkdtempSync(join(tmpdir(), 'weft-cgroups-'));
  try {
    const pod = `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${FLAT}.slice`;
    const other = `/kubepods/pod${UID.replace('0f', '1f')}`;
    mkdirSync(join(mount, `${pod}/cri-containerd-${ID}.scope/deep`), { recursive: true });
    mkdirSync(join(mount, `${other}/${ID}`), { recursive: true });
    mkdirSync(join(mount, 'system.slice/ssh.service'), { recursive: true });
    mkdirSync(join(mount, `a/b/c/d/e/f/g/h/i/kubepods/pod${UID}`), { recursive: true });
    assert.equal(
      [...findPodCgroups(mount)].sort(),
      [
        [UID, pod],
        [UID.replace('0f', '1f'), other],
      ].sort(),
    );
    assert.is(findPodCgroups(join(mount, 'none')).size, 0);
  } finally {
    rmSync(mount, { recursive: true, force: true });
  }
});

test.run();
