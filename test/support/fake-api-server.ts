/**
 * A Kubernetes API server of some resources, over HTTPS on loopback, as kubernetes.io "API Concepts" has
 * it: lists in pages with `continue`, packed where asked for, the watch protocol (a line of JSON an event,
 * bookmarks, 410 Gone for versions that it has forgotten), tokens, and rights by verb and resource.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type ApiServer, apiServerOfPod } from '../../runtime/kubernetes/index.js';
import { type TestAuthority, testAuthority } from './authority.js';

export interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly resourceVersion?: string;
}
/** An object of the API, as far as the server looks into it. */
export interface Stored {
  readonly metadata: Metadata;
}
interface Event {
  readonly resource: string;
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: Stored;
}

/** A rule of a ClusterRole. */
export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

const GROUPS: Readonly<Record<string, string>> = { endpointslices: 'discovery.k8s.io' };

function failure(code: number, message: string): string {
  const status = { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, code };
  return JSON.stringify(status);
}

export class FakeApiServer {
  readonly #server: Server;
  readonly #folder: string;
  #authority: TestAuthority;
  #authorities = 1;
  #token = 'first-token';
  readonly #objects = new Map<string, Stored>();
  readonly #events: Event[] = [];
  readonly #watches = new Set<{ resource: string; response: ServerResponse }>();
  #version = 100;
  #oldest = 100;
  #isDown = false;
  #garbage: string | null = null;
  /** Versions up to which `continue` tokens are forgotten. */
  #expired = 0;
  /** Null: everything is allowed. */
  rules: readonly Rule[] | null = null;
  /** Objects of a page at most, whatever is asked for. */
  page = 500;
  /** Requests as `list pods`, `watch pods 104`, `denied list pods`. */
  readonly asked: string[] = [];

