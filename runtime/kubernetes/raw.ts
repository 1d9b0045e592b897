/**
 * Objects of the API as JSON gives them: nothing is believed of their form, and nothing of them is kept
 * but what is read. Texts and labels that many objects share are kept once.
 */
export type Raw = Readonly<Record<string, unknown>>;
export type Labels = Readonly<Record<string, string>>;

const NOTHING: Raw = {};

/** An object, empty where it is none. */
export function objectOf(value: unknown): Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Raw)
    : NOTHING;
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A text that is not empty. */
export function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Texts by key, in the order of the keys. */
export function labelsOf(value: unknown): Labels {
  const found = Object.entries(objectOf(value))
    .filter((entry): entry is [string, string] => typeof entry[1] === 'string')
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(found);
}

/** So many shared values are remembered; beyond that it begins anew, and only memory is lost. */
const MAX_SHARED = 50_000;

/** Values that are equal as JSON, kept once. */
export class Shared {
  readonly #known = new Map<string, unknown>();

  one<T>(value: T): T {
    const key = JSON.stringify(value);
    const known = this.#known.get(key);
    if (known !== undefined) return known as T;
    if (this.#known.size >= MAX_SHARED) this.#known.clear();
    this.#known.set(key, value);
    return value;
  }
}
