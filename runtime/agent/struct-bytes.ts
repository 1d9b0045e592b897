/** Reading and writing structs as bytes; shared by the codecs. */
import { LAYOUT } from './struct-layout.js';

export type StructName = keyof typeof LAYOUT;

/** An empty struct. */
export function struct(name: StructName): DataView {
  return new DataView(new ArrayBuffer(LAYOUT[name].size));
}
/** The bytes of a view. */
export function bytes(view: DataView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
/** Writes 16 address bytes; throws RangeError for any other length. */
export function putAddress(view: DataView, at: number, address: Uint8Array): void {
  if (address.length !== ADDRESS_BYTES)
    throw new RangeError(`an address has ${ADDRESS_BYTES} bytes, not ${address.length}`);
  bytes(view).set(address, at);
}
/** Addresses are IPv6 or IPv4-mapped. */
export const ADDRESS_BYTES: number = 16;
