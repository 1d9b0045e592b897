/**
 * Captures of cleartext HTTP: a record for each connection that was opened, and one for each request
 * that a client sent on it. Lines are packet numbers.
 */
import type { Diagnostic } from '../../compiler/diagnostic/index.js';
import type { SourceBatch } from './decide-stream.js';
import { OrderedBytes } from './ordered-bytes.js';
import { lineFault } from './parse-lines.js';
import { capturePackets, type Packet } from './pcap-packets.js';
import { placeText } from './place-finder.js';
import { timeText } from './record-input.js';
import { openRequestParsers, type RequestParsers, RequestStream } from './request-stream.js';
import { isKnownLink, type TcpSegment, tcpSegment } from './tcp-segment.js';
import type { TrafficRecord } from './types.js';

/** Directions that are followed at a time; the one that was begun first is forgotten. */
const MAX_STREAMS = 16_384;
const BATCH = 1024;

interface Direction {
  readonly bytes: OrderedBytes;
  readonly requests: RequestStream;
}

function keyOf({ source, sourcePort, destination, destinationPort }: TcpSegment): string {
  return `${source} ${sourcePort} ${destination} ${destinationPort}`;
}

class CaptureRecords {
  records: TrafficRecord[] = [];
  lines: number[] = [];
  faults: Diagnostic[] = [];
  private readonly streams = new Map<string, Direction>();
  /** Directions in which servers answer, or nothing can be read any more. */
  private readonly passed = new Set<string>();
  private readonly links = new Set<number>();
  private readonly parsers: RequestParsers = openRequestParsers();
  private readonly file: string;

  constructor(file: string) {
    this.file = file;
  }

  private record(segment: TcpSegment, packet: Packet, request?: TrafficRecord['request']): void {
    this.records.push({
      time: timeText(packet.time),
      from: segment.source,
      to: placeText(segment.destination, segment.destinationPort),
      ...(request === undefined ? {} : { request }),
    });
    this.lines.push(packet.number);
  }

  private fault(code: string, message: string, line: number): void {
    this.faults.push(lineFault(code, message, this.file, line));
  }

  private begin(key: string, next: number): Direction {
    const direction = { bytes: new OrderedBytes(next), requests: new RequestStream(this.parsers) };
    this.streams.set(key, direction);
    const [oldest] = this.streams.size > MAX_STREAMS ? this.streams.keys() : [];
    if (oldest !== undefined) this.streams.delete(oldest);
    return direction;
  }

  private leave(key: string): void {
    this.streams.delete(key);
    if (this.passed.size >= MAX_STREAMS) this.passed.clear();
    this.passed.add(key);
  }

  private open(segment: TcpSegment, packet: Packet, key: string): void {
    if (segment.ack) {
      this.leave(key);
      return;
    }
    this.passed.delete(key);
    // A SYN that is sent again opens nothing new.
    if (!this.streams.has(key)) this.record(segment, packet);
    this.begin(key, (segment.sequence + 1) >>> 0);
  }

  take(packet: Packet): void {
    const { number, link, data, missing } = packet;
    if (!isKnownLink(link)) {
      if (!this.links.has(link))
        this.fault('W408', `frames of link type ${link} are not read`, number);
      this.links.add(link);
      return;
    }
    const segment = tcpSegment(link, data);
    if (segment === null) return;
    const key = keyOf(segment);
    if (segment.syn) {
      this.open(segment, packet, key);
      return;
    }
    if (this.passed.has(key)) return;
    const direction =
      this.streams.get(key) ??
      (segment.payload.length > 0 ? this.begin(key, segment.sequence) : null);
    if (direction === null) return;
    this.read(direction, segment, packet, key);
    if (missing > 0) {
      const { count, isOpen } = direction.requests;
      if (count > 0 || isOpen) {
        const message = `packet ${number} was not captured whole: the requests after it on its connection are left out`;
        this.fault('W407', message, number);
      }
      this.leave(key);
    }
    if (segment.fin || segment.reset) this.streams.delete(key);
  }

  private read(
    { bytes, requests }: Direction,
    segment: TcpSegment,
    packet: Packet,
    key: string,
  ): void {
    if (segment.payload.length === 0) return;
    const ready = bytes.take(segment.sequence, segment.payload);
    if (ready === null) {
      this.fault(
        'W407',
        `before packet ${packet.number} segments are missing: the requests after them on their connection are left out`,
        packet.number,
      );
      this.leave(key);
      return;
    }
    for (const part of ready)
      requests.take(part, (request) => this.record(segment, packet, request));
    if (requests.fault === null) return;
    if (requests.count > 0)
      this.fault(
        'W407',
        `from packet ${packet.number} on its connection carries no HTTP/1`,
        packet.number,
      );
    this.leave(key);
  }

  batch(): SourceBatch {
    const { records, lines, faults } = this;
    [this.records, this.lines, this.faults] = [[], [], []];
    return { records, lines, faults };
  }
}

/** Reads a capture file, pcap or pcapng. */
export async function* readPcap(
  input: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { file }: { readonly file: string },
): AsyncGenerator<SourceBatch> {
  const found = new CaptureRecords(file);
  for await (const part of capturePackets(input)) {
    if (part.kind === 'packet') found.take(part.packet);
    else found.faults.push(lineFault(part.cut ? 'W404' : 'W407', part.what, file, part.number));
    if (found.records.length >= BATCH) yield found.batch();
  }
  yield found.batch();
}
