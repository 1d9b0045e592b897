/**
 * Keeps what files of tests compile to in `.weft/tests/` of the project, so that `weft test` compiles nothing where
 * no file that they read has changed. An entry says of which build of the program (compiler, SDK and options are
 * part of it), of which file, and of which texts it was made, and ends with its own digest: what is torn, stale or
 * of another file is compiled again. Entries are replaced whole, so that programs may run beside each other.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestCode } from '../../compiler/test-module.js';
import { inputDigest, sha256 } from './digest.js';
import { writeAtomic } from './write-atomic.js';

export interface KeptTests {
  readonly code: TestCode;
  /** Files of the project that it was made of, itself among them. */
  readonly reads: readonly string[];
}

interface Entry {
  readonly program: string;
  readonly file: string;
  /** Digest by path; null where there was no file. */
  readonly inputs: Readonly<Record<string, string | null>>;
  readonly wasm: string; // base64
  readonly sourceMap: string;
}

/** What may be kept of one project; the oldest goes first. */
const MOST_BYTES = 32 * 1024 * 1024;
const DIGEST_LENGTH = 64;

function folderOf(folder: string): string {
  return join(folder, '.weft', 'tests');
}

function entryPath(folder: string, file: string): string {
  return join(folderOf(folder), `${sha256(file)}.json`);
}

/** An entry that is whole; null for anything else. */
function readEntry(path: string): Entry | null {
  try {
    const bytes = readFileSync(path);
    const body = bytes.subarray(0, -DIGEST_LENGTH);
    const isWhole = sha256(body) === bytes.toString('latin1', body.length);
    return isWhole ? (JSON.parse(body.toString()) as Entry) : null;
  } catch {
    return null;
  }
}

/** What a file of tests compiled to; null where it has to be compiled. */
export function findKeptTests(folder: string, file: string, program: string): KeptTests | null {
  const entry = readEntry(entryPath(folder, file));
  if (entry === null || entry.program !== program || entry.file !== file) return null;
  const inputs = Object.entries(entry.inputs);
  if (!inputs.every(([path, digest]) => inputDigest(folder, path) === digest)) return null;
  const code = { wasm: Buffer.from(entry.wasm, 'base64'), sourceMap: entry.sourceMap };
  return { code, reads: inputs.map(([path]) => path) };
}

/** Keeps what a file compiled to. A folder that cannot be written only costs the next run its shortcut. */
export function keepTests(
  folder: string,
  file: string,
  { program, inputs, code }: Pick<Entry, 'program' | 'inputs'> & { readonly code: TestCode },
): void {
  const { wasm, sourceMap } = code;
  const entry: Entry = {
    ...{ program, file, inputs, sourceMap },
    wasm: Buffer.from(wasm).toString('base64'),
  };
  const body = JSON.stringify(entry);
  if (body.length > MOST_BYTES / 2) return;
  try {
    mkdirSync(folderOf(folder), { recursive: true });
    writeFileSync(join(folder, '.weft', '.gitignore'), '*\n');
    writeAtomic(entryPath(folder, file), body + sha256(body));
    dropOldest(folderOf(folder));
  } catch {
    // See above.
  }
}

/** Removes entries from the oldest on until the rest is within MOST_BYTES. */
function dropOldest(folder: string): void {
  const entries = readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    // Another program may have removed it meanwhile.
    const found = statSync(path, { throwIfNoEntry: false });
    return found === undefined ? [] : [{ path, bytes: found.size, at: found.mtimeMs }];
  });
  let bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
  for (const entry of entries.sort((a, b) => a.at - b.at)) {
    if (bytes <= MOST_BYTES) return;
    rmSync(entry.path, { force: true });
    bytes -= entry.bytes;
  }
}
