/**
 * Remembers of which inputs an output was made, in `.weft/` of the project, so that an unchanged
 * build costs a few file reads. Digests decide, never times; whatever is doubtful is built again.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inputDigest, sha256 } from './digest.js';
import { writeAtomic } from './write-atomic.js';

export interface BuildRecord {
  /** Which build of the program made it. */
  readonly program: string;
  readonly inputs: Readonly<Record<string, string | null>>;
  readonly output: string; // sha256 of the file
  readonly bundle: string; // digest of the bundle
}

type Records = Readonly<Record<string, BuildRecord>>;

function file(folder: string): string {
  return join(folder, '.weft', 'builds.json');
}

function readRecords(folder: string): Records {
  try {
    const value: unknown = JSON.parse(readFileSync(file(folder), 'utf8'));
    return typeof value === 'object' && value !== null ? (value as Records) : {};
  } catch {
    return {};
  }
}

function isCurrent(record: BuildRecord, folder: string, output: string): boolean {
  try {
    return (
      sha256(readFileSync(output)) === record.output &&
      Object.entries(record.inputs).every(([path, d]) => inputDigest(folder, path) === d)
    );
  } catch {
    return false;
  }
}

/** The record of an output that is still what a build would make; null where it must be made. */
export function findCurrent(folder: string, output: string, program: string): BuildRecord | null {
  const record = readRecords(folder)[output];
  if (record === undefined || record.program !== program) return null;
  return isCurrent(record, folder, output) ? record : null;
}

/** Notes an output. A folder that cannot be written only costs the next build its shortcut. */
export function noteBuild(folder: string, output: string, record: BuildRecord): void {
  try {
    mkdirSync(join(folder, '.weft'), { recursive: true });
    writeFileSync(join(folder, '.weft', '.gitignore'), '*\n');
    const records = { ...readRecords(folder), [output]: record };
    writeAtomic(file(folder), JSON.stringify(records));
  } catch {
    // See above.
  }
}
