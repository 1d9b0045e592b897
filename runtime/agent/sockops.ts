/**
 * Whether the sockops stub is attached. A connection runs it a dozen times, so it is on enrolled
 * cgroups only while a loaded generation judges requests; which one does, its pins say: no other
 * has the program.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { REQUEST_HOOK } from '../../compiler/abi/index.js';
import type { Manifest } from '../../compiler/bundle/manifest.js';
import { cgroupWithId, type Kernel, removePin } from '../kernel/index.js';
import { STUB_ATTACH } from './hooks.js';
import { HOOKS, type HookName } from './layout.js';
import { type Paths, pinsOf } from './paths.js';
import { pinNames } from './pins.js';

/** True where a bundle has policies about requests. */
export function judgesRequests({ policies }: Pick<Manifest, 'policies'>): boolean {
  return policies.some((p) => p.exports.some((name) => REQUEST_HOOK.includes(name)));
}

/** The program that a bundle's generation has for each hook. */
export function programsOf(manifest: Manifest): Readonly<Partial<Record<HookName, string>>> {
  const programs = HOOKS.map((hook) => [hook, `weft_${hook}`] as const);
  const all = Object.fromEntries(programs) as Readonly<Record<HookName, string>>;
  if (judgesRequests(manifest)) return all;
  const { accept: _, ...others } = all;
  return { ...others, request: 'weft_pass_on', server: 'weft_server_pass' };
}

/** True where a loaded generation has the program. */
export function needsSockops(paths: Paths): boolean {
  const program = (generation: string): string =>
    join(pinsOf.generations(paths), generation, 'programs', 'weft_request');
  return pinNames(pinsOf.generations(paths)).some((name) => existsSync(program(name)));
}

const linkOf = (paths: Paths, id: string): string => join(pinsOf.links(paths), id, 'sockops');

function attach(kernel: Kernel, paths: Paths, ids: readonly string[]): void {
  if (ids.length === 0) return;
  using stub = kernel.openProgram(join(pinsOf.stubs(paths), 'sockops'));
  for (const id of ids) {
    const cgroup = cgroupWithId(paths.cgroups, BigInt(id));
    if (cgroup === null) continue; // gone; so are its sockets
    using link = kernel.attachCgroup(stub, cgroup, STUB_ATTACH.sockops);
    link.pin(linkOf(paths, id));
  }
}

function detach(kernel: Kernel, paths: Paths, ids: readonly string[]): void {
  for (const id of ids) {
    using link = kernel.openLink(linkOf(paths, id));
    // First the pin: an attachment dies with its last reference, but a pin of a detached link would
    // pass for an attachment.
    removePin(linkOf(paths, id));
    link.detach();
  }
}

/**
 * Attaches the stub to every enrolled cgroup, or detaches it from all, as the loaded generations
 * need; call it before a generation is activated and after one is removed. Throws KernelError; the
 * next call makes up for what was not done.
 */
export function followSockops(kernel: Kernel, paths: Paths): void {
  const enrolled = pinNames(pinsOf.links(paths));
  const isAttached = (id: string): boolean => existsSync(linkOf(paths, id));
  if (!needsSockops(paths)) detach(kernel, paths, enrolled.filter(isAttached));
  else
    attach(
      kernel,
      paths,
      enrolled.filter((id) => !isAttached(id)),
    );
}
