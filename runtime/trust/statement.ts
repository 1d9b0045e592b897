/**
 * What a signature says: an in-toto statement about one bundle, by the digest of its OCI manifest.
 * `version` is what protects nodes from older bundles; it only ever rises.
 */
import { canonicalJson, field } from '../../compiler/bundle/index.js';
import { isoMilliseconds } from '../schema/index.js';

export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
export const PREDICATE_TYPE = 'https://weft.dev/attestation/bundle/v1';
/** Media type of a statement in an envelope. */
export const PAYLOAD_TYPE = 'application/vnd.in-toto+json';

export interface Statement {
  /** Name of the bundle. */
  readonly name: string;
  readonly digest: string; // sha256:…
  readonly version: number;
  readonly signedAt: Date;
  readonly notBefore: Date | null;
  readonly notAfter: Date | null;
}

function time(date: Date | null): string | undefined {
  return date === null ? undefined : date.toISOString();
}

/** A statement as the bytes that are signed. */
export function encodeStatement(statement: Statement): Buffer {
  const { name, digest, version, signedAt, notBefore, notAfter } = statement;
  const document = {
    _type: STATEMENT_TYPE,
    subject: [{ name, digest: { sha256: digest.replace('sha256:', '') } }],
    predicateType: PREDICATE_TYPE,
    predicate: {
      version,
      signedAt: time(signedAt),
      notBefore: time(notBefore),
      notAfter: time(notAfter),
    },
  };
  return Buffer.from(canonicalJson(document));
}

/** A point in time of the calendar in ISO 8601 with its zone; undefined for anything else. */
export function readTime(text: unknown): Date | undefined {
  if (typeof text !== 'string') return undefined;
  const isWhole = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/.test(text);
  const ms = isWhole ? isoMilliseconds(text) : Number.NaN;
  return Number.isNaN(ms) ? undefined : new Date(ms);
}

/** Reads what was signed; null where it is no statement about one bundle. */
export function decodeStatement(bytes: Uint8Array): Statement | null {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return null;
  }
  const subjects = field(value, 'subject');
  if (
    field(value, '_type') !== STATEMENT_TYPE ||
    field(value, 'predicateType') !== PREDICATE_TYPE
  ) {
    return null;
  }
  if (!Array.isArray(subjects) || subjects.length !== 1) return null;
  const name = field(subjects[0], 'name');
  const hex = field(field(subjects[0], 'digest'), 'sha256');
  const predicate = field(value, 'predicate');
  const version = field(predicate, 'version');
  const signedAt = readTime(field(predicate, 'signedAt'));
  const optional = (key: string): Date | null | undefined => {
    const found = field(predicate, key);
    return found === undefined ? null : readTime(found);
  };
  const [notBefore, notAfter] = [optional('notBefore'), optional('notAfter')];
  if (typeof name !== 'string' || typeof hex !== 'string' || !/^[0-9a-f]{64}$/.test(hex))
    return null;
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 0) return null;
  if (signedAt === undefined || notBefore === undefined || notAfter === undefined) return null;
  return { name, digest: `sha256:${hex}`, version, signedAt, notBefore, notAfter };
}
