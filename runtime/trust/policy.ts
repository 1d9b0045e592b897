/** The trust policy: whose bundles a node runs. A document that people write, with a schema. */
import type { KeyObject } from 'node:crypto';
import {
  type Diagnostic,
  diagnostic,
  hasErrors,
  type Position,
} from '../../compiler/diagnostic/index.js';
import { readDocument } from '../schema/index.js';
import { CODES } from './codes.js';
import { keyId, readPublicKey } from './keys.js';
import { readTime } from './statement.js';
import { TrustError } from './trust-error.js';

export interface TrustedKey {
  readonly name: string;
  readonly id: string;
  readonly key: KeyObject;
  readonly notBefore: Date | null;
  readonly notAfter: Date | null;
}

export interface TrustPolicy {
  readonly keys: readonly TrustedKey[];
  readonly threshold: number;
  /** Names of bundles that may run; null: any. */
  readonly bundles: readonly string[] | null;
  readonly minimumVersion: number;
}

/** As the schema has it. */
interface Document {
  readonly keys: readonly {
    readonly name: string;
    readonly key?: string;
    readonly file?: string;
    readonly notBefore?: string;
    readonly notAfter?: string;
  }[];
  readonly threshold?: number;
  readonly bundles?: readonly string[];
  readonly minimumVersion?: number;
}

export interface PolicyRead {
  /** Null where there is an error. */
  readonly policy: TrustPolicy | null;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads a trust policy. `readKey` gives the text of a key file that it names, relative to it, or null
 * where that cannot be read. Never throws on input.
 */
export function readTrustPolicy(
  text: string,
  file: string,
  readKey: (path: string) => string | null,
): PolicyRead {
  const { value, diagnostics, at } = readDocument(text, file, 'trust');
  if (value === null) return { policy: null, diagnostics };
  const document = value as Document;
  const found: Diagnostic[] = [...diagnostics];
  const refuse = (code: string, message: string, position: Position): void => {
    found.push(diagnostic(code, message, { at: position, help: CODES[code]?.help ?? null }));
  };
  const time = (index: number, key: 'notBefore' | 'notAfter'): Date | null => {
    const written = document.keys[index]?.[key];
    if (written === undefined) return null;
    const read = readTime(written);
    if (read !== undefined) return read;
    refuse(
      'V112',
      `\`${written}\` is no point in time, as 2026-01-31T12:00:00Z is`,
      at(['keys', index, key]),
    );
    return null;
  };
  const keys = document.keys.flatMap((entry, index): TrustedKey[] => {
    const place = at(['keys', index]);
    const { name, key: inline, file: path } = entry;
    const times = { notBefore: time(index, 'notBefore'), notAfter: time(index, 'notAfter') };
    if (times.notBefore !== null && times.notAfter !== null && times.notAfter < times.notBefore) {
      const message = `key \`${name}\` ends before it begins to count`;
      refuse('V112', message, at(['keys', index, 'notAfter']));
    }
    if ((inline === undefined) === (path === undefined)) {
      refuse('V112', `key \`${name}\` needs one of \`key\` and \`file\``, place);
      return [];
    }
    const pem = inline ?? (path === undefined ? null : readKey(path));
    if (pem === null) {
      refuse('V111', `the key file \`${path}\` cannot be read`, at(['keys', index, 'file']));
      return [];
    }
    try {
      const key = readPublicKey(pem);
      return [{ name, id: keyId(key), key, ...times }];
    } catch (error) {
      if (!(error instanceof TrustError)) throw error;
      refuse('V111', `key \`${name}\`: ${error.message}`, place);
      return [];
    }
  });
  // Two names for one key would let it meet a threshold of two.
  for (const [index, { name, id }] of keys.entries()) {
    const twin = keys.findIndex((k) => k.name === name || k.id === id);
    if (twin < index) {
      refuse(
        'V112',
        `\`${name}\` is the key or the name of \`${keys[twin]?.name}\``,
        at(['keys', index]),
      );
    }
  }
  const { threshold = 1, bundles = null, minimumVersion = 0 } = document;
  if (threshold > document.keys.length) {
    refuse(
      'V112',
      `${document.keys.length} keys never make ${threshold} signatures`,
      at(['threshold']),
    );
  }
  const policy = { keys, threshold, bundles, minimumVersion };
  return { policy: hasErrors(found) ? null : policy, diagnostics: found };
}
