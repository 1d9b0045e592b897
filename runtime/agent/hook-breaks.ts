/**
 * Whether each enrolled cgroup still has the hooks that enrolment pinned: the kernel is asked what each
 * link runs and where. What somebody detached or replaced would let traffic pass unjudged.
 */
import { join } from 'node:path';
import { cgroupWithId, isKernelError, type Kernel } from '../kernel/index.js';
import { enrolledIds } from './enrol.js';
import { STUB_ATTACH } from './hooks.js';
import { type Paths, pinsOf } from './paths.js';
import { pinNames } from './pins.js';
import { needsSockops } from './sockops.js';

/** Number of a pinned stub; null where it is not there. */
function stubId(kernel: Kernel, paths: Paths, hook: string): number | null {
  try {
    using program = kernel.openProgram(join(pinsOf.stubs(paths), hook));
    return program.info().id;
  } catch (error) {
    if (isKernelError(error)) return null;
    throw error;
  }
}

function breakOf(
  kernel: Kernel,
  pin: string,
  { stub, cgroup }: { readonly stub: number | null; readonly cgroup: bigint },
): string | null {
  try {
    using link = kernel.openLink(pin);
    const info = link.info();
    // With the cgroup went everything that ran in it.
    if (info.cgroup === 0n) return null;
    if (info.cgroup !== cgroup) return `is attached to cgroup ${info.cgroup}`;
    return info.programId === stub ? null : `runs program ${info.programId}, pinned is ${stub}`;
  } catch (error) {
    if (isKernelError(error)) return 'has no link';
    throw error;
  }
}

/** Where the hooks of this node are not what was pinned, in words; empty where all are. */
export function hookBreaks(kernel: Kernel, paths: Paths): readonly string[] {
  const withSockops = needsSockops(paths);
  const wanted = Object.keys(STUB_ATTACH).filter((hook) => hook !== 'sockops' || withSockops);
  const stubs = new Map(wanted.map((hook) => [hook, stubId(kernel, paths, hook)]));
  return enrolledIds(paths).flatMap((id) => {
    const folder = join(pinsOf.links(paths), id);
    const there = new Set(pinNames(folder));
    if (
      !wanted.every((hook) => there.has(hook)) &&
      cgroupWithId(paths.cgroups, BigInt(id)) === null
    )
      return []; // gone, as below
    return wanted.flatMap((hook) => {
      const expected = { stub: stubs.get(hook) ?? null, cgroup: BigInt(id) };
      const found = there.has(hook)
        ? breakOf(kernel, join(folder, hook), expected)
        : 'is not pinned';
      return found === null ? [] : [`hook ${hook} of cgroup ${id} ${found}`];
    });
  });
}
