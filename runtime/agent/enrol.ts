/**
 * Enrolment: the stubs attached to a cgroup by links that are pinned together. It happens from
 * outside, and nothing inside the cgroup can undo it.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupId, type Kernel, pinDirectory, removePinTree } from '../kernel/index.js';
import { AgentError } from './agent-error.js';
import { STUB_ATTACH } from './hooks.js';
import { encodeEnrolment, encodeU32, encodeU64 } from './layout.js';
import { ensureNode, sweepNode } from './node.js';
import { Owned } from './owned.js';
import { cgroupPath, type Paths, pinsOf } from './paths.js';
import { type Pinnable, pinAll, pinNames, unfinish } from './pins.js';
import { needsSockops } from './sockops.js';
import { type EnrolmentRecord, type NamedWorkload, readState, writeState } from './state.js';

/** Cgroup ids with pinned links. */
export function enrolledIds(paths: Paths): readonly string[] {
  return pinNames(pinsOf.links(paths));
}

/** Lets each loaded generation know whose cgroup this is. */
function identify(kernel: Kernel, paths: Paths, id: bigint, cgroup: string): string | null {
  let named: string | null = null;
  for (const { generation, names } of readState(paths).generations) {
    const index = names.workloads.findIndex(
      (w) => w.cgroup !== null && cgroupPath(paths, w.cgroup) === cgroup,
    );
    const pin = join(pinsOf.generation(paths, generation), 'maps', 'weft_cgroups');
    if (index < 0 || !existsSync(pin)) continue;
    using cgroups = kernel.openMap(pin);
    cgroups.update(encodeU64(id), encodeU32(index));
    named = names.workloads[index]?.name ?? null;
  }
  return named;
}

/** Enrols a cgroup (a path below the cgroup2 mount). Throws A010, A014, KernelError; then nothing is attached. */
export function enrol(kernel: Kernel, paths: Paths, cgroup: string): EnrolmentRecord {
  const path = cgroupPath(paths, cgroup);
  if (!existsSync(path)) {
    throw new AgentError('A010', `no cgroup \`${path}\` exists`, 'start the workload first');
  }
  const id = cgroupId(path);
  const links = join(pinsOf.links(paths), String(id));
  if (existsSync(links)) throw new AgentError('A014', `the cgroup \`${path}\` is enrolled already`);
  using node = ensureNode(kernel, paths);
  using owned = new Owned();
  const items = new Map<string, Pinnable>();
  const workload = identify(kernel, paths, id, path);
  const withSockops = needsSockops(paths);
  for (const [hook, attachType] of Object.entries(STUB_ATTACH)) {
    if (hook === 'sockops' && !withSockops) continue;
    const stub = owned.add(kernel.openProgram(join(pinsOf.stubs(paths), hook)));
    items.set(hook, owned.add(kernel.attachCgroup(stub, path, attachType)));
    // The storage exists from the first stub on that reads it; until it is set, hooks know no
    // identity and decide by `failure.unknownIdentity`: so before any stub that judges.
    if (hook === 'getpeername4')
      node.map('weft_enrolled').update(encodeU64(id), encodeEnrolment(id));
  }
  pinDirectory(pinsOf.links(paths));
  pinAll(links, items);
  const record = { cgroupId: String(id), cgroup: path, workload };
  const state = readState(paths);
  const others = state.enrolled.filter((e) => e.cgroupId !== record.cgroupId);
  writeState(paths, { ...state, enrolled: [...others, record] });
  return record;
}

/**
 * Detaches at once and removes the pins of one cgroup's links. First they stop counting as an
 * enrolment, so that a cgroup which lost some of its hooks is never reported as enrolled.
 */
export function detachLinks(kernel: Kernel, paths: Paths, id: string): void {
  const folder = unfinish(join(pinsOf.links(paths), id));
  for (const name of pinNames(folder)) {
    using link = kernel.openLink(join(folder, name));
    try {
      link.detach();
    } catch {
      // The cgroup is gone, and the attachment with it.
    }
  }
  removePinTree(folder);
}

/** Removes a cgroup from the mesh, by path or id. Throws A012 where it is not enrolled. */
export function unenrol(kernel: Kernel, paths: Paths, cgroup: string): EnrolmentRecord {
  sweepNode(paths);
  const state = readState(paths);
  const path = cgroupPath(paths, cgroup);
  const current = existsSync(path) ? String(cgroupId(path)) : null;
  const id = enrolledIds(paths).find(
    (known) =>
      known === cgroup ||
      known === current ||
      state.enrolled.some((e) => e.cgroupId === known && e.cgroup === path),
  );
  if (id === undefined) {
    throw new AgentError('A012', `\`${cgroup}\` is not enrolled`, 'see `weft status`');
  }
  detachLinks(kernel, paths, id);
  const record = state.enrolled.find((e) => e.cgroupId === id);
  writeState(paths, { ...state, enrolled: state.enrolled.filter((e) => e.cgroupId !== id) });
  return record ?? { cgroupId: id, cgroup: path, workload: null };
}

/** The cgroup of a workload as the newest generation names it. Throws A011 or A013. */
export function workloadCgroup(paths: Paths, name: string): string {
  const newest = readState(paths).generations.at(-1);
  if (newest === undefined) {
    throw new AgentError(
      'A013',
      'nothing is loaded, so no workload has a name yet',
      'load first, or use `--cgroup`',
    );
  }
  const found: NamedWorkload | undefined = newest.names.workloads.find((w) => w.name === name);
  if (found === undefined) throw new AgentError('A011', `no workload is named \`${name}\``);
  if (found.cgroup === null) {
    throw new AgentError(
      'A011',
      `the workload \`${name}\` has no cgroup in the world`,
      'use `--cgroup`',
    );
  }
  return found.cgroup;
}
