/**
 * The agent's local API: HTTP/1.1 over a unix socket, JSON. Knows nothing of the node: it takes what it
 * answers as functions. Each caller is who the kernel says it is (SO_PEERCRED), never who it says.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { dirname } from 'node:path';
import { messageOf } from '../../../compiler/diagnostic/index.js';
import type { PeerCredentials } from '../../kernel/index.js';
import type { EventRecord } from '../../probe/index.js';
import { type Access, accessOf } from './access.js';
import { eventStream } from './event-stream.js';
import { jsonLine } from './json.js';
import { type Call, type EventFilter, MAX_BODY, type ReadCall, readCall } from './read-call.js';

/** Callers at a time, and of these followers of events. */
const MAX_CALLERS = 64;
const MAX_STREAMS = 16;
const MAX_HEAD_BYTES = 8192;
/** For a head, for a whole request, and for the next one of a connection. */
const HEAD_MS = 5000;
const REQUEST_MS = 10_000;
const IDLE_MS = 5000;
const CHECK_MS = 1000;

/** What is wrong, by name; `ok` where nothing is. */
export interface Checked {
  readonly ok: boolean;
  readonly checks: readonly {
    readonly name: string;
    readonly ok: boolean;
    readonly detail: string | null;
  }[];
}

export interface ApiWorld {
  /** Of the descriptor of a unix socket. Throws KernelError. */
  peerOf(fd: number): PeerCredentials;
  /** The group whose members may read; null: root alone. */
  readonly readers: number | null;
  status(): Promise<object>;
  rules(): Promise<object>;
  health(): Checked;
  ready(): Checked;
  /** In the text format of Prometheus. */
  metrics(): Promise<string>;
  follow(filter: EventFilter, onEvent: (event: EventRecord) => void): Disposable;
  drain(milliseconds: number): Promise<object>;
  rollback(to: number | null): Promise<object>;
  /** A call that failed by a fault of ours or of the node. */
  onFault(error: unknown): void;
}

/** Of a call that would be answered later: 503, and no fault of anybody. */
export class NotYet extends Error {
  override readonly name = 'NotYet';
}

export interface Api extends AsyncDisposable {
  readonly path: string;
}

const SCHEMA_VERSION = 1;

/** Node does not tell it otherwise. */
function descriptorOf(socket: Socket): number | null {
  const { _handle: handle } = socket as unknown as {
    readonly _handle?: { readonly fd?: number } | null;
  };
  return handle?.fd ?? null;
}

function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : null;
}

function say(response: ServerResponse, status: number, document: object): void {
  const text = jsonLine({ schemaVersion: SCHEMA_VERSION, ...document });
  const size = Buffer.byteLength(text);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': size });
  response.end(text);
}

function refuse(response: ServerResponse, status: number, message: string): void {
  // What is left of a body that nobody wants is not read.
  response.setHeader('connection', 'close');
  say(response, status, { error: { code: null, message } });
}

/** The whole body; null where it is longer than any that is understood. */
async function bodyOf(request: IncomingMessage): Promise<Uint8Array | null> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request) {
    if (!Buffer.isBuffer(part)) continue;
    size += part.length;
    if (size > MAX_BODY) return null;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

class Calls {
  readonly #world: ApiWorld;
  readonly #streams = new Set<ServerResponse>();

  constructor(world: ApiWorld) {
    this.#world = world;
  }

  async take(request: IncomingMessage, response: ServerResponse, access: Access): Promise<void> {
    if (access === 'none') {
      refuse(response, 403, 'root and members of the group `weft` may read');
      return;
    }
    const body = await bodyOf(request);
    const read: ReadCall =
      body === null
        ? { ok: false, status: 413, message: `a body has at most ${MAX_BODY} bytes` }
        : readCall(request.method ?? '', request.url ?? '', body);
    if (!read.ok) {
      refuse(response, read.status, read.message);
      return;
    }
    const { call } = read;
    if ((call.kind === 'drain' || call.kind === 'rollback') && access !== 'change') {
      refuse(response, 403, 'only root changes this node');
      return;
    }
    await this.#answer(call, response);
  }

  async #answer(call: Call, response: ServerResponse): Promise<void> {
    const world = this.#world;
    switch (call.kind) {
      case 'status':
        return say(response, 200, await world.status());
      case 'rules':
        return say(response, 200, await world.rules());
      case 'drain':
        return say(response, 200, await world.drain(call.milliseconds));
      case 'rollback':
        return say(response, 200, await world.rollback(call.to));
      case 'metrics': {
        const text = await world.metrics();
        response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
        response.end(text);
        return;
      }
      case 'events':
        return this.#stream(call.filter, response);
      default: {
        const checked = call.kind === 'health' ? world.health() : world.ready();
        return say(response, checked.ok ? 200 : 503, checked);
      }
    }
  }

  #stream(filter: EventFilter, response: ServerResponse): void {
    if (this.#streams.size >= MAX_STREAMS) {
      refuse(response, 503, `${MAX_STREAMS} callers follow the events already`);
      return;
    }
    const sink = {
      get waiting(): number {
        return response.writableLength;
      },
      write: (line: string) => void response.write(line),
      end: () => void response.end(),
    };
    let following: Disposable | null = null;
    const leave = (): void => {
      this.#streams.delete(response);
      following?.[Symbol.dispose]();
      following = null;
    };
    following = this.#world.follow(filter, eventStream(filter, sink, leave));
    this.#streams.add(response);
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    response.flushHeaders();
    response.once('close', leave);
  }
}

async function listen(server: Server, path: string, readers: number | null): Promise<bigint> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  // Nobody ever finds a socket that is not ready, or not yet protected.
  const made = `${path}.${randomBytes(4).toString('hex')}`;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(made, MAX_CALLERS, resolve);
  });
  try {
    chmodSync(made, readers === null ? 0o600 : 0o660);
    if (readers !== null) chownSync(made, 0, readers);
    renameSync(made, path);
  } catch (error) {
    server.close();
    rmSync(made, { force: true });
    throw error;
  }
  return statSync(path, { bigint: true }).ino;
}

/** Serves at a path, instead of whoever served there before. Rejects with the error of listen(2). */
export async function serveApi(path: string, world: ApiWorld): Promise<Api> {
  const access = new WeakMap<Socket, Access>();
  const calls = new Calls(world);
  const server = createServer(
    {
      ...{ maxHeaderSize: MAX_HEAD_BYTES, headersTimeout: HEAD_MS, requestTimeout: REQUEST_MS },
      ...{ keepAliveTimeout: IDLE_MS, connectionsCheckingInterval: CHECK_MS },
    },
    (request, response) => {
      const allowed = access.get(request.socket) ?? 'none';
      calls.take(request, response, allowed).catch((error: unknown) => {
        const message = messageOf(error);
        if (error instanceof NotYet) return refuse(response, 503, message);
        world.onFault(error);
        if (response.headersSent) response.destroy();
        else say(response, 500, { error: { code: codeOf(error), message } });
      });
    },
  );
  server.maxConnections = MAX_CALLERS;
  server.on('connection', (socket: Socket) => {
    try {
      const fd = descriptorOf(socket);
      const peer = fd === null ? null : world.peerOf(fd);
      access.set(socket, peer === null ? 'none' : accessOf(peer, world.readers));
    } catch (error) {
      world.onFault(error);
      socket.destroy();
    }
  });
  const own = await listen(server, path, world.readers);
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      try {
        if (statSync(path, { bigint: true }).ino === own) rmSync(path, { force: true });
      } catch {
        // A successor has it, or nobody.
      }
    },
  };
}
