/**
 * Whether sk_msg's redirect into a socket counts as that socket's unread memory: only then can it be
 * bounded (bpf_tcp_ingress; Linux 6.13 and stable series since December 2024). Found by doing it, on
 * a TCP connection of a socket with itself.
 */
import { closeSync } from 'node:fs';
import { ATTACH_TYPE, MAP_TYPE, PROGRAM_TYPE } from './constants.js';
import { callError } from './kernel-error.js';
import { type Native, stable } from './native.js';
import { instruction, loadProbe, MOV64_IMM, returning } from './probe-program.js';

const AF_INET = 2;
const SOCK_STREAM = 1;
const SOL_SOCKET = 1;
const SO_MEMINFO = 55; // [0]: SK_MEMINFO_RMEM_ALLOC
const MEMINFO_BYTES = 36;
const LOOPBACK = [127, 0, 0, 1];
const MESSAGE = stable(64);

/** `msg_redirect_map(ctx, map, 0, BPF_F_INGRESS); return 1;` */
function program(map: number): readonly Uint8Array[] {
  const [LOAD64, CALL, REDIRECT_MAP, INGRESS] = [0x18, 0x85, 60, 1];
  const PSEUDO_MAP = 1 << 4;
  return [
    instruction(LOAD64, 2 | PSEUDO_MAP, 0, map),
    instruction(0, 0, 0, 0),
    instruction(MOV64_IMM, 3, 0, 0),
    instruction(MOV64_IMM, 4, 0, INGRESS),
    instruction(CALL, 0, 0, REDIRECT_MAP),
    ...returning(1),
  ];
}

function must(native: Native, call: string, result: number): number {
  if (result >= 0) return result;
  // libbpf gives the errno itself, libc keeps it.
  throw callError(call, result === -1 ? native.errno() : -result, 'cannot try a redirect');
}

/** A socket that is connected to itself: TCP's simultaneous open with one end. */
function connectToItself(native: Native, fd: number): void {
  const name = stable(16);
  name.set(new Uint8Array(new Uint16Array([AF_INET]).buffer));
  name.set(LOOPBACK, 4);
  const size = stable(4);
  size[0] = name.length;
  must(native, 'bind', native.bind(fd, name, name.length));
  must(native, 'getsockname', native.getsockname(fd, name, size));
  must(native, 'connect', native.connect(fd, name, name.length));
}

/** True where redirected bytes are counted. Throws KernelError where it cannot be tried. */
export function chargesRedirects(native: Native): boolean {
  const opened: number[] = [];
  const open = (call: string, fd: number): number => {
    opened.push(must(native, call, fd));
    return fd;
  };
  try {
    const map = open(
      'bpf_map_create',
      native.map_create(MAP_TYPE.sockmap, 'weft_probe', 4, 4, 1, null),
    );
    const probe = open('bpf_prog_load', loadProbe(native, PROGRAM_TYPE.skMsg, program(map)));
    const type = ATTACH_TYPE.skMsgVerdict;
    must(native, 'bpf_prog_attach', native.prog_attach(probe, map, type, 0));
    const socket = open('socket', native.socket(AF_INET, SOCK_STREAM, 0));
    connectToItself(native, socket);
    const descriptor = stable(4);
    new DataView(descriptor.buffer).setUint32(0, socket, true);
    must(native, 'bpf_map_update_elem', native.update(map, stable(4), descriptor, 0n));
    must(native, 'send', Number(native.send(socket, MESSAGE, MESSAGE.length, 0)));
    const memory = stable(MEMINFO_BYTES);
    const size = stable(4);
    size[0] = MEMINFO_BYTES;
    must(native, 'getsockopt', native.getsockopt(socket, SOL_SOCKET, SO_MEMINFO, memory, size));
    return new DataView(memory.buffer).getUint32(0, true) >= MESSAGE.length;
  } finally {
    for (const fd of opened.reverse()) closeSync(fd);
  }
}
