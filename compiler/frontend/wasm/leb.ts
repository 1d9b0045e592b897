/**
 * LEB128, the variable-length integers of WebAssembly, and the bounds-checked reader that all of the
 * binary format is read through. Input may be hostile: every read past the end or over-long number
 * throws MalformedWasm, which readModule and readSections turn into an error value.
 */

/** The input is no well-formed module; `offset` is where reading stopped. */
export class MalformedWasm extends Error {
  override readonly name = 'MalformedWasm';
  readonly code = 'MALFORMED_WASM';
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** A cursor over bytes; offsets are absolute in the module. */
export class Reader {
  readonly bytes: Uint8Array;
  pos: number;
  readonly end: number;
  constructor(bytes: Uint8Array, pos = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.pos = pos;
    this.end = end;
  }
  get done(): boolean {
    return this.pos >= this.end;
  }
  fail(message: string): never {
    throw new MalformedWasm(message, this.pos);
  }
  u8(): number {
    const byte = this.pos < this.end ? this.bytes[this.pos] : undefined;
    if (byte === undefined) return this.fail('unexpected end');
    this.pos += 1;
    return byte;
  }
  take(length: number): Uint8Array {
    if (length > this.end - this.pos) this.fail('unexpected end');
    this.pos += length;
    return this.bytes.subarray(this.pos - length, this.pos);
  }
  /** Unsigned, at most 32 bits. */
  u32(): number {
    let result = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8();
      if (shift === 28 && byte > 15) this.fail('number too long');
      result += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return result;
    }
    return this.fail('number too long');
  }
  /** Signed, at most `bits` bits, as bit pattern of that width. */
  signed(bits: 32 | 33 | 64): bigint {
    let result = 0n;
    let shift = 0;
    for (;;) {
      const byte = this.u8();
      result |= BigInt(byte & 0x7f) << BigInt(shift);
      shift += 7;
      if (byte < 0x80) {
        if (byte & 0x40) result -= 1n << BigInt(shift);
        if (BigInt.asIntN(bits, result) !== result) this.fail('number out of range');
        return BigInt.asUintN(bits, result);
      }
      if (shift >= bits) return this.fail('number too long');
    }
  }
  name(): string {
    const bytes = this.take(this.u32());
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      return this.fail('name is not UTF-8');
    }
  }
  /** A vector's length, refused where the rest of the input cannot hold so many items of `least` bytes. */
  count(least = 1): number {
    const n = this.u32();
    if (n * least > this.end - this.pos) this.fail('vector longer than the input');
    return n;
  }
}

/** Unsigned LEB128. */
export function encodeU32(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    out.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  out.push(rest);
  return out;
}

/** Signed LEB128 of a bit pattern of 32 or 64 bits. */
export function encodeSigned(pattern: bigint, bits: 32 | 64): number[] {
  const out: number[] = [];
  let rest = BigInt.asIntN(bits, pattern);
  for (;;) {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    if ((rest === 0n && low < 0x40) || (rest === -1n && low >= 0x40)) {
      out.push(low);
      return out;
    }
    out.push(low | 0x80);
  }
}

/** Length-prefixed UTF-8. */
export function encodeName(name: string): number[] {
  const bytes = new TextEncoder().encode(name);
  return [...encodeU32(bytes.length), ...bytes];
}
