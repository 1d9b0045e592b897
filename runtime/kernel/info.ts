/**
 * BPF_OBJ_GET_INFO_BY_FD for maps, programs and links. Offsets are those of struct bpf_map_info,
 * bpf_prog_info and bpf_link_info (uapi/linux/bpf.h); older kernels fill less and the rest stays zero.
 */
import { callError } from './kernel-error.js';
import { type Native, stable } from './native.js';
import type { LinkInfo, MapInfo, ProgramInfo } from './types.js';

const MAP_INFO_BYTES = 88;
const PROGRAM_INFO_BYTES = 232;
const LINK_INFO_BYTES = 64;
const NAME_BYTES = 16;

function query(native: Native, fd: number, length: number, what: string): DataView {
  const bytes = stable(length);
  const size = new DataView(new ArrayBuffer(4));
  size.setUint32(0, length, true);
  const result = native.info(fd, bytes, new Uint8Array(size.buffer));
  if (result < 0) throw callError('bpf_obj_get_info_by_fd', -result, what);
  return new DataView(bytes.buffer);
}

function name(view: DataView, offset: number): string {
  const bytes = new Uint8Array(view.buffer, offset, NAME_BYTES);
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(bytes.subarray(0, end < 0 ? NAME_BYTES : end));
}

/** What the kernel knows of a map; throws KernelError. */
export function mapInfo(native: Native, fd: number): MapInfo {
  const view = query(native, fd, MAP_INFO_BYTES, 'cannot ask about a map');
  return {
    type: view.getUint32(0, true),
    id: view.getUint32(4, true),
    keySize: view.getUint32(8, true),
    valueSize: view.getUint32(12, true),
    maxEntries: view.getUint32(16, true),
    name: name(view, 24),
  };
}

/** What the kernel knows of a program; throws KernelError. */
export function programInfo(native: Native, fd: number): ProgramInfo {
  const view = query(native, fd, PROGRAM_INFO_BYTES, 'cannot ask about a program');
  const tag = new Uint8Array(view.buffer, 8, 8);
  return {
    type: view.getUint32(0, true),
    id: view.getUint32(4, true),
    tag: [...tag].map((byte) => byte.toString(16).padStart(2, '0')).join(''),
    name: name(view, 64),
    instructions: view.getUint32(20, true) / 8,
    jitedBytes: view.getUint32(16, true),
    functions: view.getUint32(108, true),
    verifiedInstructions: view.getUint32(216, true),
  };
}

/** What the kernel knows of a link to a cgroup; throws KernelError. */
export function linkInfo(native: Native, fd: number): LinkInfo {
  const view = query(native, fd, LINK_INFO_BYTES, 'cannot ask about a link');
  return {
    id: view.getUint32(4, true),
    programId: view.getUint32(8, true),
    cgroup: view.getBigUint64(16, true),
  };
}
