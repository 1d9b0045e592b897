/**
 * Bundles that this node may need again with nobody's help: those of the generations that are kept,
 * by their digests, and which of them it runs. They outlive a restart of the machine, so that a node
 * boots without a control plane. A bundle is laid down before it is activated, and becomes the last
 * good one behind that: what is named here has run.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { AgentError } from './agent-error.js';
import { CODES } from './codes.js';
import type { Paths } from './paths.js';
import { writeAtomic } from './write-atomic.js';

export interface LaidBundle {
  readonly digest: string;
  /** The archive, as `weft build` writes it. */
  readonly bytes: Uint8Array;
  /** One a line, as beside a bundle file. */
  readonly signatures: readonly string[];
}

export interface GoodBundle extends LaidBundle {
  readonly name: string;
  /** When this node admitted it; by this time its signatures are judged at a boot. */
  readonly admittedAt: Date;
}

interface Pointer {
  readonly digest: string;
  readonly name: string;
  readonly admittedAt: string;
}

const folderOf = (paths: Paths): string => join(paths.lib, 'bundles');
const pointerFile = (paths: Paths): string => join(paths.lib, 'good.json');
const stem = (digest: string): string => digest.replace(/^sha256:/, '').replace(/[^0-9a-z]/g, '-');
const archiveOf = (paths: Paths, digest: string): string =>
  join(folderOf(paths), `${stem(digest)}.weft`);
const signaturesOf = (paths: Paths, digest: string): string =>
  join(folderOf(paths), `${stem(digest)}.sigstore.jsonl`);

const linesIn = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '');

function holds(path: string, bytes: Uint8Array): boolean {
  try {
    return Buffer.compare(readFileSync(path), bytes) === 0;
  } catch {
    return false;
  }
}

/** Lays a bundle down; which one is the last good one stays. Throws A031. */
export function layBundle(paths: Paths, { digest, bytes, signatures }: LaidBundle): void {
  const lines = Buffer.from(signatures.map((line) => `${line}\n`).join(''));
  // The archive last: where it is, its signatures are.
  for (const [path, data] of [
    [signaturesOf(paths, digest), lines],
    [archiveOf(paths, digest), bytes],
  ] as const) {
    if (!holds(path, data)) writeAtomic(path, data, { flush: true });
  }
}

/** The signatures that lie beside a bundle of this digest; null where it is not laid down. */
export function laidSignatures(paths: Paths, digest: string): readonly string[] | null {
  try {
    return linesIn(readFileSync(signaturesOf(paths, digest), 'utf8'));
  } catch {
    return null;
  }
}

/** Is a bundle of this digest laid down? */
export function isLaid(paths: Paths, digest: string): boolean {
  return existsSync(archiveOf(paths, digest));
}

/** Makes a bundle that was laid down the last good one. Throws A031. */
export function markGood(paths: Paths, pointer: Pointer): void {
  writeAtomic(pointerFile(paths), JSON.stringify(pointer), { flush: true });
}

function readPointer(paths: Paths): Pointer | null {
  let text: string;
  try {
    text = readFileSync(pointerFile(paths), 'utf8');
  } catch {
    return null;
  }
  try {
    const value: Pointer = JSON.parse(text);
    if (Number.isNaN(Date.parse(value.admittedAt))) throw new Error('no time');
    return value;
  } catch (cause) {
    throw damaged(`\`${pointerFile(paths)}\` is no pointer to a bundle`, cause);
  }
}

function damaged(message: string, cause: unknown): AgentError {
  return new AgentError('A032', message, CODES['A032']?.help ?? null, { cause });
}

/** The last bundle that ran here; null where none did. Its bytes are not looked at. Throws A032 where it is not whole. */
export function readGood(paths: Paths): GoodBundle | null {
  const pointer = readPointer(paths);
  if (pointer === null) return null;
  const { digest, name } = pointer;
  try {
    return {
      ...{ digest, name, admittedAt: new Date(pointer.admittedAt) },
      bytes: readFileSync(archiveOf(paths, digest)),
      signatures: linesIn(readFileSync(signaturesOf(paths, digest), 'utf8')),
    };
  } catch (cause) {
    throw damaged(`the last good bundle \`${digest}\` cannot be read`, cause);
  }
}

/** Forgets every bundle but the last good one and those of `digests`. */
export function sweepBundles(paths: Paths, digests: Iterable<string>): void {
  const stems = new Set([...digests].map(stem));
  const good = readPointer(paths);
  if (good !== null) stems.add(stem(good.digest));
  if (!existsSync(folderOf(paths))) return;
  for (const name of readdirSync(folderOf(paths))) {
    const [of = ''] = name.split('.');
    if (!stems.has(of) || name.endsWith('.new')) {
      rmSync(join(folderOf(paths), name), { force: true });
    }
  }
}

/** Forgets all: this node boots with nothing. */
export function removeBundles(paths: Paths): void {
  rmSync(pointerFile(paths), { force: true });
  rmSync(`${pointerFile(paths)}.new`, { force: true });
  rmSync(folderOf(paths), { recursive: true, force: true });
}
