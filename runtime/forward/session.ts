/**
 * A client in the agent's hands: its requests one after the other, each sent where it was judged to
 * go once the one before it is answered (the client need not have read that); and back to the kernel
 * as soon as nothing is under way. A fault of ours ends the exchange as an upstream that dies does:
 * 503 where no byte of its reply was written, then the end of the client's connection.
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
import { type Ender, endClient } from './end-client.js';
import type { ClientId, Handover, Name, Told } from './layout.js';
import type { NodeWords } from './node-words.js';
import { until } from './pause.js';
import type { Pools } from './pools.js';
import { pumpReply } from './reply-pump.js';
import { type RequestReader, requestReader } from './request-reader.js';
import type { Upstream } from './upstream.js';

/** What becomes of a request. */
export type Judgement =
  | { readonly kind: 'forward'; readonly endpoint: Name; readonly edits: readonly Edit[] }
  /** Answered with these bytes; `closes`: they say that the connection ends. */
  | { readonly kind: 'answer'; readonly bytes: Uint8Array; readonly closes: boolean };

/** A request of a client; `told`: what the kernel has made of it already. */
export interface AskedRequest {
  readonly handover: Handover;
  readonly told: Told | null;
  readonly head: Head;
  /** The head's bytes as they came. */
  readonly sent: Uint8Array;
}

/** A head that cannot be read; `status`: of the reply. */
export interface Unreadable {
  readonly handover: Handover;
  readonly told: Told | null;
  readonly status: number;
}

export interface SessionWorld extends Ender {
  readonly words: NodeWords;
  readonly pools: Pools;
  /** Descriptor of the socket that speaks to clients. */
  readonly agent: number;
  readonly framing: Framing;
  readonly parser: HeadParser;
  judge(asked: AskedRequest): Promise<Judgement>;
  /** The reply where nothing can be reached; below, that to a head that cannot be read. */
  unavailable(isHead: boolean): Uint8Array;
  unreadable(asked: Unreadable): Promise<Uint8Array>;
  /** Makes a client's socket send what it holds back. */
  push(client: ClientId, cgroup: bigint): void;
  /** Reports and counts a fault of ours in an exchange; never throws. */
  fault(error: unknown): void;
  /** The agent ends, and whatever it holds ends with it. */
  readonly isClosed: () => boolean;
}

export interface Door {
  readonly index: number;
  readonly queue: ByteQueue;
}

export interface Session {
  readonly handover: Handover;
  /** Resolves when the door is free again. */
  readonly done: Promise<void>;
  /** Looks whether the client is still there, and whether it still sends. */
  look(): void;
  /** The client is gone: gives everything up. */
  abort(): void;
}

