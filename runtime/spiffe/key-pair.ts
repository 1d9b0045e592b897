/**
 * What one side of a connection shows and trusts: its certificate (with what stands between it and the
 * authority), its key, and the authorities' certificates. Read whole or refused.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { messageOf } from '../../compiler/diagnostic/index.js';
import { certificateId } from './certificate-id.js';
import { IdentityError } from './identity-error.js';
import { printSpiffeId, type SpiffeId } from './spiffe-id.js';

/** A PEM file is some thousand bytes; what is larger is another file. */
export const MAX_PEM_BYTES: number = 1024 * 1024;

export interface KeyPaths {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** The bytes of the files of these names. */
export interface KeyFiles {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}

export interface KeyPair extends KeyFiles {
  readonly id: SpiffeId;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
}

function readPem(path: string): Buffer {
  try {
    if (statSync(path).size > MAX_PEM_BYTES) throw new Error('is too large');
    return readFileSync(path);
  } catch (cause) {
    const message = messageOf(cause);
    throw new IdentityError('C001', `\`${path}\` cannot be read: ${message}`, null, { cause });
  }
}

function parse<T>(path: string, bytes: Buffer, read: (bytes: Buffer) => T): T {
  try {
    return read(bytes);
  } catch (cause) {
    const message = `\`${path}\` is not what it should be: ${messageOf(cause)}`;
    throw new IdentityError('C001', message, null, { cause });
  }
}

/** What the three files hold. Throws IdentityError C001. */
export function readKeyFiles(paths: KeyPaths): KeyFiles {
  return { ca: readPem(paths.ca), cert: readPem(paths.cert), key: readPem(paths.key) };
}

/** Reads the three files. Throws IdentityError C001, C002 or C003; whether it is in time is the caller's to ask. */
export function readKeyPair(
  paths: KeyPaths,
  { ca, cert, key }: KeyFiles = readKeyFiles(paths),
): KeyPair {
  parse(paths.ca, ca, (bytes) => new X509Certificate(bytes));
  const certificate = parse(paths.cert, cert, (bytes) => new X509Certificate(bytes));
  const secret: KeyObject = parse(paths.key, key, (bytes) => createPrivateKey(bytes));
  if (!certificate.checkPrivateKey(secret)) {
    throw new IdentityError('C003', `\`${paths.key}\` is not the key of \`${paths.cert}\``);
  }
  const id = certificateId(certificate);
  if (id === null) {
    throw new IdentityError('C002', `\`${paths.cert}\` names nobody of the mesh`);
  }
  const notBefore = Date.parse(certificate.validFrom);
  const notAfter = Date.parse(certificate.validTo);
  return { ca, cert, key, id, notBefore, notAfter };
}

/** What is wrong with a pair's time, in words; null where it holds. */
export function outOfTime(pair: KeyPair, now: number): string | null {
  const who = printSpiffeId(pair.id);
  if (now < pair.notBefore)
    return `the certificate of ${who} holds from ${new Date(pair.notBefore).toISOString()} only`;
  if (now >= pair.notAfter)
    return `the certificate of ${who} held until ${new Date(pair.notAfter).toISOString()}`;
  return null;
}
