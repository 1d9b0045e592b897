/**
 * The one place that binds libbpf and libc through koffi. It gives typed functions; errors stay
 * negative errnos or null pointers here and become KernelErrors in the callers.
 *
 * libbpf keeps one print function a process. Ours formats with vsnprintf and keeps the lines, so
 * that a refusal can say why; the lines are taken by whoever made the failing call.
 */
import { createRequire } from 'node:module';
import type * as Koffi from 'koffi';
import { KernelError } from './kernel-error.js';

export type Pointer = bigint | null;
type Bytes = Uint8Array | null;

export interface Native {
  /** errno after a call that gave a null pointer or -1. */
  errno(): number;
  /** The address of memory made by `stable`; the caller keeps it reachable. */
  address(target: Uint8Array): bigint;
  /** Writes the address of `target` (made by `stable`) into a struct, which keeps it reachable. */
  point(struct: Uint8Array, offset: number, target: Uint8Array): void;
  /** Native memory as a live view. */
  view(pointer: bigint, length: number): Uint8Array;
  /** A copy of native memory. */
  copy(pointer: bigint, length: number): Uint8Array;
  /** Runs a step and returns its result with what libbpf warned about meanwhile. */
  listen<T>(step: () => T): { readonly result: T; readonly warnings: readonly string[] };
  /** Registers a ring buffer callback; returns its pointer and the way to free it. */
  sampleCallback(onSample: (data: bigint, size: number) => number): {
    readonly pointer: bigint;
    free(): void;
  };
  /** Registers what libbpf calls before it loads a program, for good; returns its pointer. */
  prepareCallback(onProgram: (program: bigint, options: bigint) => number): bigint;

  object_open(bytes: Uint8Array, size: number, opts: Uint8Array): Pointer;
  object_load(object: bigint): number;
  object_close(object: bigint): void;
  object_next_map(object: bigint, previous: Pointer): Pointer;
  object_next_program(object: bigint, previous: Pointer): Pointer;
  object_btf(object: bigint): Pointer;
  btf_find(btf: bigint, name: string, kind: number): number;
  btf_type(btf: bigint, id: number): Pointer;
  btf_name(btf: bigint, offset: number): string | null;
  map_name(map: bigint): string;
  map_fd(map: bigint): number;
  map_type(map: bigint): number;
  map_key_size(map: bigint): number;
  map_value_size(map: bigint): number;
  map_set_max_entries(map: bigint, count: number): number;
  map_reuse_fd(map: bigint, fd: number): number;
  map_initial_value(map: bigint, size: Uint8Array): Pointer;
  program_name(program: bigint): string;
  program_fd(program: bigint): number;
  program_set_autoload(program: bigint, on: boolean): number;
  program_set_log_level(program: bigint, level: number): number;
  program_insns(program: bigint): Pointer;
  program_insn_cnt(program: bigint): number | bigint;
  program_set_insns(program: bigint, slots: Uint8Array, count: number): number;
  register_prog_handler(section: string, type: number, attach: number, opts: Uint8Array): number;

  map_create(
    type: number,
    name: string,
    keySize: number,
    valueSize: number,
    maxEntries: number,
    opts: Bytes,
  ): number;
  prog_load(
    type: number,
    name: string,
    license: string,
    insns: Uint8Array,
    count: number,
    opts: Bytes,
  ): number;
  btf_load(bytes: Uint8Array, size: number, opts: Bytes): number;
  lookup(fd: number, key: Uint8Array, value: Uint8Array): number;
  update(fd: number, key: Uint8Array, value: Uint8Array, flags: bigint): number;
  remove(fd: number, key: Uint8Array): number;
  next_key(fd: number, key: Bytes, next: Uint8Array): number;
  lookup_batch(
    fd: number,
    from: Bytes,
    next: Uint8Array,
    keys: Uint8Array,
    values: Uint8Array,
    count: Uint8Array,
    opts: Bytes,
  ): number;
  update_batch(
    fd: number,
    keys: Uint8Array,
    values: Uint8Array,
    count: Uint8Array,
    opts: Bytes,
  ): number;
  freeze(fd: number): number;
  pin(fd: number, path: string): number;
  get(path: string): number;
  info(fd: number, info: Uint8Array, size: Uint8Array): number;
  test_run(fd: number, opts: Uint8Array): number;
  link_create(program: number, target: number, type: number, opts: Bytes): number;
  link_update(link: number, program: number, opts: Bytes): number;
  link_detach(link: number): number;
  possible_cpus(): number;

