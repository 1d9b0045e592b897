/**
 * What the numbers of a decision stand for, as a person would write them: symbols as the texts that they are,
 * views as the bytes that they cover, addresses as addresses.
 */
import { CONNECTION, PARTY, REQUEST, type SideName } from '../../compiler/abi/index.js';
import { formatAddress } from '../discovery/index.js';
import type { Current, Texts } from '../simulate/index.js';

/** How a part that the connection or the request does not have is told. */
export const ABSENT = 'absent';

const ADDRESS_BYTES = 16;

export interface ValueReader {
  readonly symbol: (symbol: bigint) => string;
  readonly view: (view: bigint) => string;
  readonly address: (side: SideName) => string;
}

/** A reader of the decision under way. */
export function valueReader(texts: Texts, current: Current): ValueReader {
  const bytesAt = (offset: number, length: number): Uint8Array => {
    const { buffer, byteOffset } = current.view;
    const at = byteOffset + current.base + offset;
    return new Uint8Array(buffer).slice(at, at + length);
  };
  return {
    symbol: (symbol) => {
      const text = texts.textOf(Number(symbol));
      return typeof text === 'string' ? JSON.stringify(text) : ABSENT;
    },
    view: (view) => {
      if (view === 0n) return ABSENT;
      const bytes = bytesAt(REQUEST.bytes + Number(view >> 16n), Number(view & 0xffffn));
      return JSON.stringify(String.fromCharCode(...bytes));
    },
    address: (side) => formatAddress(bytesAt(CONNECTION[side] + PARTY.address, ADDRESS_BYTES)),
  };
}
