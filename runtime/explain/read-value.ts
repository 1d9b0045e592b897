/**
 * What the numbers of a decision stand for, as a person would write them: symbols as the texts that they are,
 * views as the bytes that they cover, addresses as addresses.
 */
import { CONNECTION, PARTY, REQUEST, type SideName } from '../../compiler/abi/index.js';
import type { Manifest, PolicyEntry } from '../../compiler/index.js';
import { formatAddress } from '../discovery/index.js';
import { type Current, ruleFinder, type Texts } from '../simulate/index.js';

/** How a part that the connection or the request does not have is told. */
export const ABSENT = 'absent';

const ADDRESS_BYTES = 16;
const PROTOCOLS: ReadonlyMap<number, string> = new Map([
  [6, 'TCP'],
  [17, 'UDP'],
]);

/** Name of an IP protocol, its number where it has none here. */
export function protocolName(number: number): string {
  return PROTOCOLS.get(number) ?? number.toString();
}

export interface ValueReader {
  readonly symbol: (symbol: bigint) => string;
  readonly view: (view: bigint) => string;
  readonly address: (side: SideName) => string;
  /** A part as a rule names it: `source.namespace`, `source.label` with its key. */
  readonly part: (name: string, key: string | null) => string;
  /** Index of the rule of a list that the connection meets; -1 for none. */
  readonly rule: (list: number, kind: number) => number;
}

/** A reader of the decision under way. */
export function valueReader(
  texts: Texts,
  current: Current,
  {
    manifest,
    policy,
  }: { readonly manifest: Pick<Manifest, 'attributes'>; readonly policy: PolicyEntry },
): ValueReader {
  const lists = policy.rules.map(({ rules }) => ruleFinder(rules, manifest, texts));
  const bytesAt = (offset: number, length: number): Uint8Array => {
    const { buffer, byteOffset } = current.view;
    const at = byteOffset + current.base + offset;
    return new Uint8Array(buffer).slice(at, at + length);
  };
  const symbol = (number: bigint): string => {
    const text = texts.textOf(Number(number));
    return typeof text === 'string' ? JSON.stringify(text) : ABSENT;
  };
  const address = (side: SideName): string =>
    formatAddress(bytesAt(CONNECTION[side] + PARTY.address, ADDRESS_BYTES));
  return {
    symbol,
    address,
    rule: (list, kind) => lists[list]?.(current, kind) ?? -1,
    part: (name, key) => {
      const { view, base } = current;
      if (name === 'protocol') return protocolName(view.getUint8(base + CONNECTION.protocol));
      if (name === 'destination.port') {
        return String(view.getUint16(base + CONNECTION.destinationPort, true));
      }
      const [side, attribute] = name.split('.') as [SideName, string];
      if (attribute === 'address') return address(side);
      const slot = manifest.attributes.find(
        (a) => a.side === side && a.attribute === attribute && a.key === key,
      )?.slot;
      if (slot === undefined) return ABSENT;
      const at = base + CONNECTION[side] + PARTY.attributes + 4 * slot;
      return symbol(BigInt(view.getUint32(at, true)));
    },
    view: (view) => {
      if (view === 0n) return ABSENT;
      const bytes = bytesAt(REQUEST.bytes + Number(view >> 16n), Number(view & 0xffffn));
      return JSON.stringify(String.fromCharCode(...bytes));
    },
  };
}
