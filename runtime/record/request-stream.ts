/**
 * The requests in what one client sent on a connection, by the parser and the chunk reader that the
 * nodes run. Ends where the bytes are no HTTP/1.
 */
import { HEAD_MAX } from '../../compiler/abi/index.js';
import {
  type ChunkReader,
  type Framing,
  type Head,
  type HeadParser,
  openFraming,
  openHeadParser,
  readHttpModule,
} from '../http/index.js';
import { requestOfHead } from './request-of-head.js';
import type { RecordedRequest } from './types.js';

/** The parsers that all streams of a file share. */
export interface RequestParsers {
  readonly head: HeadParser;
  readonly framing: Framing;
}

/** Opens the parsers. */
export function openRequestParsers(): RequestParsers {
  return {
    head: openHeadParser(readHttpModule('head')),
    framing: openFraming(readHttpModule('frame')),
  };
}

export class RequestStream {
  private readonly parsers: RequestParsers;
  private pending: Uint8Array = new Uint8Array(0);
  private body = 0n;
  private chunks: ChunkReader | null = null;
  private over = false;
  /** Of them it is known that they are requests. */
  count = 0;

  constructor(parsers: RequestParsers) {
    this.parsers = parsers;
  }

  /** Whether a head, or a body, has begun and not ended. */
  get isOpen(): boolean {
    return !this.over && (this.pending.length > 0 || this.body > 0n || this.chunks !== null);
  }

  /** Why nothing more is read; null where it goes on. */
  get fault(): 'notHttp' | null {
    return this.over ? 'notHttp' : null;
  }

  /** Takes bytes; hands out the requests whose heads are complete. */
  take(bytes: Uint8Array, onRequest: (request: RecordedRequest) => void): void {
    let rest: Uint8Array = this.pending.length === 0 ? bytes : Buffer.concat([this.pending, bytes]);
    this.pending = new Uint8Array(0);
    while (rest.length > 0 && !this.over) {
      const taken = this.step(rest, onRequest);
      if (taken === 0) {
        this.pending = rest.slice();
        return;
      }
      rest = rest.subarray(taken);
    }
  }

  private step(bytes: Uint8Array, onRequest: (request: RecordedRequest) => void): number {
    if (this.body > 0n) {
      const taken = this.body < BigInt(bytes.length) ? Number(this.body) : bytes.length;
      this.body -= BigInt(taken);
      return taken;
    }
    if (this.chunks !== null) return this.chunk(bytes, this.chunks);
    const head = this.parsers.head.parse(bytes);
    if (head.status === 'incomplete' && bytes.length < HEAD_MAX) return 0;
    if (head.status !== 'ok') {
      this.over = true;
      return bytes.length;
    }
    this.count += 1;
    onRequest(requestOfHead(bytes.subarray(0, head.length)));
    this.follow(head);
    return head.length;
  }

  /** What comes after a head. */
  private follow(head: Head): void {
    if (head.upgrade) this.over = true;
    else if (head.chunked) this.chunks = this.parsers.framing.openChunkReader();
    else this.body = head.contentLength ?? 0n;
  }

  private chunk(bytes: Uint8Array, chunks: ChunkReader): number {
    const step = chunks.read(bytes);
    if (step.status === 'refused') this.over = true;
    if (step.status === 'last') this.chunks = null;
    if (step.status === 'chunk') this.body = BigInt(step.data);
    return step.status === 'refused' ? bytes.length : step.taken;
  }
}
