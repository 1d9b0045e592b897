/**
 * The kernel door's surface: everything that touches libbpf, bpf(2), bpffs or cgroup2 goes through
 * these handles. Each is disposable (`using`), closing twice is harmless, and a failed step closes
 * what it had opened. Bytes are little-endian as the kernel keeps them.
 */
import type { Socket } from 'node:net';

export interface MapInfo {
  readonly name: string;
  readonly type: number;
  readonly id: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
}
export interface KernelMap extends Disposable {
  readonly name: string;
  readonly fd: number;
  info(): MapInfo;
  lookup(key: Uint8Array): Uint8Array | null; // per-CPU maps: all CPUs, values padded to 8 bytes
  update(key: Uint8Array, value: Uint8Array, mode?: 'any' | 'new' | 'existing'): void;
  delete(key: Uint8Array): boolean; // false where the key was absent
  /** Keys in map order. */
  keys(): Uint8Array[];
  /** Of a map of kind array, per CPU or not: all its values, by index; one bpf(2) batch call. */
  values(): readonly Uint8Array[];
  /** One bpf(2) batch call where the map kind has it, else one call an entry. */
  updateBatch(entries: readonly (readonly [Uint8Array, Uint8Array])[]): void;
  freeze(): void;
  pin(path: string): void;
}
export interface TestRun {
  readonly retval: number;
  readonly durationNs: number; // mean per repetition, as the kernel says
  readonly dataOut: Uint8Array;
  readonly contextOut: Uint8Array; // SYSCALL programs: their argument after the run
}
export interface ProgramInfo {
  readonly id: number;
  readonly type: number; // UAPI number (enum bpf_prog_type)
  readonly tag: string; // hex
  readonly name: string;
  readonly instructions: number; // after the verifier
  readonly jitedBytes: number;
  /** Functions as loaded, the program's own among them. */
  readonly functions: number;
  readonly verifiedInstructions: number; // the verifier's processed-instruction count
}
export interface KernelProgram extends Disposable {
  readonly name: string;
  readonly fd: number;
  info(): ProgramInfo;
  /** `data` is packet data, or the argument (context) of a SYSCALL program. */
  testRun(
    data: Uint8Array,
    options?: {
      readonly repeat?: number;
      readonly outSize?: number;
      readonly context?: Uint8Array;
    },
  ): TestRun;
  pin(path: string): void;
}
/** Of a link to a cgroup. */
export interface LinkInfo {
  readonly id: number;
  readonly programId: number;
  /** Its number; 0 where the cgroup has gone, and the attachment with it. */
  readonly cgroup: bigint;
}
export interface KernelLink extends Disposable {
  readonly fd: number;
  info(): LinkInfo;
  /** Switches the attachment to another program of the same type, atomically. */
  update(program: KernelProgram): void;
  /** Ends the attachment at once, whatever pins still exist. */
  detach(): void;
  pin(path: string): void;
}
export interface ObjectSpec {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Maps to use instead of making new ones, by name. */
  readonly reuse?: Readonly<Record<string, KernelMap>>;
  /** max_entries to set before load, by map name. */
  readonly resize?: Readonly<Record<string, number>>;
  /** Initial contents of global variables before load, by variable name (`const volatile` in .rodata, or .data). */
  readonly globals?: Readonly<Record<string, Uint8Array>>;
  /** Load only these programs (default: all). */
  readonly only?: readonly string[];
  /** Leaves all calls as they were built (else what is called once is put in): each function costs the verifier what it does by itself. */
  readonly asBuilt?: boolean;
  /**
   * A refusal has its reason only, and no place: the log of a program of a million instructions takes minutes where a
   * processor is emulated.
   */
  readonly reasonOnly?: boolean;
}
export interface MapSpec {
  readonly name: string;
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags?: number;
}
export interface KernelObject extends Disposable {
  readonly name: string;
  /** Owned by the object; throws where absent. Global data maps go by section: `.rodata`, `.bss`. */
  map(name: string): KernelMap;
  program(name: string): KernelProgram;
  readonly mapNames: readonly string[];
  readonly programNames: readonly string[];
}
/** Counts of a ring buffer reader. */
export interface RingReader extends Disposable {
  /** Delivers every record that waits, `limit` at most; returns how many. Never blocks. */
  drain(onRecord: (bytes: Uint8Array) => void, limit?: number): number;
  /** A file descriptor that becomes readable (epoll). */
  readonly epollFd: number;
  /**
   * Resolves when a record waits, or so many ms have passed, without looking again and again: a thread of
   * the pool of this process waits, also when nobody wants to know any more.
   */
  waiting(milliseconds: number): Promise<void>;
}
/** 16 address bytes (IPv4 as ::ffff:a.b.c.d) and a port in host order. */
export interface InetName {
  readonly address: Uint8Array;
  readonly port: number;
}
/** A TCP socket as the kernel finds it inside its namespace. */
export interface SocketName {
  readonly local: InetName;
  readonly remote: InetName;
  readonly cookie: bigint;
}
/** A socket as /proc and the kernel number it. */
export interface SocketId {
  readonly inode: bigint;
  readonly cookie: bigint;
}
/** A network namespace that stays while the handle is open. */
export interface NetworkNamespace extends Disposable {
  readonly inode: bigint;
  readonly fd: number;
}
/** A walk over the sockets of a namespace by an iterator program. */
export interface SocketWalk extends Disposable {
  /** What the program wrote about the next sockets, whole records of it, until the next read; null behind the last. */
  read(): Uint8Array | null;
}
/** A connection that is being made; the socket owns the descriptor. */
export interface OpenedStream {
  readonly socket: Socket;
  readonly fd: number;
  readonly cookie: bigint;
}
/** What came by a unix datagram; whoever takes it closes the descriptors. */
export interface DescriptorMessage {
  readonly text: string;
  readonly descriptors: readonly number[];
}
export interface DescriptorReceiver {
  /** The next one; null once closed. One call at a time. */
  next(): Promise<DescriptorMessage | null>;
  /** Only while somebody waits in `next`. */
  close(): void;
}
/** Who is at the other end of a unix socket, as the kernel saw it at connect(2). */
export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  /** The group and the supplementary ones. */
  readonly gids: readonly number[];
}
export interface Feature {
  readonly name: string;
  readonly present: boolean;
  readonly required: boolean;
  readonly detail: string;
  readonly remedy: string | null;
}
export interface Kernel {
  /** libbpf's static linker. Extern declarations with another struct layout are refused by it. */
  link(parts: readonly { readonly name: string; readonly bytes: Uint8Array }[]): Uint8Array;
  /** Opens and loads an object; on failure throws VerifierError or KernelError with nothing left behind. */
  load(spec: ObjectSpec): KernelObject;
  createMap(spec: MapSpec): KernelMap;
  openMap(pinPath: string): KernelMap;
  openProgram(pinPath: string): KernelProgram;
  openLink(pinPath: string): KernelLink;
  /** Pins what is pinned at a path at another one too, also on another bpffs. */
  copyPin(from: string, to: string): void;
  /** BPF_LINK_CREATE on a cgroup directory, multi mode. attachType: UAPI number (enum bpf_attach_type). */
  attachCgroup(program: KernelProgram, cgroupPath: string, attachType: number): KernelLink;
  /** BPF_PROG_ATTACH on a socket map: for the sockets that are added from then on. */
  attachMap(program: KernelProgram, map: KernelMap, attachType: number): void;
  /** BPF_LINK_CREATE of a `SEC("tp_btf/...")` program on the tracepoint that it names. */
  attachTracepoint(program: KernelProgram): KernelLink;
  /** Runs a `SEC("iter/sockmap")` program once for each socket of a map. */
  iterateMap(program: KernelProgram, map: KernelMap): void;
  /** Runs a `SEC("iter/tcp")` program over the TCP sockets of a namespace. */
  walkSockets(program: KernelProgram, namespace: NetworkNamespace): SocketWalk;
  ringReader(map: KernelMap): RingReader;
  /** The namespace at a path; throws KernelError. */
  openNamespace(path: string): NetworkNamespace;
  /** The namespace of a cgroup's processes: that with this inode, or the first one's. */
  namespaceOfCgroup(path: string, inode: bigint | null): NetworkNamespace;
  /** Every namespace of this machine's processes, once; how many of these cgroups may not be looked into. */
  namespaces(cgroups: readonly string[]): {
    readonly found: readonly NetworkNamespace[];
    readonly unseen: number;
  };
  /** Begins to connect inside a namespace, from one of its addresses. */
  openStream(namespace: NetworkNamespace, from: InetName, to: InetName): OpenedStream;
  /** A TCP connection by a descriptor that this process was given; the socket owns it. */
  adoptStream(fd: number): Socket;
  /** Sends a text to a unix datagram socket (`@`: an abstract name), and a descriptor with it. */
  sendDescriptor(path: string, text: string, descriptor: number | null): void;
  /** Listens for those. */
  receiveDescriptors(path: string): DescriptorReceiver;
  /** A socket to listen on at a loopback port; what it accepts reads urgent bytes in line. */
  bindLoopback(): number;
  /** The cookie of a socket of this process. */
  socketCookie(fd: number): bigint;
  /** Who connected to a unix socket of this process. */
  peerOf(fd: number): PeerCredentials;
  /** Sends without waiting; how many bytes were taken. */
  sendNow(fd: number, bytes: Uint8Array): number;
  /** Ends a connection of anybody; false where it is gone already. */
  destroySocket(namespace: NetworkNamespace, name: SocketName): boolean;
  /** As many as there are; how many were ended. */
  destroySockets(namespace: NetworkNamespace, names: readonly SocketName[]): number;
  /** Shuts a connection of a process in this cgroup down: its owner reads what has come, then the end. */
  shutSocket(cgroupPath: string, socket: SocketId): boolean;
  /** Makes a connection of a process in this cgroup send what waits for more; false as above. */
  pushSocket(cgroupPath: string, socket: SocketId): boolean;
  /** Wakes a process in this cgroup that waits until it can write to its connection. */
  wakeSender(cgroupPath: string, socket: SocketId): boolean;
  /** May this process look into others: at their namespaces, at their sockets (CAP_SYS_PTRACE)? */
  canReachProcesses(): boolean;
  /** Gives memory that this process does not need back to the system. */
  returnMemory(): void;
  features(): readonly Feature[];
  hasMayGoto(): boolean;
  /** True where what sk_msg redirects into a socket is counted as its unread memory. */
  chargesRedirects(): boolean;
}
