/** How the readers of this room say no: thrown inside of it, a diagnostic outside. */
import { type Diagnostic, diagnostic } from '../diagnostic/index.js';
import { CODES } from './codes.js';

/** Carries a finding out of the steps of a reader; never leaves this room. */
export class Refusal extends Error {
  readonly finding: Diagnostic;
  constructor(code: string, message: string, help: string | null = null) {
    super(message);
    this.finding = diagnostic(code, message, { help: help ?? CODES[code]?.help ?? null });
  }
}

export type Refused = { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** Runs a reader; what it refuses is an answer, anything else goes on up. */
export function answering<T>(read: () => T): T | Refused {
  try {
    return read();
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, diagnostics: [error.finding] };
    throw error;
  }
}

/** A JSON document that no schema covers. Refuses with B105. */
export function readJson(bytes: Uint8Array | undefined, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new Refusal('B105', `${what} is not valid JSON`);
  }
}

/** A field of a plain value; undefined where it is none. */
export function field(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[key];
}