  linker_new(path: string, opts: Bytes): Pointer;
  linker_add(linker: bigint, path: string, opts: Bytes): number;
  linker_finalize(linker: bigint): number;
  linker_free(linker: bigint): void;

  ring_new(fd: number, callback: bigint, context: Pointer, opts: Bytes): Pointer;
  ring_consume(ring: bigint): number;
  ring_epoll_fd(ring: bigint): number;
  ring_free(ring: bigint): void;

  iter_create(link: number): number;
  prog_attach(program: number, target: number, type: number, flags: number): number;
  prog_detach(program: number, target: number, type: number): number;

  // libc: -1 and `errno()` where they fail.
  memfd(name: string, flags: number): number;
  setns(fd: number, kind: number): number;
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array, size: number): number;
  connect(fd: number, address: Uint8Array, size: number): number;
  getsockname(fd: number, address: Uint8Array, size: Uint8Array): number;
  setsockopt(fd: number, level: number, name: number, value: Uint8Array, size: number): number;
  getsockopt(fd: number, level: number, name: number, value: Uint8Array, size: Uint8Array): number;
  send(fd: number, bytes: Uint8Array, size: number, flags: number): number;
  recv(fd: number, bytes: Uint8Array, size: number, flags: number): number;
  sendmsg(fd: number, header: Uint8Array, flags: number): number;
  /** On another thread; `done` gets what the call gave. */
  /** On another thread, for at most so many ms; `events` holds one struct epoll_event. */
  epollWaitLater(fd: number, events: Uint8Array, milliseconds: number, done: () => void): void;
  recvmsgLater(fd: number, header: Uint8Array, flags: number, done: (result: number) => void): void;
  shutdown(fd: number, how: number): number;
  madvise(address: number, length: number, advice: number): number;
  malloc_trim(pad: number): number;
  /** Of the calling thread alone. */
  pthread_sigmask(how: number, set: Uint8Array, before: Uint8Array): number;
  syscall(number: number, first: number, second: number, third: number): number;
}

// C signatures, by our name. Opaque structs are `void *`: koffi 3 gives them as bigint.
const LIBBPF: Readonly<Record<string, string>> = {
  object_open: 'void *bpf_object__open_mem(void *, size_t, void *)',
  object_load: 'int bpf_object__load(void *)',
  object_close: 'void bpf_object__close(void *)',
  object_next_map: 'void *bpf_object__next_map(void *, void *)',
  object_next_program: 'void *bpf_object__next_program(void *, void *)',
  object_btf: 'void *bpf_object__btf(void *)',
  btf_find: 'int btf__find_by_name_kind(void *, const char *, uint32_t)',
  btf_type: 'void *btf__type_by_id(void *, uint32_t)',
  btf_name: 'const char *btf__name_by_offset(void *, uint32_t)',
  map_name: 'const char *bpf_map__name(void *)',
  map_fd: 'int bpf_map__fd(void *)',
  map_type: 'int bpf_map__type(void *)',
  map_key_size: 'uint32_t bpf_map__key_size(void *)',
  map_value_size: 'uint32_t bpf_map__value_size(void *)',
  map_set_max_entries: 'int bpf_map__set_max_entries(void *, uint32_t)',
  map_reuse_fd: 'int bpf_map__reuse_fd(void *, int)',
  map_initial_value: 'void *bpf_map__initial_value(void *, void *)',
  program_name: 'const char *bpf_program__name(void *)',
  program_fd: 'int bpf_program__fd(void *)',
  program_set_autoload: 'int bpf_program__set_autoload(void *, bool)',
  program_set_log_level: 'int bpf_program__set_log_level(void *, uint32_t)',
  program_insns: 'void *bpf_program__insns(void *)',
  program_insn_cnt: 'size_t bpf_program__insn_cnt(void *)',
  program_set_insns: 'int bpf_program__set_insns(void *, void *, size_t)',
  register_prog_handler: 'int libbpf_register_prog_handler(const char *, int, int, void *)',
  map_create: 'int bpf_map_create(int, const char *, uint32_t, uint32_t, uint32_t, void *)',
  prog_load: 'int bpf_prog_load(int, const char *, const char *, void *, size_t, void *)',
  btf_load: 'int bpf_btf_load(void *, size_t, void *)',
  lookup: 'int bpf_map_lookup_elem(int, void *, void *)',
  update: 'int bpf_map_update_elem(int, void *, void *, uint64_t)',
  remove: 'int bpf_map_delete_elem(int, void *)',
  next_key: 'int bpf_map_get_next_key(int, void *, void *)',
  lookup_batch: 'int bpf_map_lookup_batch(int, void *, void *, void *, void *, void *, void *)',
  update_batch: 'int bpf_map_update_batch(int, void *, void *, void *, void *)',
  freeze: 'int bpf_map_freeze(int)',
  pin: 'int bpf_obj_pin(int, const char *)',
  get: 'int bpf_obj_get(const char *)',
  info: 'int bpf_obj_get_info_by_fd(int, void *, void *)',
  test_run: 'int bpf_prog_test_run_opts(int, void *)',
  link_create: 'int bpf_link_create(int, int, int, void *)',
  link_update: 'int bpf_link_update(int, int, void *)',
  link_detach: 'int bpf_link_detach(int)',
  possible_cpus: 'int libbpf_num_possible_cpus()',
  linker_new: 'void *bpf_linker__new(const char *, void *)',
  linker_add: 'int bpf_linker__add_file(void *, const char *, void *)',
  linker_finalize: 'int bpf_linker__finalize(void *)',
  linker_free: 'void bpf_linker__free(void *)',
  ring_new: 'void *ring_buffer__new(int, void *, void *, void *)',
  ring_consume: 'int ring_buffer__consume(void *)',
  ring_epoll_fd: 'int ring_buffer__epoll_fd(void *)',
  ring_free: 'void ring_buffer__free(void *)',
  iter_create: 'int bpf_iter_create(int)',
  prog_attach: 'int bpf_prog_attach(int, int, int, unsigned int)',
  prog_detach: 'int bpf_prog_detach2(int, int, int)',
};

