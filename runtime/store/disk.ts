/**
 * What the folder form asks of a file system, and nothing else: so that a test can put one under it
 * that loses power, or is full, at any of these calls.
 */
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { type Kept, type Taken, takeLock } from '../lock/index.js';

export interface DiskFile {
  /** Bytes that are there, also those that another process has written. */
  size(): Promise<number>;
  append(bytes: Uint8Array): Promise<void>;
  truncate(size: number): Promise<void>;
  /** What was appended and cut outlives a power cut once this resolves. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface Disk {
  makeFolder(path: string): Promise<void>;
  /** Makes sure that one process at a time has the folder open. */
  lock(folder: string): Promise<Taken | Kept>;
  names(folder: string): Promise<string[]>;
  read(path: string): Promise<Uint8Array>;
  /** An empty file for appending, whatever was there. */
  create(path: string): Promise<DiskFile>;
  /** An existing file, for appending. */
  open(path: string): Promise<DiskFile>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Names that were made, changed and removed in it outlive a power cut once this resolves. */
  syncFolder(path: string): Promise<void>;
}

/** The state of a control plane is for its own user: it tells who may talk to whom. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
/** Who starts a control plane again at once should not have to wait for the old one's end. */
const PATIENCE_MS = 2000;

class RealFile implements DiskFile {
  readonly #handle: FileHandle;
  constructor(handle: FileHandle) {
    this.#handle = handle;
  }
  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }
  async append(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#handle.write(bytes, done);
      done += bytesWritten;
    }
  }
  truncate(size: number): Promise<void> {
    return this.#handle.truncate(size);
  }
  sync(): Promise<void> {
    return this.#handle.datasync();
  }
  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** The file system of this machine. */
export const realDisk: Disk = {
  async makeFolder(path) {
    await mkdir(path, { recursive: true, mode: FOLDER_MODE });
  },
  lock: (folder) => takeLock(folder, PATIENCE_MS),
  names: (folder) => readdir(folder),
  read: (path) => readFile(path),
  create: async (path) => {
    await rm(path, { force: true });
    return new RealFile(await open(path, 'ax', FILE_MODE));
  },
  open: async (path) => new RealFile(await open(path, 'a')),
  rename,
  remove: (path) => rm(path, { force: true }),
  async syncFolder(path) {
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};
