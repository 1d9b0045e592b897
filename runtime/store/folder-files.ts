/**
 * The files of the folder form: `snapshot-R`, every key as of revision R, and `log-R`, the commits
 * after R. Reads them into a ledger, and tells a crash (a torn end of the last log, which is cut off)
 * from damage (anything else, which is refused with its place).
 */
import { join } from 'node:path';
import type { Disk } from './disk.js';
import { readFrames, writeFrame } from './frame.js';
import type { Ledger } from './ledger.js';
import { StoreError } from './store-error.js';
import type { Entry } from './types.js';
import { decodeWrites, encodeWrites } from './writes-codec.js';

const NAME = /^(snapshot|log)-(\d{20})$/;
/** A snapshot that is being written. */
const NEW = '.new';

/** Where the ledger's next commit goes. */
export interface Opened {
  /** The last log; null where there is none. */
  readonly log: { readonly path: string; readonly size: number; readonly torn: boolean } | null;
  /** Keys that a lease of an earlier process held. */
  readonly leased: readonly string[];
}

interface Numbered {
  readonly path: string;
  readonly revision: bigint;
}

export function snapshotPath(folder: string, revision: bigint): string {
  return join(folder, `snapshot-${revision.toString().padStart(20, '0')}`);
}

export function logPath(folder: string, revision: bigint): string {
  return join(folder, `log-${revision.toString().padStart(20, '0')}`);
}

function damaged(path: string, at: number, why: string): StoreError {
  return new StoreError('D104', `\`${path}\` is damaged at byte ${at}: ${why}`);
}

/** The files of one kind, the oldest first. */
function numbered(folder: string, names: readonly string[], kind: string): Numbered[] {
  return names
    .map((name) => ({ name, match: NAME.exec(name) }))
    .filter(({ match }) => match?.[1] === kind)
    .map(({ name, match }) => ({ path: join(folder, name), revision: BigInt(match?.[2] ?? '0') }))
    .sort((a, b) => (a.revision < b.revision ? -1 : 1));
}

/** Every key as of now, as one file's bytes: a record a key, and one without content that ends it. */
export function encodeSnapshot(ledger: Ledger): Uint8Array {
  const frames: Uint8Array[] = [];
  for (const { entry, leased } of ledger.held()) {
    const payload = encodeWrites([{ key: entry.key, value: entry.value, leased }]);
    frames.push(writeFrame({ revision: entry.revision, payload }));
  }
  frames.push(writeFrame({ revision: ledger.revision, payload: encodeWrites([]) }));
  return Buffer.concat(frames);
}

async function readSnapshot(
  disk: Disk,
  { path, revision }: Numbered,
  ledger: Ledger,
  leased: Set<string>,
): Promise<void> {
  const bytes = await disk.read(path);
  const { frames, end } = readFrames(bytes);
  // It got its name when it was whole on the disk.
  if (end.kind !== 'whole') {
    throw damaged(path, end.at, end.kind === 'damaged' ? end.why : 'the file ends in a record');
  }
  const entries: Entry[] = [];
  for (const frame of frames.slice(0, -1)) {
    for (const write of decodeWrites(frame.payload)) {
      entries.push({
        key: write.key,
        value: write.value ?? new Uint8Array(),
        revision: frame.revision,
      });
      if (write.leased) leased.add(write.key);
    }
  }
  const last = frames.at(-1);
  if (last === undefined || last.revision !== revision || decodeWrites(last.payload).length > 0) {
    throw damaged(path, bytes.length, 'the record that ends it is missing');
  }
  ledger.restore(entries, revision);
}

/** Reads one log on from where the ledger stands. Returns where the next record goes. */
function readLog(
  { path, revision: base, bytes }: Numbered & { readonly bytes: Uint8Array },
  isLast: boolean,
  ledger: Ledger,
  leased: Set<string>,
): { size: number; torn: boolean } {
  const { frames, end } = readFrames(bytes);
  if (base > ledger.revision) {
    throw damaged(
      path,
      0,
      `the changes of revisions ${ledger.revision + 1n} to ${base} are missing`,
    );
  }
  for (const { revision, payload } of frames) {
    if (revision <= ledger.revision) continue;
    if (revision !== ledger.revision + 1n) {
      throw damaged(path, 0, `the change of revision ${ledger.revision + 1n} is missing`);
    }
    const writes = decodeWrites(payload);
    ledger.apply({ revision, writes });
    for (const { key, leased: isLeased } of writes) {
      if (isLeased) leased.add(key);
      else leased.delete(key);
    }
  }
  if (end.kind === 'damaged') throw damaged(path, end.at, end.why);
  if (end.kind === 'torn' && !isLast) throw damaged(path, end.at, 'the file ends in a record');
  return end.kind === 'torn' ? { size: end.at, torn: true } : { size: bytes.length, torn: false };
}

/** Reads a folder into an empty ledger. Changes nothing on the disk. Throws D104. */
export async function readFolder(disk: Disk, folder: string, ledger: Ledger): Promise<Opened> {
  const names = await disk.names(folder);
  const leased = new Set<string>();
  const snapshot = numbered(folder, names, 'snapshot').at(-1);
  if (snapshot !== undefined) await readSnapshot(disk, snapshot, ledger, leased);
  const logs = await Promise.all(
    numbered(folder, names, 'log').map(async (file) => ({
      ...file,
      bytes: await disk.read(file.path),
    })),
  );
  // A new log without records may lie behind one that goes on, where its making was cut short.
  const last = logs.filter(({ bytes }) => bytes.length > 0).at(-1) ?? logs.at(-1);
  let log: Opened['log'] = null;
  for (const file of logs) {
    const read = readLog(file, file === last, ledger, leased);
    if (file === last) log = { path: file.path, ...read };
  }
  return { log, leased: [...leased] };
}

/** Writes the ledger's state to a file that appears whole or not at all; the folder is not synced. */
export async function writeSnapshot(disk: Disk, folder: string, ledger: Ledger): Promise<void> {
  const path = snapshotPath(folder, ledger.revision);
  const file = await disk.create(path + NEW);
  try {
    await file.append(encodeSnapshot(ledger));
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(path + NEW, path);
}

/** Removes what the newest snapshot and the log at `kept` make superfluous. */
export async function removeOld(disk: Disk, folder: string, kept: string): Promise<void> {
  const names = await disk.names(folder);
  const old = [
    ...numbered(folder, names, 'snapshot').slice(0, -1),
    ...numbered(folder, names, 'log').filter(({ path }) => path !== kept),
  ];
  for (const { path } of old) await disk.remove(path);
  for (const name of names) {
    if (name.startsWith('snapshot-') && name.endsWith(NEW)) await disk.remove(join(folder, name));
  }
}