const LIBC: Readonly<Record<string, string>> = {
  memfd: 'int memfd_create(const char *, unsigned int)',
  setns: 'int setns(int, int)',
  socket: 'int socket(int, int, int)',
  bind: 'int bind(int, void *, unsigned int)',
  connect: 'int connect(int, void *, unsigned int)',
  getsockname: 'int getsockname(int, void *, void *)',
  setsockopt: 'int setsockopt(int, int, int, void *, unsigned int)',
  getsockopt: 'int getsockopt(int, int, int, void *, void *)',
  send: 'intptr_t send(int, void *, size_t, int)',
  recv: 'intptr_t recv(int, void *, size_t, int)',
  sendmsg: 'intptr_t sendmsg(int, void *, int)',
  shutdown: 'int shutdown(int, int)',
  madvise: 'int madvise(uintptr_t, size_t, int)',
  malloc_trim: 'int malloc_trim(size_t)',
  pthread_sigmask: 'int pthread_sigmask(int, void *, void *)',
  syscall: 'long syscall(long, long, long, long)',
};

// One message of libbpf; a verifier log goes to our own buffer, not through here.
const MESSAGE_LIMIT = 4096;
const LEVEL_WARN = 0;

const loaded = new Map<string, Native>();

// The collector does not see addresses inside a struct: the struct holds what they point to.
const targets = new WeakMap<Uint8Array, readonly Uint8Array[]>();

/** Memory whose address never changes (small typed arrays may live on V8's moving heap). */
export function stable(length: number): Uint8Array {
  return new Uint8Array(new ArrayBuffer(Math.max(length, 1)));
}

/** Binds libbpf once for each library name; throws KernelError `KERNEL_NO_LIBBPF` where it cannot. */
export function loadNative(library: string): Native {
  const known = loaded.get(library);
  if (known) return known;
  const native = bind(library);
  loaded.set(library, native);
  return native;
}

