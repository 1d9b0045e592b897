/** A reader of bytes from outside, as test/fuzz/readers.ts tries it. */
export interface Reader {
  readonly seeds: readonly Uint8Array[];
  /** Reads one input; throws where something is wrong with the reader. */
  readonly read: (input: Uint8Array) => void | Promise<void>;
}

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
export const json = (value: unknown): Uint8Array => utf8(JSON.stringify(value));
export const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
