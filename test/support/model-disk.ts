/**
 * A disk in memory that can lose power: what was not synced may be there, may be missing, or may be
 * there in part, and a name may or may not have been made, changed or removed before its folder was
 * synced. It fails at a step that is named by its number, and tells what steps there were.
 */
import type { Disk, DiskFile } from '../../runtime/store/disk.js';

/** Thrown by the step at which the machine stops; nothing after it reaches the disk. */
export class PowerCut extends Error {
  override readonly name = 'PowerCut';
}

interface Content {
  bytes: Uint8Array;
  /** What is on the disk for sure. */
  synced: Uint8Array;
}

/** What of the things that were not synced is there after the power cut. */
export interface Survival {
  readonly names: 'all' | 'none';
  /** Of what was appended and not synced: everything, nothing, one half, or zeros in its place. */
  readonly bytes: 'all' | 'none' | 'half' | 'zeros';
}

export const SURVIVALS: readonly Survival[] = (['all', 'none'] as const).flatMap((names) =>
  (['all', 'none', 'half', 'zeros'] as const).map((bytes) => ({ names, bytes })),
);

export class ModelDisk implements Disk {
  #names = new Map<string, Content>();
  #syncedNames = new Map<string, Content>();
  /** Each call that changes the disk, as text. */
  readonly steps: string[] = [];
  #stopAt: number;
  /** Another fault than a power cut: what the step throws, once. */
  readonly #fault: ((step: string) => Error | null) | null;

  constructor(
    stopAt: number = Number.POSITIVE_INFINITY,
    fault: ((step: string) => Error | null) | null = null,
  ) {
    this.#stopAt = stopAt;
    this.#fault = fault;
  }

  /** The disk as the next start finds it. */
  afterPowerCut({ names, bytes }: Survival): ModelDisk {
    const next = new ModelDisk();
    for (const [name, content] of names === 'all' ? this.#names : this.#syncedNames) {
      const kept = survivingBytes(content, bytes);
      const copy = { bytes: kept, synced: kept };
      next.#names.set(name, copy);
      next.#syncedNames.set(name, copy);
    }
    return next;
  }

  /** From now on the power goes after this many steps. */
  cutAt(steps: number): void {
    this.#stopAt = this.steps.length + steps;
  }

  file(path: string): Uint8Array | undefined {
    return this.#names.get(path)?.bytes;
  }
  setFile(path: string, bytes: Uint8Array): void {
    this.#names.set(path, { bytes, synced: bytes });
  }
  paths(): string[] {
    return [...this.#names.keys()].sort();
  }

  #step(what: string): void {
    this.steps.push(what);
    if (this.steps.length > this.#stopAt) throw new PowerCut(what);
    const fault = this.#fault?.(what) ?? null;
    if (fault !== null) throw fault;
  }

  async makeFolder(): Promise<void> {}
  async lock(): Promise<{ release: () => void }> {
    return { release: () => undefined };
  }
  async names(folder: string): Promise<string[]> {
    return this.paths()
      .filter((path) => path.startsWith(`${folder}/`))
      .map((path) => path.slice(folder.length + 1));
  }
  async read(path: string): Promise<Uint8Array> {
    const content = this.#names.get(path);
    if (content === undefined) throw new Error(`no file ${path}`);
    return content.bytes.slice();
  }
  async create(path: string): Promise<DiskFile> {
    this.#step(`create ${path}`);
    this.#names.set(path, { bytes: new Uint8Array(), synced: new Uint8Array() });
    return this.open(path);
  }
  async open(path: string): Promise<DiskFile> {
    const content = this.#names.get(path);
    if (content === undefined) throw new Error(`no file ${path}`);
    return {
      size: async () => content.bytes.length,
      append: async (bytes) => {
        const before = content.bytes;
        const append = (count: number): void => {
          content.bytes = new Uint8Array([...before, ...bytes.subarray(0, count)]);
        };
        // A call that fails may have written a part.
        append(Math.floor(bytes.length / 2));
        this.#step(`append ${path}`);
        append(bytes.length);
      },
      truncate: async (size) => {
        this.#step(`truncate ${path}`);
        content.bytes = content.bytes.slice(0, size);
      },
      sync: async () => {
        this.#step(`sync ${path}`);
        content.synced = content.bytes;
      },
      close: async () => {},
    };
  }
  async rename(from: string, to: string): Promise<void> {
    this.#step(`rename ${from}`);
    const content = this.#names.get(from);
    if (content === undefined) throw new Error(`no file ${from}`);
    this.#names.delete(from);
    this.#names.set(to, content);
  }
  async remove(path: string): Promise<void> {
    this.#step(`remove ${path}`);
    this.#names.delete(path);
  }
  async syncFolder(path: string): Promise<void> {
    this.#step(`sync folder ${path}`);
    this.#syncedNames = new Map(this.#names);
  }
}

function survivingBytes({ bytes, synced }: Content, kept: Survival['bytes']): Uint8Array {
  if (kept === 'all') return bytes;
  // What was cut and not synced may be back; only growth is kept in parts.
  if (kept === 'none' || bytes.length <= synced.length) return synced;
  if (kept === 'half') return bytes.slice(0, synced.length + ((bytes.length - synced.length) >> 1));
  const zeros = bytes.slice();
  zeros.fill(0, synced.length);
  return zeros;
}