/** What a client has announced is in the door at the latest after this time. */
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
  /** What the client was sent before the exchange under way. */
  #before = 0;
  /** That exchange is of a HEAD request. */
  #asksHead = false;
  #shut = false;
  readonly #isOver = (): boolean => this.client.isOver;
  /** Does nothing more come of the client? */
  readonly #isDry = (): boolean => this.client.isOver || this.#shut;
  /** Where TCP is once it has all replies to what the client asked before, otherwise than by this door; null: not all came. */
  readonly #turn: () => number | null;

  constructor(world: SessionWorld, door: Door, handover: Handover) {
    this.#world = world;
    this.#door = door;
    this.#handover = handover;
    this.#reader = requestReader(door.queue, world.parser, world.framing);
    const { words } = world;
    this.#turn = () => {
      const { answered, asked, expected } = words.handover(door.index);
      if (answered !== asked) return null;
      if (handover.lease < 0) return expected;
      const lease = words.lease(handover.lease);
      return lease.isOpen && lease.client.cookie === handover.client.cookie ? null : expected;
    };
    this.client = clientStream(words, world.agent, handover.client, this.#turn);
  }

  look(): void {
    const { words } = this.#world;
    const { index, queue } = this.#door;
    const probe = words.probe(this.#handover.client);
    if (probe === null) this.abort();
    if (!probe?.isShut) return;
    const came = (this.#reader.taken + queue.bytes.length) >>> 0;
    if (words.step({ step: 'sent', index }) !== came) return;
    this.#shut = true;
    queue.wake();
  }

  abort(): void {
    this.client.isOver = true;
    this.#door.queue.wake();
    this.#upstream?.queue.socket.destroy();
    this.#upstream?.queue.wake();
  }

  async run(): Promise<void> {
    try {
      if (await this.#serve()) return;
      await this.#end();
    } catch (error) {
      await this.#giveUp(error);
    }
    await this.#leave();
  }

  /** All the client's requests; true once it is given back to the kernel. */
  async #serve(): Promise<boolean> {
    const handover = this.#handover;
    const { chosen, client, cgroup } = handover;
    // Where a message is sent in part TCP waits for the rest (tcp_bpf_push), which comes here instead.
    if (this.#turn() === null) this.#world.push(client, cgroup);
    let judged: Judgement | null =
      chosen.port === 0 ? null : { kind: 'forward', endpoint: chosen, edits: [] };
    let told = handover.told;
    for (;;) {
      this.#before = this.client.written;
      const request = await this.#reader.head(this.#isDry);
      if (request === null) return false;
      if (!request.ok) {
        const { status } = request;
        return this.#last(await this.#world.unreadable({ handover, told, status }));
      }
      const { head, sent } = request;
      this.#asksHead = isHead(head);
      const judgement = judged ?? (await this.#world.judge({ handover, told, head, sent }));
      judged = null;
      told = null;
      if (!(await this.#handle(head, sent, judgement)) || this.client.isOver) return false;
      if (await this.#giveBack()) return true;
    }
  }

  /** After a fault: what can still be done for the client, and its end. */
  async #giveUp(error: unknown): Promise<void> {
    if (this.#world.isClosed()) return;
    this.#world.fault(error);
    const isUntold = this.client.written === this.#before;
    if (!isUntold || !(await this.#tellUnavailable())) this.#reset();
  }

  /** False where that fails too. */
  async #tellUnavailable(): Promise<boolean> {
    try {
      await this.client.write(this.#world.unavailable(this.#asksHead));
      await this.#end();
      return true;
    } catch {
      return false;
    }
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
    while (!this.#world.isClosed()) {
      try {
        if (await this.#hasLeft()) return;
      } catch (error) {
        this.#world.fault(error);
        await wait(DOOR_REST_MS);
      }
    }
  }

  async #hasLeft(): Promise<boolean> {
    const { words } = this.#world;
    const { index } = this.#door;
    const { lending } = this.#handover;
    const { handed, lending: now } = words.handover(index);
    if (now !== lending) return true;
    // What was announced till then is in the door meanwhile, or found no room and never comes.
    await wait(DOOR_REST_MS);
    this.#reader.rest();
    const isEmpty = words.step({ step: 'sent', index }) === this.#reader.taken;
    return isEmpty && words.step({ step: 'return', index, lending, bytes: handed }) === 1;
  }

  /** One exchange; false where it was the client's last. */
  async #handle(head: Head, sent: Buffer, judgement: Judgement): Promise<boolean> {
    if (judgement.kind === 'answer') return this.#answer(head, judgement.bytes, judgement.closes);
    // Servers may count on the order of a connection's requests (RFC 9112, 9.3.2).
    if (!(await until(() => this.#turn() !== null, this.#isOver))) return false;
    const upstream = await this.#connect(judgement.endpoint);
    if (upstream === null) return this.#answer(head, this.#world.unavailable(isHead(head)), false);
    this.#upstream = upstream;
    try {
      return await this.#forward(head, applyEdits(sent, head, judgement.edits), upstream);
    } catch (error) {
      this.#world.pools.discard(upstream);
      throw error;
    } finally {
      this.#upstream = null;
    }
  }

  /** Answers for a server, and takes the body that it would have had. */
  async #answer(head: Head, bytes: Uint8Array, closes: boolean): Promise<boolean> {
    // Whether a body comes that was not asked for nobody knows.
    if (closes || head.expect) return this.#last(bytes);
    return (await this.client.write(bytes)) && this.#reader.body(head, async () => {}, this.#isDry);
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
    const { queue } = upstream;
    const framer = framing.openReplyFramer();
    framer.ask(...kindsOf(head));
    let answered = false;
    let sent: 'whole' | 'cut short' | null = null;
    let fault: unknown = null;
    // A server that has answered and gone asks for no body any more.
    const isNotSent = (): boolean => this.#isDry() || (answered && head.expect && queue.ended);
    const send = async (): Promise<void> => {
      await writeAll(queue.socket, bytes);
      const give = async (part: Uint8Array): Promise<void> => {
        await writeAll(queue.socket, part);
      };
      const whole = await this.#reader.body(head, give, isNotSent);
      sent = whole ? 'whole' : 'cut short';
      // The server waits for what does not come.
      if (!whole) queue.socket.destroy();
    };
    const sending = send().catch((error) => {
      fault = error;
      queue.socket.destroy();
    });
    const end = await pumpReply({ queue, framer, client: this.client, begun: false });
    answered = end === 'whole';
    // A body goes on while its request is answered, and after that.
    if (answered) void queue.more().then(() => this.#door.queue.wake());
    else if (end !== 'tunnel') queue.socket.destroy();
    if (end === 'cut' && queue.failed) this.#reset();
    if (fault !== null) throw fault;
    if (end === 'nothing' && sent !== 'cut short')
      await this.client.write(this.#world.unavailable(isHead(head)));
    // A client that hears no before it was asked for its body need not send it.
    const isAsked = !head.expect || end === 'whole' || end === 'tunnel';
    const goesOn = end !== 'cut' && end !== 'ends' && end !== 'client gone';
    if (goesOn && isAsked) await sending;
    if (fault !== null) throw fault;
    queue.wake();
    const isSent = goesOn && sent === 'whole';
    if (isSent && end === 'tunnel') return this.#tunnel(upstream);
    if (isSent && end === 'whole') pools.give(upstream);
    else pools.discard(upstream);
    return isSent;
  }

  /** Bytes both ways, until the server ends. */
  async #tunnel(upstream: Upstream): Promise<boolean> {
    const { queue } = this.#door;
    const { socket } = upstream.queue;
    const outward = async (): Promise<void> => {
      while (!this.#isDry() && !upstream.queue.ended) {
        await queue.more();
        if (!(await writeAll(socket, this.#reader.rest()))) return;
      }
      socket.end();
    };
    const sending = outward();
    for (;;) {
      const data = Buffer.from(upstream.queue.take());
      if (data.length > 0 && !(await this.client.write(data))) break;
      if (this.client.isOver || (upstream.queue.ended && upstream.queue.bytes.length === 0)) break;
      if (upstream.queue.bytes.length === 0) await upstream.queue.more();
    }
    if (upstream.queue.failed) this.#reset();
    this.#world.pools.discard(upstream);
    queue.wake();
    await sending;
    return false;
  }

  /** The client's last bytes: its connection ends with them. */
  async #last(bytes: Uint8Array): Promise<boolean> {
    await this.client.write(bytes);
    return false;
  }

  /** Ends the client's connection as its server did, by an error. */
  #reset(): void {
    this.#world.destroy(this.#handover.client, this.#handover.cgroup);
    this.abort();
  }

  async #end(): Promise<void> {
    await endClient(this.#world, this.client, this.#handover.cgroup);
    this.abort();
  }
}

/** Takes the client who has this door. */
export function startSession(world: SessionWorld, door: Door): Session {
  const handover = world.words.handover(door.index);
  const exchange = new Exchange(world, door, handover);
  return {
    handover,
    done: exchange.run(),
    look: () => exchange.look(),
    abort: () => exchange.abort(),
  };
}
