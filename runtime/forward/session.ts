/**
 * A client in the agent's hands: its requests one after the other, each sent where it was judged to
 * go once the one before it is answered (the client need not have read that); and back to the kernel
 * as soon as nothing is under way.
 */
import type { Edit } from '../../compiler/abi/index.js';
import {
  type AskedKind,
  applyEdits,
  type Framing,
  type Head,
  type HeadParser,
  viewText,
} from '../http/index.js';
import { type ByteQueue, writeAll } from './byte-queue.js';
import { type ClientStream, clientStream } from './client-stream.js';
import type { ClientId, Handover, Name } from './layout.js';
import type { NodeWords } from './node-words.js';
import { until } from './pause.js';
import type { Pools } from './pools.js';
import { pumpReply, type ReplyEnd } from './reply-pump.js';
import { type RequestReader, requestReader } from './request-reader.js';
import type { Upstream } from './upstream.js';

/** What becomes of a request. */
export type Judgement =
  | { readonly kind: 'forward'; readonly endpoint: Name; readonly edits: readonly Edit[] }
  /** Answered with these bytes; `closes`: they say that the connection ends. */
  | { readonly kind: 'answer'; readonly bytes: Uint8Array; readonly closes: boolean };

export interface SessionWorld {
  readonly words: NodeWords;
  readonly pools: Pools;
  /** Descriptor of the socket that speaks to clients. */
  readonly agent: number;
  readonly framing: Framing;
  readonly parser: HeadParser;
  /** `sent`: the head's bytes as they came. */
  judge(handover: Handover, head: Head, sent: Uint8Array): Promise<Judgement>;
  /** The reply where nothing can be reached, and to a head that cannot be read. */
  unavailable(isHead: boolean): Uint8Array;
  unreadable(status: number): Uint8Array;
  /** Ends a client's connection. */
  destroy(client: ClientId, cgroup: bigint): void;
}

export interface Door {
  readonly index: number;
  readonly queue: ByteQueue;
}

export interface Session {
  readonly handover: Handover;
  /** Resolves when the door is free again. */
  readonly done: Promise<void>;
  /** The client is gone: gives everything up. */
  abort(): void;
}

/** How long a client may take to read what was its last. */
const LAST_READ_MS = 5000;
/** A client's last bytes are in the door at the latest after this time. */
const DOOR_REST_MS = 50;

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function isHead(head: Head): boolean {
  return viewText(head.bytes, head.method) === 'HEAD';
}

function kindsOf(head: Head): readonly AskedKind[] {
  if (isHead(head)) return ['head'];
  if (!head.upgrade) return [];
  return [viewText(head.bytes, head.method) === 'CONNECT' ? 'connect' : 'upgrade'];
}

class Exchange {
  readonly #world: SessionWorld;
  readonly #door: Door;
  readonly #handover: Handover;
  readonly #reader: RequestReader;
  readonly client: ClientStream;
  #upstream: Upstream | null = null;
  readonly #isOver = (): boolean => this.client.isOver;
  /** Is all answered that the client asked before, otherwise than by this door? */
  readonly #isTurn: () => boolean;

  constructor(world: SessionWorld, door: Door, handover: Handover) {
    this.#world = world;
    this.#door = door;
    this.#handover = handover;
    this.#reader = requestReader(door.queue, world.parser, world.framing);
    const { words } = world;
    this.#isTurn = () => {
      const { answered, asked } = words.handover(door.index);
      if (answered !== asked) return false;
      if (handover.lease < 0) return true;
      const lease = words.lease(handover.lease);
      return !lease.isOpen || lease.client.cookie !== handover.client.cookie;
    };
    this.client = clientStream(words, world.agent, handover.client, this.#isTurn);
  }

  abort(): void {
    this.client.isOver = true;
    this.#door.queue.wake();
    this.#upstream?.queue.socket.destroy();
    this.#upstream?.queue.wake();
  }

