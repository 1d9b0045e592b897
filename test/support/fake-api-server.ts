/**
 * A Kubernetes API server of two resources, over HTTP on loopback: lists with resource versions, and the
 * watch protocol (a line of JSON an event, bookmarks, 410 Gone for versions that it has forgotten), as
 * kubernetes.io "API Concepts, Efficient detection of changes" has it.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { V1Node, V1Pod } from '@kubernetes/client-node';

type Kind = 'pods' | 'nodes';
type Stored = V1Pod | V1Node;
interface Event {
  readonly kind: Kind;
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: Stored;
}

export class FakeApiServer {
  readonly #server: Server;
  readonly #objects = new Map<string, Stored>();
  readonly #events: Event[] = [];
  readonly #watches = new Set<{ kind: Kind; response: ServerResponse }>();
  #version = 100;
  #oldest = 100;
  #isDown = false;
  /** Requests as `list pods`, `watch pods 104`. */
  readonly asked: string[] = [];

  private constructor() {
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  static async start(): Promise<FakeApiServer> {
    const api = new FakeApiServer();
    await new Promise<void>((resolve) => api.#server.listen(0, '127.0.0.1', resolve));
    return api;
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  }

  put(kind: Kind, object: Stored): void {
    const key = `${kind}/${object.metadata?.namespace}/${object.metadata?.name}`;
    this.#tell(kind, this.#objects.has(key) ? 'MODIFIED' : 'ADDED', object);
    this.#objects.set(key, this.#events.at(-1)?.object ?? object);
  }
  delete(kind: Kind, object: Stored): void {
    this.#objects.delete(`${kind}/${object.metadata?.namespace}/${object.metadata?.name}`);
    this.#tell(kind, 'DELETED', object);
  }
  bookmark(kind: Kind): void {
    this.#tell(kind, 'BOOKMARK', {});
  }

  /** Ends every watch, as a server does after some minutes. */
  endWatches(): void {
    for (const { response } of this.#watches) response.end();
    this.#watches.clear();
  }
  /** Forgets what happened so far: whoever watches from there is told 410. */
  compact(): void {
    this.#oldest = this.#version;
  }
  setDown(isDown: boolean): void {
    this.#isDown = isDown;
  }

  async stop(): Promise<void> {
    this.endWatches();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #tell(kind: Kind, type: Event['type'], object: Stored): void {
    this.#version += 1;
    const metadata = { ...object.metadata, resourceVersion: String(this.#version) };
    const event = { kind, version: this.#version, type, object: { ...object, metadata } };
    this.#events.push(event);
    for (const watch of this.#watches) if (watch.kind === kind) send(watch.response, event);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://x');
    const kind = url.pathname === '/api/v1/pods' ? 'pods' : 'nodes';
    response.setHeader('content-type', 'application/json');
    if (this.#isDown) {
      this.asked.push(`refused ${kind}`);
      response.writeHead(503);
      response.end(
        JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 503 }),
      );
      return;
    }
    if (url.searchParams.get('watch') !== 'true') {
      this.asked.push(`list ${kind}`);
      const items = [...this.#objects].filter(([key]) => key.startsWith(`${kind}/`));
      response.end(
        JSON.stringify({
          kind: kind === 'pods' ? 'PodList' : 'NodeList',
          apiVersion: 'v1',
          metadata: { resourceVersion: String(this.#version) },
          items: items.map(([, object]) => object),
        }),
      );
      return;
    }
    const from = Number(url.searchParams.get('resourceVersion'));
    this.asked.push(`watch ${kind} ${from}`);
    response.writeHead(200);
    if (from < this.#oldest) {
      const object = {
        kind: 'Status',
        apiVersion: 'v1',
        status: 'Failure',
        reason: 'Expired',
        code: 410,
      };
      response.end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
      return;
    }
    response.flushHeaders();
    for (const event of this.#events) {
      if (event.kind === kind && event.version > from) send(response, event);
    }
    const watch = { kind: kind as Kind, response };
    this.#watches.add(watch);
    response.once('close', () => this.#watches.delete(watch));
  }
}

function send(response: ServerResponse, { type, object }: Event): void {
  const text = `${JSON.stringify({ type, object })}\n`;
  // In two parts: an event does not end with a packet.
  response.write(text.slice(0, text.length >> 1));
  response.write(text.slice(text.length >> 1));
}
