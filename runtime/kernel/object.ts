/**
 * Opens and loads one ELF object. Functions that a program calls once are put into it (inline/inline-functions.ts); what the
 * verifier does not take so is loaded again as it was built, and that answer counts. The load is quiet first; libbpf repeats a
 * refused program with the log on, into our buffer. Where the log did not fit, the whole load is repeated with a larger
 * buffer, up to LOG_LIMIT; where signals interrupted it, INTERRUPTED_LOADS times with signals held back. With `reasonOnly` it is
 * loaded with what the log says of itself. Whatever fails, the object is closed and nothing stays in the kernel.
 */
import { constants } from 'node:os';
import { requireElf } from './elf-header.js';
import { setGlobals } from './globals.js';
import { descriptor } from './handle.js';
import { callError, KernelError } from './kernel-error.js';
import { isInterrupted, loadError } from './load-refusal.js';
import { kernelMap } from './map.js';
import { type Native, type Pointer, stable } from './native.js';
import { registerSections, withInlining } from './prepare-load.js';
import { kernelProgram } from './program.js';
import { withSignalsHeld } from './signals.js';
import type { KernelMap, KernelObject, KernelProgram, ObjectSpec } from './types.js';

/** Bytes of the first log buffer. */
const LOG_START = 1 << 20;
/** BPF_LOG_STATS: a line of statistics, and the reason of a refusal. */
const LOG_REASON = 4;
/** Bytes of the largest log buffer: beyond it the log is cut. */
export const LOG_LIMIT: number = 1 << 24;

/**
 * Loads after one that a signal interrupted. libbpf itself tries each program five times; with signals held back only
 * what cannot be held (a freezer, a debugger) interrupts again.
 */
export const INTERRUPTED_LOADS = 3;

// struct bpf_object_open_opts of libbpf 1.1 (libbpf.h).
const OPEN_OPTS_BYTES = 80;
const AT = { objectName: 8, logBuffer: 56, logSize: 64 } as const;

interface Opened {
  readonly pointer: bigint;
  readonly maps: ReadonlyMap<string, bigint>;
  readonly programs: ReadonlyMap<string, bigint>;
  readonly log: Uint8Array;
  /** Holds the memory whose bare address libbpf was given. */
  readonly opts: Uint8Array;
}

/** Loads an object; throws VerifierError or KernelError with nothing left behind. */
export function loadObject(native: Native, spec: ObjectSpec): KernelObject {
  requireElf(spec.name, spec.bytes);
  registerSections(native);
  let size = LOG_START;
  let isInlining = !spec.asBuilt;
  for (let interrupted = 0; ; ) {
    const opened = openObject(native, spec, size);
    try {
      prepare(native, opened, spec);
      const once = (): Load => load(native, opened, { isHeld: interrupted > 0, isInlining });
      const { result: loaded, warnings } = native.listen(once);
      const { result } = loaded;
      if (result >= 0) return objectHandle(native, opened, spec.name);
      const log = text(opened.log);
      const isAgain = isInterrupted(-result) && interrupted < INTERRUPTED_LOADS;
      const isLarger = isCut(log, -result) && size < LOG_LIMIT;
      const isOther = loaded.isInlined && !isInterrupted(-result);
      if (!isAgain && !isLarger && !isOther)
        throw loadError({ object: spec, errno: -result, warnings, log });
      if (isAgain) interrupted += 1;
      else if (isOther) isInlining = false;
      else size *= 2;
      native.object_close(opened.pointer);
    } catch (error) {
      native.object_close(opened.pointer);
      throw error;
    }
  }
}

interface Load {
  /** What libbpf gave. */
  readonly result: number;
  /** True where a program was given to the kernel with functions put in. */
  readonly isInlined: boolean;
}

function load(
  native: Native,
  opened: Opened,
  { isHeld, isInlining }: { readonly isHeld: boolean; readonly isInlining: boolean },
): Load {
  const once = (): number => native.object_load(opened.pointer);
  const held = (): number => (isHeld ? withSignalsHeld(native, once) : once());
  return isInlining ? withInlining(opened.pointer, held) : { result: held(), isInlined: false };
}

function openObject(native: Native, spec: ObjectSpec, logSize: number): Opened {
  const log = stable(logSize);
  // libbpf finds the section in a data map's name after the first dot: keep the object's name free of it.
  const name = stable(spec.name.length * 4 + 1);
  new TextEncoder().encodeInto(`${spec.name.replaceAll(/[^A-Za-z0-9_]/g, '_')}\0`, name);
  const opts = stable(OPEN_OPTS_BYTES);
  const view = new DataView(opts.buffer);
  view.setBigUint64(0, BigInt(OPEN_OPTS_BYTES), true);
  native.point(opts, AT.objectName, name);
  native.point(opts, AT.logBuffer, log);
  view.setBigUint64(AT.logSize, BigInt(logSize), true);
  const { result: pointer, warnings } = native.listen(() =>
    native.object_open(spec.bytes, spec.bytes.length, opts),
  );
  if (pointer === null)
    throw callError('bpf_object__open_mem', native.errno(), `cannot open object \`${spec.name}\``, {
      details: warnings,
      remedy: 'give an ELF object for eBPF, built with BTF',
    });
  const maps = new Map<string, bigint>();
  for (const map of each((previous) => native.object_next_map(pointer, previous))) {
    const full = native.map_name(map);
    const dot = full.indexOf('.');
    maps.set(dot < 0 ? full : full.slice(dot), map);
  }
  const programs = new Map<string, bigint>();
  for (const program of each((previous) => native.object_next_program(pointer, previous)))
    programs.set(native.program_name(program), program);
  return { pointer, maps, programs, log, opts };
}

