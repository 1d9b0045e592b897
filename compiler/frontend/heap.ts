/**
 * The snapshot's memory as the SDK fills it: words, strings, lists (policies/sdk/registry.ts). It is
 * the policy's, so every address is checked: what cannot be is Damaged.
 */

const UTF16 = new TextDecoder('utf-16le', { ignoreBOM: true });
const CHUNK_ITEMS = 64;
const ITEM = 16;

/** The snapshot does not hold a well-formed registry: the policy wrote over it. */
export class Damaged extends Error {}

export class Heap {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly malformed: string[] = [];
  constructor(memory: Uint8Array) {
    this.#bytes = memory;
    this.#view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
  }
  u32(at: number): number {
    if (at + 4 > this.#bytes.length) throw new Damaged();
    return this.#view.getUint32(at, true);
  }
  u64(at: number): bigint {
    if (at + 8 > this.#bytes.length) throw new Damaged();
    return this.#view.getBigUint64(at, true);
  }
  /** An AssemblyScript string: UTF-16, its length in bytes before it. */
  text(at: number): string {
    if (at < 4) throw new Damaged();
    const bytes = this.u32(at - 4);
    if (at + bytes > this.#bytes.length) throw new Damaged();
    const text = UTF16.decode(this.#bytes.subarray(at, at + bytes));
    if (text.includes('\ufffd')) this.#replaced(at, bytes, text);
    return text;
  }
  /** Half a surrogate pair has no UTF-8 form, so no connection could ever have such a text. */
  #replaced(at: number, bytes: number, text: string): void {
    for (let i = 0; i < bytes / 2; i++) {
      const unit = this.#view.getUint16(at + i * 2, true);
      if (unit !== text.charCodeAt(i)) {
        this.malformed.push(text);
        return;
      }
    }
  }
  /** Addresses of the items of a list record. */
  items(list: number): number[] {
    const count = this.u32(list);
    const items: number[] = [];
    let chunk = this.u32(list + 4);
    while (items.length < count) {
      if (chunk === 0) throw new Damaged();
      const used = this.u32(chunk + 4);
      if (used === 0 || used > CHUNK_ITEMS) throw new Damaged();
      for (let i = 0; i < used; i++) items.push(chunk + 8 + i * ITEM);
      chunk = this.u32(chunk);
    }
    return items;
  }
}
