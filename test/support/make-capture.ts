/** Builds capture files, packet by packet. */

export interface CapturedSegment {
  readonly from: readonly [string, number];
  readonly to: readonly [string, number];
  readonly sequence: number;
  /** Of S, A, F, R. */
  readonly flags?: string;
  readonly payload?: string;
}

const FLAG: Readonly<Record<string, number>> = { F: 1, S: 2, R: 4, A: 16 };

function word(value: number): number[] {
  return [(value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}
const half = (value: number): number[] => [(value >>> 8) & 255, value & 255];

/** An IPv4 packet with a TCP segment; checksums are 0, which nobody reads. */
export function ipPacket({
  from,
  to,
  sequence,
  flags = 'A',
  payload = '',
}: CapturedSegment): Buffer {
  const body = Buffer.from(payload, 'latin1');
  const bits = [...flags].reduce((all, flag) => all | (FLAG[flag] ?? 0), 0);
  const address = (text: string): number[] => text.split('.').map(Number);
  const ip = [0x45, 0, ...half(40 + body.length), 0, 0, 0, 0, 64, 6, 0, 0];
  const tcp = [...half(from[1]), ...half(to[1]), ...word(sequence), ...word(0), 0x50, bits];
  const head = [...ip, ...address(from[0]), ...address(to[0]), ...tcp, 0, 0, 0, 0, 0, 0];
  return Buffer.concat([Buffer.from(head), body]);
}

/** Packets in frames of Ethernet with a VLAN tag. */
export function inEthernet(packet: Buffer): Buffer {
  return Buffer.concat([Buffer.alloc(12), Buffer.from([0x81, 0, 0, 5, 8, 0]), packet]);
}

export interface PcapOptions {
  readonly link?: number;
  readonly big?: boolean;
  readonly nanoseconds?: boolean;
  /** Bytes that are kept of a packet. */
  readonly snap?: number;
}

/** A pcap file; packet n has the time 1,700,000,000 s and n units. */
export function pcapFile(packets: readonly Buffer[], options: PcapOptions = {}): Buffer {
  const { link = 101, big = false, nanoseconds = false, snap = 65535 } = options;
  const u32 = (value: number): Buffer => {
    const out = Buffer.alloc(4);
    if (big) out.writeUInt32BE(value);
    else out.writeUInt32LE(value);
    return out;
  };
  const head = [nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4, 0x00020004, 0, 0, snap, link].map(u32);
  const records = packets.flatMap((packet, i) => {
    const kept = packet.subarray(0, snap);
    return [...[1_700_000_000, i + 1, kept.length, packet.length].map(u32), kept];
  });
  return Buffer.concat([...head, ...records]);
}

/** A pcapng file of one section and one raw-IP interface with times in nanoseconds. */
export function pcapngFile(packets: readonly Buffer[]): Buffer {
  const block = (type: number, body: Buffer): Buffer => {
    const padded = Buffer.concat([body, Buffer.alloc((4 - (body.length % 4)) % 4)]);
    const out = Buffer.alloc(8);
    out.writeUInt32LE(type);
    out.writeUInt32LE(padded.length + 12, 4);
    return Buffer.concat([out, padded, out.subarray(4)]);
  };
  const section = Buffer.from([0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, ...new Array(8).fill(255)]);
  const link = Buffer.from([101, 0, 0, 0, 0, 0, 4, 0, 9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0]);
  const frames = packets.map((packet, i) => {
    const head = Buffer.alloc(20);
    const time = 1_700_000_000_000_000_000n + BigInt(i + 1);
    head.writeUInt32LE(Number(time >> 32n), 4);
    head.writeUInt32LE(Number(time & 0xffffffffn), 8);
    head.writeUInt32LE(packet.length, 12);
    head.writeUInt32LE(packet.length, 16);
    return block(6, Buffer.concat([head, packet]));
  });
  return Buffer.concat([block(0x0a0d0d0a, section), block(1, link), ...frames]);
}
