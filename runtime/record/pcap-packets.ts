/**
 * Packets of a capture file: pcap (either byte order, micro- or nanoseconds) and pcapng (section,
 * interface and enhanced packet blocks), from a stream of bytes in the memory of one packet.
 * Formats: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
 */

export interface Packet {
  /** From 1, in the order of the file. */
  readonly number: number;
  /** ns since 1970. */
  readonly time: bigint;
  /** LINKTYPE_*. */
  readonly link: number;
  readonly data: Uint8Array;
  /** Bytes that were sent but not kept. */
  readonly missing: number;
}
export type CapturePart =
  | { readonly kind: 'packet'; readonly packet: Packet }
  /** Nothing can be read from here on; `number` is that of the packet that would come. */
  | {
      readonly kind: 'fault';
      readonly number: number;
      readonly cut: boolean;
      readonly what: string;
    };

/** A packet of more is not one: also jumbo frames and offloaded segments are shorter. */
const MAX_PACKET = 262_144;
/** A block of more is not skipped but refused. */
const MAX_BLOCK = 16 * 1024 * 1024;
const PCAP = { header: 24, record: 16 } as const;
const BLOCK = { head: 8, section: 0x0a0d0d0a, interface: 1, enhanced: 6 } as const;
const BYTE_ORDER = 0x1a2b3c4d;
/** Option of an interface block that says the resolution of its times. */
const TSRESOL = 9;
const MICROSECONDS = 1000n;
const MAGIC: Readonly<Record<number, bigint>> = { 2712847316: MICROSECONDS, 2712812621: 1n };
const NS_PER_S = 1_000_000_000n;

interface Interface {
  readonly link: number;
  /** ns of one unit of its times. */
  readonly unit: (time: bigint) => bigint;
}
/** What was read of the bytes at hand; null where more are needed. */
type Step = { readonly taken: number; readonly part: CapturePart | null } | null;

function viewOf(bytes: Uint8Array, at: number): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset + at, bytes.length - at);
}

/** Whether bytes begin as a capture does. */
export function isCapture(bytes: Uint8Array): boolean {
  if (bytes.length < 4) return false;
  const view = viewOf(bytes, 0);
  const words = [view.getUint32(0), view.getUint32(0, true)];
  return words.some((word) => MAGIC[word] !== undefined || word === BLOCK.section);
}

/** Resolution of a pcapng interface: a power of ten, or of two where the high bit is set. */
function unitOf(view: DataView, little: boolean, length: number): Interface['unit'] {
  for (let at = 16; at + 4 <= length - 4; ) {
    const [code, size] = [view.getUint16(at, little), view.getUint16(at + 2, little)];
    if (code === 0) break;
    if (code === TSRESOL && size > 0) {
      const value = view.getUint8(at + 4);
      const per = value < 0x80 ? 10n ** BigInt(value) : 1n << BigInt(value & 0x7f);
      return (time) => (time * NS_PER_S) / per;
    }
    at += 4 + ((size + 3) & ~3);
  }
  return (time) => time * MICROSECONDS;
}

class CaptureReader {
  private little = true;
  private isNg: boolean | null = null;
  private scale = MICROSECONDS;
  private link = 0;
  private interfaces: Interface[] = [];
  number = 1;

  private refuse(what: string): Step {
    return { taken: 0, part: { kind: 'fault', number: this.number, cut: false, what } };
  }

  /** The next thing of the bytes at hand. */
  step(bytes: Uint8Array): Step {
    if (this.isNg === null) return this.begin(bytes);
    return this.isNg ? this.block(bytes) : this.record(bytes);
  }

  private begin(bytes: Uint8Array): Step {
    if (bytes.length < 4) return null;
    const view = viewOf(bytes, 0);
    if (view.getUint32(0) === BLOCK.section) {
      this.isNg = true;
      return { taken: 0, part: null };
    }
    for (const little of [true, false]) {
      const scale = MAGIC[view.getUint32(0, little)];
      if (scale === undefined) continue;
      if (bytes.length < PCAP.header) return null;
      this.isNg = false;
      this.little = little;
      this.scale = scale;
      // The upper half has the length of a frame check sequence.
      this.link = view.getUint32(20, little) & 0xffff;
      return { taken: PCAP.header, part: null };
    }
    return this.refuse('the file begins as no capture does');
  }

  private packet(fields: Omit<Packet, 'number'>): CapturePart {
    const packet = { number: this.number, ...fields };
    this.number += 1;
    return { kind: 'packet', packet };
  }

  private record(bytes: Uint8Array): Step {
    if (bytes.length < PCAP.record) return null;
    const view = viewOf(bytes, 0);
    const { little, scale, link } = this;
    const kept = view.getUint32(8, little);
    if (kept > MAX_PACKET) return this.refuse(`packet ${this.number} has ${kept} bytes`);
    const taken = PCAP.record + kept;
    if (bytes.length < taken) return null;
    const time =
      BigInt(view.getUint32(0, little)) * NS_PER_S + BigInt(view.getUint32(4, little)) * scale;
    const missing = Math.max(0, view.getUint32(12, little) - kept);
    return {
      taken,
      part: this.packet({ time, link, data: bytes.subarray(PCAP.record, taken), missing }),
    };
  }

  private block(bytes: Uint8Array): Step {
    if (bytes.length < BLOCK.head + 4) return null;
    const view = viewOf(bytes, 0);
    if (view.getUint32(0) === BLOCK.section) {
      this.little = view.getUint32(8, true) === BYTE_ORDER;
      this.interfaces = [];
    }
    const { little } = this;
    const [type, length] = [view.getUint32(0, little), view.getUint32(4, little)];
    if (length < 12 || length % 4 !== 0 || length > MAX_BLOCK) {
      return this.refuse(`the block before packet ${this.number} has ${length} bytes`);
    }
    if (bytes.length < length) return null;
    if (type === BLOCK.interface && length >= 20) {
      const unit = unitOf(view, little, length);
      this.interfaces.push({ link: view.getUint16(8, little), unit });
    }
    if (type !== BLOCK.enhanced) return { taken: length, part: null };
    const from = length < 32 ? undefined : this.interfaces[view.getUint32(8, little)];
    const kept = length < 32 ? 0 : view.getUint32(20, little);
    if (from === undefined || kept > length - 32) {
      return this.refuse(`packet ${this.number} does not fit its block`);
    }
    const units = (BigInt(view.getUint32(12, little)) << 32n) | BigInt(view.getUint32(16, little));
    const missing = Math.max(0, view.getUint32(24, little) - kept);
    const data = bytes.subarray(28, 28 + kept);
    return {
      taken: length,
      part: this.packet({ time: from.unit(units), link: from.link, data, missing }),
    };
  }
}

/** The packets of a capture, in order; a fault ends them. */
export async function* capturePackets(
  input: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<CapturePart> {
  const reader = new CaptureReader();
  let rest: Uint8Array = new Uint8Array(0);
  for await (const chunk of input) {
    const bytes: Uint8Array = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    for (;;) {
      const step = reader.step(bytes.subarray(at));
      if (step === null) break;
      at += step.taken;
      if (step.part !== null) yield step.part;
      if (step.part?.kind === 'fault') return;
    }
    rest = bytes.slice(at);
  }
  const { number } = reader;
  if (rest.length > 0) {
    yield { kind: 'fault', number, cut: true, what: `the file ends within packet ${number}` };
  }
}
