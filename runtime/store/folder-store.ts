/**
 * The embedded store: one folder of one process. Each commit is appended to a log and on the disk
 * before it is answered; when the log has grown well past what it says, a snapshot takes its place.
 */
import { messageOf } from '../../compiler/diagnostic/index.js';
import { type Disk, type DiskFile, realDisk } from './disk.js';
import { logPath, readFolder, removeOld, writeSnapshot } from './folder-files.js';
import { writeFrame } from './frame.js';
import { Ledger, type Planned } from './ledger.js';
import { LocalStore, type Place } from './local-store.js';
import { StoreError } from './store-error.js';
import { encodeWrites } from './writes-codec.js';

/** A log under this size is not worth a snapshot. */
const MIN_LOG_BYTES: number = 8 << 20;

export interface FolderOptions {
  readonly disk?: Disk;
  /** The size from which a log is replaced by a snapshot. */
  readonly logBytes?: number;
}

class Folder implements Place {
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #ledger: Ledger;
  readonly #release: () => void;
  readonly #minLogBytes: number;
  #log: DiskFile;
  #logPath: string;
  #size: number;
  #limit: number;
  /** Why nothing may be written any more. */
  #broken: StoreError | null = null;

  constructor(
    disk: Disk,
    folder: string,
    ledger: Ledger,
    log: { readonly file: DiskFile; readonly path: string; readonly size: number },
    logBytes: number,
    release: () => void,
  ) {
    this.#disk = disk;
    this.#folder = folder;
    this.#ledger = ledger;
    this.#log = log.file;
    this.#logPath = log.path;
    this.#size = log.size;
    this.#minLogBytes = logBytes;
    this.#limit = logBytes;
    this.#release = release;
  }

  async write(commits: readonly Planned[]): Promise<void> {
    if (this.#broken !== null) throw this.#broken;
    if (this.#size >= this.#limit) await this.#replaceLog();
    const bytes = Buffer.concat(
      commits.map(({ revision, writes }) =>
        writeFrame({
          revision,
          payload: encodeWrites(
            writes.map(({ key, value, lease }) => ({ key, value, leased: lease !== undefined })),
          ),
        }),
      ),
    );
    const found = await this.#log.size();
    if (found !== this.#size) {
      this.#broken = new StoreError(
        'D103',
        `\`${this.#logPath}\` has ${found} bytes instead of ${this.#size}: another process writes to it`,
      );
      throw this.#broken;
    }
    await this.#append(bytes);
    await this.#sync();
    this.#size += bytes.length;
  }

  async close(): Promise<void> {
    try {
      await this.#log.close();
    } finally {
      this.#release();
    }
  }

  async #append(bytes: Uint8Array): Promise<void> {
    try {
      await this.#log.append(bytes);
    } catch (cause) {
      const message = `\`${this.#logPath}\` cannot be written (${messageOf(cause)})`;
      try {
        await this.#log.truncate(this.#size);
        await this.#log.sync();
      } catch (second) {
        this.#broken = new StoreError(
          'D106',
          `${message}, nor be cut back (${messageOf(second)}): start the control plane again`,
          { cause },
        );
        throw this.#broken;
      }
      throw new StoreError('D106', message, { cause });
    }
  }

  /** After a failed sync nobody knows what is on the disk, and a second one may falsely succeed. */
  async #sync(): Promise<void> {
    try {
      await this.#log.sync();
    } catch (cause) {
      this.#broken = new StoreError(
        'D106',
        `\`${this.#logPath}\` was not written to the disk (${messageOf(cause)}): start the control plane again`,
        { cause },
      );
      throw this.#broken;
    }
  }

  /** Where this fails, the old log goes on, and it is tried again when that has doubled. */
  async #replaceLog(): Promise<void> {
    const path = logPath(this.#folder, this.#ledger.revision);
    try {
      await writeSnapshot(this.#disk, this.#folder, this.#ledger);
      const log = await this.#disk.create(path);
      await this.#disk.syncFolder(this.#folder);
      await this.#log.close();
      this.#log = log;
      this.#logPath = path;
      this.#size = 0;
    } catch {
      this.#limit = 2 * this.#size;
      return;
    }
    let live = 0;
    for (const { entry } of this.#ledger.held()) live += entry.key.length + entry.value.length;
    this.#limit = Math.max(this.#minLogBytes, 2 * live);
    // What is left behind is read past, and removed the next time.
    await removeOld(this.#disk, this.#folder, path).catch(() => {});
  }
}

async function openLog(
  disk: Disk,
  folder: string,
  ledger: Ledger,
  found: { readonly path: string; readonly size: number; readonly torn: boolean } | null,
): Promise<{ file: DiskFile; path: string; size: number }> {
  if (found === null) {
    const path = logPath(folder, ledger.revision);
    const file = await disk.create(path);
    await disk.syncFolder(folder);
    return { file, path, size: 0 };
  }
  const file = await disk.open(found.path);
  if (found.torn) {
    await file.truncate(found.size);
    await file.sync();
  }
  return { file, path: found.path, size: found.size };
}

/** Opens the store in a folder, and makes it where there is none. Throws D103, D104, D106. */
export async function openFolder(folder: string, options: FolderOptions = {}): Promise<LocalStore> {
  const disk = options.disk ?? realDisk;
  const ledger = new Ledger();
  const failed = (cause: unknown): never => {
    if (cause instanceof StoreError) throw cause;
    throw new StoreError('D106', `\`${folder}\` cannot be opened (${messageOf(cause)})`, { cause });
  };
  const taken = await disk
    .makeFolder(folder)
    .then(() => disk.lock(folder))
    .catch(failed);
  if ('holder' in taken) {
    throw new StoreError('D103', `process \`${taken.holder}\` has \`${folder}\` open`);
  }
  try {
    const opened = await readFolder(disk, folder, ledger);
    const log = await openLog(disk, folder, ledger, opened.log);
    const logBytes = options.logBytes ?? MIN_LOG_BYTES;
    const place = new Folder(disk, folder, ledger, log, logBytes, taken.release);
    const store = new LocalStore(ledger, place);
    // A lease ends with its process, and that one has ended.
    for (const key of opened.leased) await store.commit([], [{ key, value: null }]);
    return store;
  } catch (error) {
    taken.release();
    return failed(error);
  }
}
