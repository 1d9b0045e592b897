/**
 * A registry in this process that can lie: the distribution API over a map, with a hook before each
 * answer. What a real one does is tested against Debian's docker-registry (test/cli/registry).
 */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { digestOf } from '../../compiler/bundle/index.js';

const FOLDER = new URL('../../../test/support/tls/', import.meta.url);
/** The certificate that vouches for the registry over TLS. */
export const TEST_CA: string = readFileSync(new URL('ca.pem', FOLDER), 'utf8');

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
}
/** Answers itself where it returns true. */
export type Lie = (asked: Asked, answer: ServerResponse) => boolean;

export class FakeRegistry {
  readonly blobs: Map<string, Buffer> = new Map();
  readonly manifests: Map<string, { readonly type: string; readonly bytes: Buffer }> = new Map();
  /** Every request, in order. */
  readonly asked: Asked[] = [];
  lie: Lie = () => false;
  /** Whether it keeps referrers itself. */
  knowsReferrers = false;
  readonly #server: Server;

  private constructor(tls: boolean) {
    const serve = (request: IncomingMessage, answer: ServerResponse): void => {
      void this.#serve(request, answer);
    };
    this.#server = tls
      ? createTlsServer(
          {
            cert: readFileSync(new URL('server.pem', FOLDER)),
            key: readFileSync(new URL('server.key', FOLDER)),
          },
          serve,
        )
      : createServer(serve);
  }

  static async start({ tls = false }: { readonly tls?: boolean } = {}): Promise<FakeRegistry> {
    const registry = new FakeRegistry(tls);
    await new Promise<void>((resolve) => registry.#server.listen(0, '127.0.0.1', resolve));
    return registry;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, answer: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://x');
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const asked = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
    };
    this.asked.push(asked);
    if (this.lie(asked, answer)) return;
    this.#answer(asked, Buffer.concat(chunks), answer);
  }

  #answer({ method, path, query, headers }: Asked, body: Buffer, answer: ServerResponse): true {
    const say = (
      status: number,
      head: Record<string, string> = {},
      bytes: Buffer | string = '',
    ): true => {
      answer.writeHead(status, head);
      answer.end(method === 'HEAD' ? undefined : bytes);
      return true;
    };
    const [, kind, name = ''] =
      /^\/v2\/.+?\/(blobs\/uploads|blobs|manifests|referrers)\/(.*)$/.exec(path) ?? [];
    if (kind === 'blobs/uploads' && method === 'POST')
      return say(202, { location: `${path}1?state=a` });
    if (kind === 'blobs/uploads') {
      const digest = query.get('digest') ?? '';
      if (digestOf(body) !== digest) return say(400);
      this.blobs.set(digest, body);
      return say(201);
    }
    if (kind === 'blobs') {
      const blob = this.blobs.get(name);
      return blob === undefined ? say(404) : say(200, {}, blob);
    }
    if (kind === 'manifests' && method === 'PUT') {
      const kept = { type: headers['content-type'] ?? '', bytes: body };
      this.manifests.set(name, kept).set(digestOf(body), kept);
      const { subject } = JSON.parse(body.toString());
      return say(201, this.knowsReferrers && subject ? { 'oci-subject': subject.digest } : {});
    }
    if (kind === 'manifests') {
      const found = this.manifests.get(name);
      if (found === undefined)
        return say(404, {}, '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"none"}]}');
      return say(
        200,
        { 'content-type': found.type, 'docker-content-digest': digestOf(found.bytes) },
        found.bytes,
      );
    }
    if (kind === 'referrers' && this.knowsReferrers) {
      const manifests = [...this.manifests].flatMap(([digest, { bytes }]) => {
        const { subject, artifactType } = JSON.parse(bytes.toString());
        if (subject?.digest !== name || !digest.startsWith('sha256:')) return [];
        return [{ digest, size: bytes.length, artifactType, mediaType: 'x' }];
      });
      return say(200, {}, JSON.stringify({ schemaVersion: 2, manifests }));
    }
    return say(404);
  }
}
