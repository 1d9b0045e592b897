/**
 * Opens the kernel door: checks that this is Linux, that libbpf is there and that we may load
 * programs, each with its own error and remedy.
 */
import { closeSync } from 'node:fs';
import { constants, platform } from 'node:os';
import { attachMap } from './attach-map.js';
import { receiveDescriptors, sendDescriptor } from './descriptors.js';
import { destroySockets } from './destroy.js';
import { hasMayGoto, probeFeatures } from './features.js';
import { pushSocket, shutSocket, wakeSender } from './foreign-socket.js';
import { adopt, requireKind } from './handle.js';
import { iterateMap } from './iterate-map.js';
import { callError, KernelError } from './kernel-error.js';
import { attachCgroup, attachTracepoint, kernelLink } from './link.js';
import { linkObjects } from './linker.js';
import { kernelMap } from './map.js';
import { namespaceOfCgroup, namespaces, openNamespace } from './namespace.js';
import { loadNative, type Native, stable } from './native.js';
import { loadObject } from './object.js';
import { peerOf } from './peer.js';
import { canReachProcesses, isPrivileged } from './privileges.js';
import { chargesRedirects } from './probe-redirect.js';
import { kernelProgram } from './program.js';
import { returnMemory } from './return-memory.js';
import { ringReader } from './ring-reader.js';
import { adoptStream, bindLoopback, openStream, sendNow, socketCookie } from './socket.js';
import type { Kernel, KernelMap, MapSpec } from './types.js';
import { walkSockets } from './walk-sockets.js';

export interface KernelOptions {
  /** Name or path of libbpf's shared library. */
  readonly library?: string;
  /** Skips the check of privileges: linking and probing need none. */
  readonly unprivileged?: boolean;
}

const LIBRARY = 'libbpf.so.1';
const CREATE_OPTS_BYTES = 48; // struct bpf_map_create_opts
const CREATE_FLAGS_AT = 28;

/** Opens the door; throws KernelError `KERNEL_NOT_LINUX`, `KERNEL_NO_LIBBPF` or `KERNEL_EPERM`. */
export function openKernel(options: KernelOptions = {}): Kernel {
  if (platform() !== 'linux')
    throw new KernelError({
      code: 'KERNEL_NOT_LINUX',
      call: 'uname',
      errno: 0,
      message: `eBPF needs Linux, this is \`${platform()}\``,
      remedy: 'use the simulator here, or a Linux machine',
    });
  if (!options.unprivileged) requirePrivileges();
  const native = loadNative(options.library ?? LIBRARY);
  const pinned = (path: string, kind: 'map' | 'program' | 'link'): number => {
    const fd = native.get(path);
    if (fd < 0) throw callError('bpf_obj_get', -fd, `cannot open the pinned ${kind} \`${path}\``);
    requireKind(fd, kind, path);
    return fd;
  };
  return {
    link: (parts) => linkObjects(native, parts),
    load: (spec) => loadObject(native, spec),
    createMap: (spec) => createMap(native, spec),
    openMap: (path) =>
      adopt(pinned(path, 'map'), `map \`${path}\``, (handle) => kernelMap(native, handle)),
    openProgram: (path) =>
      adopt(pinned(path, 'program'), `program \`${path}\``, (handle) =>
        kernelProgram(native, handle),
      ),
    openLink: (path) =>
      adopt(pinned(path, 'link'), `link \`${path}\``, (handle) => kernelLink(native, handle)),
    copyPin: (from, to) => {
      const fd = native.get(from);
      if (fd < 0) throw callError('bpf_obj_get', -fd, `cannot open the pin \`${from}\``);
      const result = native.pin(fd, to);
      closeSync(fd);
      if (result < 0) throw callError('bpf_obj_pin', -result, `cannot pin at \`${to}\``);
    },
    attachCgroup: (program, path, type) => attachCgroup(native, program, path, type),
    attachMap: (program, map, type) => attachMap(native, program, map, type),
    attachTracepoint: (program) => attachTracepoint(native, program),
    iterateMap: (program, map) => iterateMap(native, program, map),
    walkSockets: (program, namespace) => walkSockets(native, program, namespace),
    ringReader: (map) => ringReader(native, map),
    openNamespace,
    namespaceOfCgroup,
    namespaces,
    openStream: (namespace, from, to) => openStream(native, namespace, from, to),
    adoptStream,
    sendDescriptor: (path, text, fd) => sendDescriptor(native, path, text, fd),
    receiveDescriptors: (path) => receiveDescriptors(native, path),
    bindLoopback: () => bindLoopback(native),
    socketCookie: (fd) => socketCookie(native, fd),
    peerOf: (fd) => peerOf(native, fd),
    sendNow: (fd, bytes) => sendNow(native, fd, bytes),
    destroySocket: (namespace, name) => destroySockets(native, namespace, [name]) === 1,
    destroySockets: (namespace, names) => destroySockets(native, namespace, names),
    shutSocket: (cgroup, socket) => shutSocket(native, cgroup, socket),
    pushSocket: (cgroup, socket) => pushSocket(native, cgroup, socket),
    wakeSender: (cgroup, socket) => wakeSender(native, cgroup, socket),
    canReachProcesses,
    returnMemory: () => returnMemory(native),
    features: () => probeFeatures(native),
    hasMayGoto: () => hasMayGoto(native),
    chargesRedirects: () => chargesRedirects(native),
  };
}

function requirePrivileges(): void {
  if (isPrivileged()) return;
  throw callError('bpf', constants.errno.EPERM, 'this process may not use eBPF');
}

function createMap(native: Native, spec: MapSpec): KernelMap {
  const opts = stable(CREATE_OPTS_BYTES);
  const view = new DataView(opts.buffer);
  view.setBigUint64(0, BigInt(CREATE_OPTS_BYTES), true);
  view.setUint32(CREATE_FLAGS_AT, spec.flags ?? 0, true);
  const { type, name, keySize, valueSize, maxEntries } = spec;
  const fd = native.map_create(type, name, keySize, valueSize, maxEntries, opts);
  if (fd < 0) throw callError('bpf_map_create', -fd, `cannot make map \`${name}\``);
  return adopt(fd, `map \`${name}\``, (handle) => kernelMap(native, handle, name));
}