  async run(): Promise<void> {
    const { chosen } = this.#handover;
    let judged: Judgement | null =
      chosen.port === 0 ? null : { kind: 'forward', endpoint: chosen, edits: [] };
    do {
      const request = await this.#reader.head(this.#isOver);
      if (request === null) break;
      if (!request.ok) {
        await this.#last(this.#world.unreadable(request.status));
        break;
      }
      const { head, sent } = request;
      const judgement = judged ?? (await this.#world.judge(this.#handover, head, sent));
      judged = null;
      if (!(await this.#handle(head, sent, judgement))) break;
    } while (!this.client.isOver && !(await this.#giveBack()));
    if (this.client.isOver) await this.#leave();
  }

  /** The client's next request is the kernel's, once it has all replies; false where more has come. */
  async #giveBack(): Promise<boolean> {
    const { index, queue } = this.#door;
    let flushed = false;
    void this.client.flushed().then(() => {
      flushed = true;
      queue.wake();
    });
    while (!flushed && queue.bytes.length === 0 && !queue.ended) await queue.more();
    if (queue.bytes.length > 0 || this.client.isOver) return false;
    const { lending } = this.#handover;
    return (
      this.#world.words.step({
        step: 'return',
        index,
        lending,
        bytes: this.#reader.taken,
      }) === 1
    );
  }

  /** The door of a client that is gone is free once it is empty. */
  async #leave(): Promise<void> {
    const { words } = this.#world;
    const { index } = this.#door;
    const { lending } = this.#handover;
    let quiet: number;
    do {
      quiet = this.#reader.taken;
      this.#reader.rest();
      await wait(DOOR_REST_MS);
    } while (this.#door.queue.bytes.length > 0 || quiet !== this.#reader.taken);
    const { handed } = words.handover(index);
    words.step({ step: 'return', index, lending, bytes: handed });
  }

  /** One exchange; false where it was the client's last. */
  async #handle(head: Head, sent: Buffer, judgement: Judgement): Promise<boolean> {
    if (judgement.kind === 'answer') {
      if (judgement.closes || head.expect) return this.#last(judgement.bytes);
      if (!(await this.client.write(judgement.bytes))) return this.#gone();
      return (await this.#reader.body(head, async () => {}, this.#isOver)) || this.#gone();
    }
    // Servers may count on the order of a connection's requests (RFC 9112, 9.3.2).
    if (!(await until(this.#isTurn, this.#isOver))) return this.#gone();
    const upstream = await this.#connect(judgement.endpoint);
    if (upstream === null) {
      const refusal = this.#world.unavailable(isHead(head));
      if (head.expect) return this.#last(refusal);
      if (!(await this.client.write(refusal))) return this.#gone();
      return (await this.#reader.body(head, async () => {}, this.#isOver)) || this.#gone();
    }
    this.#upstream = upstream;
    try {
      return await this.#forward(head, applyEdits(sent, head, judgement.edits), upstream);
    } finally {
      this.#upstream = null;
    }
  }

  async #connect(endpoint: Name): Promise<Upstream | null> {
    const { words, pools } = this.#world;
    const probe = words.probe(this.#handover.client);
    if (probe === null) return null;
    const key = { cgroup: this.#handover.cgroup, endpoint };
    return pools.take(key, probe.local, probe.namespace);
  }

  async #forward(head: Head, bytes: Uint8Array, upstream: Upstream): Promise<boolean> {
    const { pools, framing } = this.#world;
    const { socket } = upstream.queue;
    const framer = framing.openReplyFramer();
    framer.ask(...kindsOf(head));
    let sentAll = false;
    const send = async (): Promise<void> => {
      await writeAll(socket, bytes);
      const whole = await this.#reader.body(
        head,
        async (part) => {
          await writeAll(socket, part);
        },
        this.#isOver,
      );
      sentAll = whole;
      if (!whole) this.abort();
    };
    const source = { queue: upstream.queue, framer, client: this.client, begun: false };
    const receive = async (): Promise<ReplyEnd> => {
      const end = await pumpReply(source);
      // What is left of the request nobody reads.
      if (end !== 'tunnel' && !sentAll) socket.destroy();
      return end;
    };
    const sending = send();
    const end = await receive();
    // A client that was answered before it was asked for its body does not send it.
    const isShort = head.expect && !sentAll && end !== 'tunnel';
    if (isShort && end.startsWith('whole')) {
      pools.discard(upstream);
      return this.#last(new Uint8Array());
    }
    if (end === 'nothing') {
      pools.discard(upstream);
      const refusal = this.#world.unavailable(isHead(head));
      if (head.expect && !sentAll) return this.#last(refusal);
      if (!(await this.client.write(refusal))) return this.#gone();
      await sending;
      return !this.client.isOver;
    }
    if (end === 'cut' || end === 'client gone') {
      pools.discard(upstream);
      this.#end();
      return false;
    }
    await sending;
    if (end === 'tunnel') return this.#tunnel(upstream);
    if (end === 'whole' && sentAll) pools.give(upstream);
    else pools.discard(upstream);
    return !this.client.isOver;
  }

  /** Bytes both ways, until one side ends. */
  async #tunnel(upstream: Upstream): Promise<boolean> {
    const { queue } = this.#door;
    const outward = async (): Promise<void> => {
      while (!this.client.isOver && !upstream.queue.ended) {
        await queue.more();
        if (!(await writeAll(upstream.queue.socket, this.#reader.rest()))) return;
      }
    };
    const sending = outward();
    for (;;) {
      const data = Buffer.from(upstream.queue.take());
      if (data.length > 0 && !(await this.client.write(data))) break;
      if (this.client.isOver || (upstream.queue.ended && upstream.queue.bytes.length === 0)) break;
      if (upstream.queue.bytes.length === 0) await upstream.queue.more();
    }
    this.#world.pools.discard(upstream);
    queue.wake();
    await sending;
    return this.#last(new Uint8Array());
  }

  /** The client's last bytes: once it has read them, its connection ends. */
  async #last(bytes: Uint8Array): Promise<boolean> {
    if (await this.client.write(bytes)) {
      await Promise.race([this.client.drained(), wait(LAST_READ_MS)]);
    }
    this.#end();
    return false;
  }

  #end(): void {
    this.#world.destroy(this.#handover.client, this.#handover.cgroup);
    this.abort();
  }

  #gone(): false {
    this.abort();
    return false;
  }
}

/** Takes the client who has this door. */
export function startSession(world: SessionWorld, door: Door): Session {
  const handover = world.words.handover(door.index);
  const exchange = new Exchange(world, door, handover);
  return { handover, done: exchange.run(), abort: () => exchange.abort() };
}