function* each(next: (previous: Pointer) => Pointer): Generator<bigint> {
  for (let current = next(null); current !== null; current = next(current)) yield current;
}

function prepare(native: Native, opened: Opened, spec: ObjectSpec): void {
  for (const [name, map] of Object.entries(spec.reuse ?? {}))
    reuse(native, mapPointer(opened, spec, name), map, name);
  for (const [name, count] of Object.entries(spec.resize ?? {})) {
    const result = native.map_set_max_entries(mapPointer(opened, spec, name), count);
    if (result < 0) throw callError('bpf_map__set_max_entries', -result, `map \`${name}\``);
  }
  const dataMaps = new Map([...opened.maps].filter(([name]) => name.startsWith('.')));
  setGlobals(native, opened.pointer, dataMaps, spec.globals ?? {});
  if (spec.reasonOnly) {
    for (const [name, program] of opened.programs) {
      const result = native.program_set_log_level(program, LOG_REASON);
      if (result < 0) throw callError('bpf_program__set_log_level', -result, `program \`${name}\``);
    }
  }
  if (!spec.only) return;
  for (const name of spec.only)
    if (!opened.programs.has(name)) throw absent('program', name, spec.name, opened.programs);
  for (const [name, program] of opened.programs) {
    const result = native.program_set_autoload(program, spec.only.includes(name));
    if (result < 0) throw callError('bpf_program__set_autoload', -result, `program \`${name}\``);
  }
}

function mapPointer(opened: Opened, spec: ObjectSpec, name: string): bigint {
  const map = opened.maps.get(name);
  if (map === undefined) throw absent('map', name, spec.name, opened.maps);
  return map;
}

// libbpf takes over whatever shape the given map has; the program would then index past its values.
function reuse(native: Native, target: bigint, source: KernelMap, name: string): void {
  const info = source.info();
  const same =
    native.map_type(target) === info.type &&
    native.map_key_size(target) === info.keySize &&
    native.map_value_size(target) === info.valueSize;
  if (!same)
    throw new KernelError({
      code: 'KERNEL_MAP_MISMATCH',
      call: 'bpf_map__reuse_fd',
      errno: constants.errno.EINVAL,
      message: `map \`${name}\` cannot be reused: its type, key size or value size differs`,
      remedy: 'unload the older version first, or use objects of one build',
    });
  const result = native.map_reuse_fd(target, source.fd);
  if (result < 0) throw callError('bpf_map__reuse_fd', -result, `cannot reuse map \`${name}\``);
}

function absent(
  kind: 'map' | 'program',
  name: string,
  object: string,
  known: ReadonlyMap<string, unknown>,
): KernelError {
  return new KernelError({
    code: kind === 'map' ? 'KERNEL_NO_MAP' : 'KERNEL_NO_PROGRAM',
    call: 'bpf_object__load',
    errno: constants.errno.ENOENT,
    message: `object \`${object}\` has no ${kind} \`${name}\``,
    remedy: `known: ${[...known.keys()].join(', ') || 'none'}`,
  });
}

function text(log: Uint8Array): string {
  const end = log.indexOf(0);
  return new TextDecoder().decode(log.subarray(0, end < 0 ? log.length : end));
}

// Since 6.4 the kernel keeps the tail of a log that does not fit; before, its beginning.
function isCut(log: string, errno: number): boolean {
  return errno === constants.errno.ENOSPC && !/^processed \d+ insns/m.test(log);
}

function objectHandle(native: Native, opened: Opened, name: string): KernelObject {
  let open = true;
  const alive = (): boolean => open;
  const maps = new Map<string, KernelMap>();
  const programs = new Map<string, KernelProgram>();
  for (const [mapName, pointer] of opened.maps) {
    const fd = native.map_fd(pointer);
    if (fd < 0) continue;
    maps.set(mapName, kernelMap(native, descriptor(fd, `map \`${mapName}\``, { alive }), mapName));
  }
  for (const [programName, pointer] of opened.programs) {
    const fd = native.program_fd(pointer);
    if (fd < 0) continue;
    const handle = descriptor(fd, `program \`${programName}\``, { alive });
    programs.set(programName, kernelProgram(native, handle, programName));
  }
  return {
    name,
    mapNames: [...maps.keys()],
    programNames: [...programs.keys()],
    map: (wanted) => {
      const found = maps.get(wanted);
      if (!found) throw absent('map', wanted, name, maps);
      return found;
    },
    program: (wanted) => {
      const found = programs.get(wanted);
      if (!found) throw absent('program', wanted, name, programs);
      return found;
    },
    [Symbol.dispose]: () => {
      if (!open) return;
      open = false;
      native.object_close(opened.pointer);
    },
  };
}