function bind(library: string): Native {
  // Loaded on first use, so that work without a kernel does not pay for it.
  const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
  const libbpf = open(koffi, library);
  const libc = koffi.load('libc.so.6');
  const functions: Record<string, unknown> = {};
  for (const [name, signature] of Object.entries(LIBBPF)) functions[name] = libbpf.func(signature);
  for (const [name, signature] of Object.entries(LIBC)) functions[name] = libc.func(signature);
  const memcpy = libc.func('void *memcpy(void *, void *, size_t)') as unknown as (
    to: Uint8Array,
    from: bigint,
    length: number,
  ) => unknown;
  const epollWait = libc.func('int epoll_wait(int, void *, int, int)') as unknown as {
    async(
      fd: number,
      events: Uint8Array,
      most: number,
      milliseconds: number,
      done: (error: unknown, result: number) => void,
    ): void;
  };
  const recvmsg = libc.func('intptr_t recvmsg(int, void *, int)') as unknown as {
    async(
      fd: number,
      header: Uint8Array,
      flags: number,
      done: (error: unknown, result: number | bigint) => void,
    ): void;
  };
  const listen = printCapture(koffi, libbpf, libc);
  const prepare = koffi.proto('int (void *, void *, long)');
  const sample = koffi.proto('int (void *, void *, size_t)');
  return {
    ...(functions as unknown as Native),
    errno: () => koffi.errno(),
    epollWaitLater: (fd, events, milliseconds, done) =>
      epollWait.async(fd, events, 1, milliseconds, () => done()),
    recvmsgLater: (fd, header, flags, done) =>
      recvmsg.async(fd, header, flags, (error, result) =>
        done(error === null || error === undefined ? Number(result) : -1),
      ),
    address: (target) => koffi.address(target),
    point: (struct, offset, target) => {
      const view = new DataView(struct.buffer, struct.byteOffset);
      view.setBigUint64(offset, koffi.address(target), true);
      targets.set(struct, [...(targets.get(struct) ?? []), target]);
    },
    view: (pointer, length) => new Uint8Array(koffi.view(pointer, length)),
    copy: (pointer, length) => {
      const bytes = stable(length).subarray(0, length);
      if (length > 0) memcpy(bytes, pointer, length);
      return bytes;
    },
    listen,
    prepareCallback: (onProgram) =>
      koffi.register(
        (program: bigint, options: bigint) => onProgram(program, options),
        koffi.pointer(prepare),
      ),
    sampleCallback: (onSample) => {
      const pointer = koffi.register(
        (_context: bigint, data: bigint, size: number | bigint) => onSample(data, Number(size)),
        koffi.pointer(sample),
      );
      return { pointer, free: () => koffi.unregister(pointer) };
    },
  };
}

function open(koffi: typeof Koffi, library: string): Koffi.LibraryHandle {
  try {
    return koffi.load(library);
  } catch (cause) {
    throw new KernelError(
      {
        code: 'KERNEL_NO_LIBBPF',
        call: 'dlopen',
        errno: 0,
        message: `cannot load the library \`${library}\``,
        remedy: 'install libbpf 1.1 or newer: apt-get install libbpf1',
      },
      { cause },
    );
  }
}

function printCapture(
  koffi: typeof Koffi,
  libbpf: Koffi.LibraryHandle,
  libc: Koffi.LibraryHandle,
): Native['listen'] {
  let sink: string[] | null = null;
  // A va_list parameter is passed by address on x86-64 and on arm64, so a pointer carries it.
  const vsnprintf = libc.func('int vsnprintf(void *, size_t, void *, void *)') as unknown as (
    to: Uint8Array,
    size: number,
    format: bigint,
    args: bigint,
  ) => number;
  const text = stable(MESSAGE_LIMIT);
  const decoder = new TextDecoder();
  const print = koffi.proto('int (int, void *, void *)');
  const callback = koffi.register((level: number, format: bigint, args: bigint): number => {
    if (level !== LEVEL_WARN || sink === null) return 0;
    const length = Math.min(vsnprintf(text, MESSAGE_LIMIT, format, args), MESSAGE_LIMIT - 1);
    if (length > 0) {
      const line = decoder
        .decode(text.subarray(0, length))
        .trim()
        .replace(/^libbpf: /, '');
      if (line !== '') sink.push(line);
    }
    return 0;
  }, koffi.pointer(print));
  (libbpf.func('void *libbpf_set_print(void *)') as unknown as (f: bigint) => unknown)(callback);
  return (step) => {
    const outer = sink;
    const warnings: string[] = [];
    sink = warnings;
    try {
      return { result: step(), warnings };
    } finally {
      sink = outer;
    }
  };
}
