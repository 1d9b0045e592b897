/** The TCP segment of a captured frame: Ethernet (with VLAN tags), Linux cooked, loopback or raw IP. */
import { formatAddress } from '../discovery/index.js';

export interface TcpSegment {
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly syn: boolean;
  readonly ack: boolean;
  readonly fin: boolean;
  readonly reset: boolean;
  readonly payload: Uint8Array;
}

/** LINKTYPE_*, www.tcpdump.org/linktypes.html */
const LINK = {
  null: 0,
  ethernet: 1,
  raw: 101,
  loop: 108,
  cooked: 113,
  v4: 228,
  v6: 229,
  cooked2: 276,
} as const;
const ETHERTYPE = { v4: 0x0800, v6: 0x86dd, vlan: 0x8100, service: 0x88a8 } as const;
const TCP = 6;
/** Extension headers of IPv6 that may stand before TCP: hop by hop, routing, destination (RFC 8200 4). */
const EXTENSIONS: readonly number[] = [0, 43, 60];

/** Where the IP header begins; null where there is none. */
function networkAt(link: number, data: Uint8Array): number | null {
  const word = (at: number): number => ((data[at] ?? 0) << 8) | (data[at + 1] ?? 0);
  const isIp = (type: number): boolean => type === ETHERTYPE.v4 || type === ETHERTYPE.v6;
  switch (link) {
    case LINK.ethernet: {
      let at = 12;
      while (word(at) === ETHERTYPE.vlan || word(at) === ETHERTYPE.service) at += 4;
      return isIp(word(at)) ? at + 2 : null;
    }
    case LINK.cooked:
      return isIp(word(14)) ? 16 : null;
    case LINK.cooked2:
      return isIp(word(0)) ? 20 : null;
    case LINK.null:
    case LINK.loop:
      return 4;
    case LINK.raw:
    case LINK.v4:
    case LINK.v6:
      return 0;
    default:
      return null;
  }
}

/** Whether frames of a link type are read. */
export function isKnownLink(link: number): boolean {
  return (Object.values(LINK) as number[]).includes(link);
}

const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

interface Network {
  readonly source: string;
  readonly destination: string;
  /** From the TCP header to the end of the packet. */
  readonly rest: Uint8Array;
}

function readV4(data: Uint8Array): Network | null {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const header = (view.getUint8(0) & 15) * 4;
  // A fragment does not say what it is a part of.
  if (header < 20 || view.getUint8(9) !== TCP || (view.getUint16(6) & 0x3fff) !== 0) return null;
  // Captured before the card cuts it into segments, a packet may say 0.
  const total = view.getUint16(2) || data.length;
  const address = (at: number): string =>
    formatAddress(Uint8Array.from([...MAPPED, ...data.subarray(at, at + 4)]));
  return { source: address(12), destination: address(16), rest: data.subarray(header, total) };
}

function readV6(data: Uint8Array): Network | null {
  if (data.length < 40) return null;
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const total = view.getUint16(4) === 0 ? data.length : 40 + view.getUint16(4);
  let [next, at] = [view.getUint8(6), 40];
  while (EXTENSIONS.includes(next) && at + 8 <= data.length) {
    next = view.getUint8(at);
    at += (view.getUint8(at + 1) + 1) * 8;
  }
  if (next !== TCP) return null;
  const address = (from: number): string => formatAddress(data.subarray(from, from + 16));
  return { source: address(8), destination: address(24), rest: data.subarray(at, total) };
}

/** Reads a frame; null where it carries no TCP segment. */
export function tcpSegment(link: number, data: Uint8Array): TcpSegment | null {
  const at = networkAt(link, data);
  if (at === null || data.length < at + 20) return null;
  const packet = data.subarray(at);
  const version = (packet[0] ?? 0) >> 4;
  const network = version === 4 ? readV4(packet) : version === 6 ? readV6(packet) : null;
  if (network === null || network.rest.length < 20) return null;
  const { source, destination, rest } = network;
  const view = new DataView(rest.buffer, rest.byteOffset, rest.length);
  const flags = view.getUint8(13);
  return {
    source,
    destination,
    sourcePort: view.getUint16(0),
    destinationPort: view.getUint16(2),
    sequence: view.getUint32(4),
    syn: (flags & 2) !== 0,
    ack: (flags & 16) !== 0,
    fin: (flags & 1) !== 0,
    reset: (flags & 4) !== 0,
    payload: rest.subarray((view.getUint8(12) >> 4) * 4),
  };
}
