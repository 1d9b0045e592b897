/**
 * Serves one folder of built files, and what is made anew for each request, to browsers: on loopback unless another
 * address is asked for, to requests that name that address (no other name leads here by a trick of DNS), with a policy
 * under which the page can load nothing from elsewhere.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { extname, join } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain; charset=utf-8',
};
const NONCE = '%NONCE%';
const NONCE_BYTES = 18;
export const LOOPBACK = '127.0.0.1';

/** Scripts, workers, styles and data of this server only; WebAssembly may be compiled where asked for, texts never run. */
function contentPolicy(nonce: string, wasm: boolean): string {
  return [
    "default-src 'none'",
    `script-src 'self'${wasm ? " 'wasm-unsafe-eval'" : ''}`,
    "worker-src 'self'",
    "connect-src 'self' data:", // AssemblyScript carries a module of its own as text
    `style-src 'self' 'nonce-${nonce}'`,
    'img-src data:', // the editor's marks
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

interface Page {
  readonly type: string;
  readonly bytes: Uint8Array;
}

function readPages(folder: string): Map<string, Page> {
  const names = readdirSync(folder).filter((name) => extname(name) in TYPES);
  return new Map(
    names.map((name) => [
      `/${name}`,
      { type: TYPES[extname(name)] ?? '', bytes: readFileSync(join(folder, name)) },
    ]),
  );
}

export interface PageServer extends AsyncDisposable {
  readonly url: string;
}

export interface PageOptions {
  /** Of the files that are served; `index.html` is `/`. */
  readonly folder: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Files that stand in place of those of the folder, by name. */
  readonly replaced?: Readonly<Record<string, string>>;
  /** An address of this machine; loopback unless it says otherwise. */
  readonly host?: string;
  /** Does the page compile WebAssembly? */
  readonly wasm?: boolean;
  /** Answers that are made for each request, by path. */
  readonly routes?: Readonly<Record<string, Route>>;
}

/** The way back of one request: headers that every answer has are set by `begin`. */
export interface Reply {
  begin(status: number, type: string): ServerResponse;
  /** Aborts when whoever asked is gone. */
  readonly signal: AbortSignal;
}
export type Route = (reply: Reply) => Promise<void>;

/** What a request is refused for; null where it is served. */
function refusal(
  request: IncomingMessage,
  hosts: readonly string[],
): readonly [number, string] | null {
  const host = request.headers.host?.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1') ?? '';
  if (!hosts.includes(host)) return [421, `this server is ${hosts.join(' or ')}`];
  return request.method === 'GET' || request.method === 'HEAD' ? null : [405, 'GET or HEAD'];
}

interface Site {
  readonly pages: ReadonlyMap<string, Page>;
  readonly routes: Readonly<Record<string, Route>>;
  readonly hosts: readonly string[];
  readonly wasm: boolean;
}

function signalOf(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  return gone.signal;
}

function reply(site: Site, request: IncomingMessage, response: ServerResponse): void {
  const nonce = randomBytes(NONCE_BYTES).toString('base64');
  const headers = {
    'content-security-policy': contentPolicy(nonce, site.wasm),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-store',
  };
  const path = (request.url ?? '/').replace(/[?#].*$/, '');
  const page = site.pages.get(path === '/' ? '/index.html' : path);
  const route = Object.hasOwn(site.routes, path) ? site.routes[path] : undefined;
  const refused = refusal(request, site.hosts);
  if (refused !== null || (page === undefined && route === undefined)) {
    const [status, text] = refused ?? [404, 'there is no such file'];
    response.writeHead(status, { ...headers, 'content-type': 'text/plain' }).end(`${text}\n`);
    return;
  }
  if (route !== undefined) {
    const begin = (status: number, type: string): ServerResponse =>
      response.writeHead(status, { ...headers, 'content-type': type });
    route({ begin, signal: signalOf(response) }).catch(() => response.destroy());
    return;
  }
  if (page === undefined) return;
  const { type } = page;
  const bytes = type.startsWith('text/html')
    ? Buffer.from(Buffer.from(page.bytes).toString().replaceAll(NONCE, nonce))
    : page.bytes;
  const length = { 'content-type': type, 'content-length': bytes.length };
  response.writeHead(200, { ...headers, ...length });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

/** Begins to serve. Rejects with the system's error where the port cannot be had. */
export async function servePage(options: PageOptions): Promise<PageServer> {
  const { folder, port, replaced = {}, host = LOOPBACK, wasm = false, routes = {} } = options;
  const pages = readPages(folder);
  for (const [name, text] of Object.entries(replaced)) {
    pages.set(`/${name}`, { type: TYPES[extname(name)] ?? '', bytes: Buffer.from(text) });
  }
  const hosts = host === LOOPBACK ? [LOOPBACK, 'localhost'] : [host];
  const site = { pages, routes, hosts, wasm };
  const server: Server = createServer((request, response) => reply(site, request, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}/`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