  private constructor(folder: string, authority: TestAuthority, tls: Tls) {
    [this.#folder, this.#authority] = [folder, authority];
    this.#server = createServer(tls, (request, response) => this.#answer(request, response));
  }

  static async start(): Promise<FakeApiServer> {
    const folder = mkdtempSync(join(tmpdir(), 'weft-api-server-'));
    mkdirSync(join(folder, 'pod'));
    const authority = await testAuthority(join(folder, '0'));
    const api = new FakeApiServer(folder, authority, await tlsOf(authority));
    api.#mount();
    await new Promise<void>((resolve) => api.#server.listen(0, '127.0.0.1', resolve));
    return api;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** The folder of the files that kubelet mounts. */
  get mounted(): string {
    return join(this.#folder, 'pod');
  }

  /** As a pod is given it, with these files. */
  get ofPod(): ApiServer {
    return apiServerOfPod({ host: '127.0.0.1', port: String(this.port), folder: this.mounted });
  }

  /** A kubeconfig with the token in it; answers with its path. */
  kubeconfig(): string {
    const path = join(this.#folder, 'kubeconfig');
    const ca = Buffer.from(this.#authority.root.cert).toString('base64');
    const server = `https://127.0.0.1:${this.port}`;
    const config = {
      ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'here' },
      clusters: [{ name: 'here', cluster: { server, 'certificate-authority-data': ca } }],
      users: [{ name: 'agent', user: { token: this.#token } }],
      contexts: [{ name: 'here', context: { cluster: 'here', user: 'agent' } }],
    };
    writeFileSync(path, JSON.stringify(config));
    return path;
  }

  #mount(): void {
    writeFileSync(join(this.mounted, 'ca.crt'), this.#authority.root.cert);
    writeFileSync(join(this.mounted, 'token'), `${this.#token}\n`);
  }

  /** Another authority and another token; `mounted`: the pod has been given them too. */
  async rotate({ mounted }: { readonly mounted: boolean }): Promise<void> {
    this.#authority = await testAuthority(join(this.#folder, String(this.#authorities)));
    this.#authorities += 1;
    this.#token = `token-${this.#authorities}`;
    this.#server.setSecureContext(await tlsOf(this.#authority));
    if (mounted) this.#mount();
    this.cut();
  }
  /** What kubelet does some time behind it. */
  mount(): void {
    this.#mount();
  }

  put(resource: string, object: Stored): void {
    const key = keyOf(resource, object);
    this.#tell(resource, this.#objects.has(key) ? 'MODIFIED' : 'ADDED', object);
    this.#objects.set(key, this.#events.at(-1)?.object ?? object);
  }
  delete(resource: string, object: Stored): void {
    this.#objects.delete(keyOf(resource, object));
    this.#tell(resource, 'DELETED', object);
  }
  bookmark(resource: string): void {
    this.#tell(resource, 'BOOKMARK', { metadata: { name: '' } });
  }

  /** Ends every watch, as a server does after some minutes. */
  endWatches(): void {
    for (const { response } of this.#watches) response.end();
    this.#watches.clear();
  }
  /** Ends every connection in the middle of whatever it carries. */
  cut(): void {
    for (const { response } of this.#watches) response.write('{"type":"MODI');
    this.#watches.clear();
    this.#server.closeAllConnections();
  }
  /** Forgets what happened so far: whoever watches from there is told 410. */
  compact(): void {
    this.#oldest = this.#version;
  }
  /** Forgets the lists that are being read. */
  expireLists(): void {
    this.#expired = this.#version;
  }
  setDown(isDown: boolean): void {
    this.#isDown = isDown;
  }
  /** Says this instead of the next answer's body. */
  babble(text: string): void {
    this.#garbage = text;
  }

  async stop(): Promise<void> {
    this.endWatches();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #tell(resource: string, type: Event['type'], object: Stored): void {
    this.#version += 1;
    const metadata = { ...object.metadata, resourceVersion: String(this.#version) };
    const event = { resource, version: this.#version, type, object: { ...object, metadata } };
    this.#events.push(event);
    for (const watch of this.#watches) {
      if (watch.resource === resource) send(watch.response, event);
    }
  }

  #isAllowed(resource: string, verb: string): boolean {
    const group = GROUPS[resource] ?? '';
    return (
      this.rules?.some(
        (rule) =>
          rule.apiGroups.includes(group) &&
          rule.resources.includes(resource) &&
          rule.verbs.includes(verb),
      ) ?? true
    );
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'https://x');
    const resource = url.pathname.split('/').at(-1) ?? '';
    const group = GROUPS[resource] ?? '';
    const verb = url.searchParams.get('watch') === 'true' ? 'watch' : 'list';
    const refuse = (code: number, word: string): void => {
      this.asked.push(`${word} ${verb} ${resource}`);
      response.writeHead(code, { 'content-type': 'application/json' });
      response.end(failure(code, `${word} here`));
    };
    const path = group === '' ? `/api/v1/${resource}` : `/apis/${group}/v1/${resource}`;
    if (this.#isDown) refuse(503, 'refused');
    else if (request.headers.authorization !== `Bearer ${this.#token}`) refuse(401, 'unknown');
    else if (url.pathname !== path) refuse(404, 'missing');
    else if (!this.#isAllowed(resource, verb)) refuse(403, 'denied');
    else if (this.#garbage !== null) {
      response.end(this.#garbage);
      this.#garbage = null;
    } else if (verb === 'list') this.#list(resource, url, response);
    else this.#watch(resource, url, response);
  }

  #list(resource: string, url: URL, response: ServerResponse): void {
    const [from = '0', version = String(this.#version)] = (url.searchParams.get('continue') ?? '')
      .split('@')
      .filter((part) => part !== '');
    this.asked.push(`list ${resource}${from === '0' ? '' : ` from ${from}`}`);
    if (Number(version) <= this.#expired && from !== '0') {
      response.writeHead(410);
      response.end(failure(410, 'the provided continue parameter is too old'));
      return;
    }
    const size = Math.min(this.page, Number(url.searchParams.get('limit') ?? '500'));
    const all = [...this.#objects].filter(([key]) => key.startsWith(`${resource}/`));
    const next = Number(from) + size;
    const metadata = {
      resourceVersion: version,
      ...(next < all.length ? { continue: `${next}@${version}` } : {}),
    };
    const items = all.slice(Number(from), next).map(([, object]) => object);
    response.setHeader('content-type', 'application/json');
    response.setHeader('content-encoding', 'gzip');
    response.end(gzipSync(JSON.stringify({ apiVersion: 'v1', metadata, items })));
  }

  #watch(resource: string, url: URL, response: ServerResponse): void {
    const from = Number(url.searchParams.get('resourceVersion'));
    this.asked.push(`watch ${resource} ${from}`);
    if (from < this.#oldest) {
      const object = JSON.parse(failure(410, 'too old resource version'));
      response.end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
      return;
    }
    response.flushHeaders();
    for (const event of this.#events) {
      if (event.resource === resource && event.version > from) send(response, event);
    }
    const watch = { resource, response };
    this.#watches.add(watch);
    response.once('close', () => this.#watches.delete(watch));
  }
}

interface Tls {
  readonly cert: string;
  readonly key: string;
}
async function tlsOf(authority: TestAuthority): Promise<Tls> {
  const { cert, key } = await authority.issue('control', 'api-server');
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
}

function keyOf(resource: string, { metadata }: Stored): string {
  return `${resource}/${metadata.namespace ?? ''}/${metadata.name}`;
}

function send(response: ServerResponse, { type, object }: Event): void {
  const text = `${JSON.stringify({ type, object })}\n`;
  // In two parts: an event does not end with a packet.
  response.write(text.slice(0, text.length >> 1));
  response.write(text.slice(text.length >> 1));
}
