/**
 * Programs that people run, as clients and as servers: the same requests without a mesh and with
 * Weft get the same answers, and refused ones in between get the refusal and disturb nothing.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Mesh } from './stage/mesh.js';
import type { Target } from './stage/play.js';
import { SERVICE } from './stage/project.js';
import { REAL, RealServer, runIn, type ServerKind } from './stage/real-server.js';
import type { Family, Mode } from './stage/row.js';
import { HOSTS, Topology } from './stage/topology.js';

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes of the body, and whether it is sent in chunks. */
  readonly fill?: number;
  readonly chunked?: boolean;
}
interface Answer {
  readonly status: number;
  readonly body: string;
}
type Ask = (address: string, port: number, requests: readonly Asked[]) => Promise<Answer[]>;

const SERVERS: readonly ServerKind[] = ['nginx', 'haproxy', 'node', 'python'];
const BODY = 'RBAC: access denied';
const bodyOf = (fill: number): string => 'weft'.repeat(fill / 4);
/** Seconds that wrk runs. */
const WRK_S = 1;

let folder = '';
let topology: Topology | null = null;
let mesh: Mesh | null = null;
let server: RealServer | null = null;

const cgroupOf = (name: 'client' | 'v1'): string | null => topology?.cgroup(HOSTS[name]) ?? null;
const run = (command: readonly string[], input = ''): Promise<string> =>
  runIn(HOSTS.client, cgroupOf('client'), command, input);
const urlOf = (address: string, port: number): string =>
  address.includes(':') ? `http://[${address}]:${port}` : `http://${address}:${port}`;

/** A file of that many bytes. */
function bodyFile(fill: number): string {
  const path = join(folder, String(fill));
  if (!existsSync(path)) writeFileSync(path, bodyOf(fill));
  return path;
}

/** curl, one connection: every transfer ends with a line of its status. */
const byCurl: Ask = async (address, port, requests) => {
  const words = requests.flatMap(({ method, path, headers = {}, fill, chunked }) => [
    '--next',
    ...['-s', '-S', '-w', '\\n%{http_code} %{num_connects}\\n', '-H', 'host: shop.prod'],
    ...(method === 'HEAD' ? ['-I', '-o', '/dev/null'] : ['-X', method]),
    ...Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]),
    ...(fill === undefined ? [] : ['--data-binary', `@${bodyFile(fill)}`]),
    ...(chunked ? ['-H', 'transfer-encoding: chunked'] : []),
    urlOf(address, port) + path,
  ]);
  const out = await run(['curl', ...words.slice(1)]);
  const lines = out.trimEnd().split('\n');
  return requests.map((_, n) => ({
    status: Number(lines[2 * n + 1]?.split(' ')[0]),
    body: lines[2 * n] ?? '',
  }));
};

const byNode =
  (kind: 'http' | 'fetch', order: 'one' | 'all'): Ask =>
  async (address, port, requests) => {
    const words = [process.execPath, join(REAL, 'ask.mjs'), kind, order, urlOf(address, port)];
    return JSON.parse(await run(words, JSON.stringify(requests))) as Answer[];
  };
const byPython: Ask = async (address, port, requests) => {
  const words = ['python3', join(REAL, 'ask.py'), address, String(port)];
  return JSON.parse(await run(words, JSON.stringify(requests))) as Answer[];
};

const CLIENTS: readonly (readonly [string, Ask])[] = [
  ['curl', byCurl],
  ["Node's http", byNode('http', 'one')],
  ["Node's http, all at once", byNode('http', 'all')],
  ['fetch', byNode('fetch', 'one')],
  ['fetch, all at once', byNode('fetch', 'all')],
  ["Python's http.client", byPython],
];

const bodies = (chunked: boolean): Asked[] =>
  [4, 4000, 200_000].map((fill) => ({ method: 'POST', path: `/b${fill}`, fill, chunked }));
const PLAIN: readonly Asked[] = [
  { method: 'GET', path: '/one' },
  { method: 'GET', path: '/two?x=1' },
  { method: 'HEAD', path: '/three' },
  { method: 'DELETE', path: '/four' },
  { method: 'POST', path: '/five', fill: 16 },
  { method: 'GET', path: '/six' },
];

const isRefused = ({ path, headers }: Asked): boolean =>
  path.startsWith('/private/') || headers?.['x-team'] === 'red';

/** Those that echo say what came. */
function expected(asked: Asked, kind: ServerKind): Answer {
  const isHead = asked.method === 'HEAD';
  if (isRefused(asked)) return { status: 403, body: isHead ? '' : BODY };
  const sum =
    asked.fill === undefined || kind === 'nginx' || kind === 'haproxy'
      ? ''
      : ` ${asked.fill} ${createHash('sha1').update(bodyOf(asked.fill)).digest('hex')}`;
  return { status: 200, body: isHead ? '' : `v1 ${asked.method} ${asked.path}${sum}` };
}

/** Refused requests among the others. */
const mixed = (requests: readonly Asked[]): Asked[] =>
  requests.flatMap((asked, n) => [
    asked,
    n % 2 === 0
      ? { method: 'GET', path: '/private/x' }
      : { method: 'POST', path: '/x', headers: { 'x-team': 'red' }, fill: 40 },
  ]);

const test = suite('http: clients and servers');

test('the stage is set', () => {
  folder = mkdtempSync(join(tmpdir(), 'weft-http-clients-'));
  topology = new Topology();
});

const targetOf = (mode: Mode, family: Family): Target =>
  mode === 'plain'
    ? { host: family === 4 ? HOSTS.v1.v4 : HOSTS.v1.v6, port: SERVICE.target }
    : { host: family === 4 ? SERVICE.v4 : SERVICE.v6, port: SERVICE.port };
const answers = new Map<string, readonly Answer[]>();

/** HAProxy answers from a buffer, nginx takes no chunks without a place to send them; the others read every body. */
const REQUESTS: Readonly<Record<ServerKind, readonly Asked[]>> = {
  nginx: [...PLAIN, ...bodies(false)],
  haproxy: PLAIN,
  node: [...PLAIN, ...bodies(false), ...bodies(true)],
  python: [...PLAIN, ...bodies(false), ...bodies(true)],
};
const FAMILIES: Readonly<Record<ServerKind, readonly Family[]>> = {
  nginx: [4, 6],
  haproxy: [4],
  node: [6],
  python: [4],
};

const ALL_CLIENTS: ReadonlySet<ServerKind> = new Set<ServerKind>(['nginx', 'node']);

/** The rows of one server: the requests of each client, without a mesh or with it. */
function rows(kind: ServerKind, mode: Mode): void {
  const name = mode === 'plain' ? 'without a mesh' : 'with Weft';
  test(`${kind} serves ${name}`, async () => {
    server = new RealServer(kind, HOSTS.v1, cgroupOf('v1'), SERVICE.target);
    await server.ready(SERVICE.target);
  });
  const clients = ALL_CLIENTS.has(kind)
    ? CLIENTS
    : CLIENTS.filter(([name]) => !/at once/.test(name));
  for (const [client, ask] of clients)
    for (const family of FAMILIES[kind])
      test(`${client} asks ${kind} ${name}, IPv${family}`, async () => {
        const all = mode === 'plain' ? REQUESTS[kind] : mixed(REQUESTS[kind]);
        const { host, port } = targetOf(mode, family);
        const have = await ask(host, port, all);
        assert.equal(
          have,
          all.map((asked) => expected(asked, kind)),
        );
        const id = `${client} ${kind} ${family}`;
        if (mode === 'plain') answers.set(id, have);
        else
          assert.equal(
            have.filter((_, n) => n % 2 === 0),
            answers.get(id),
          );
      });
  test(`wrk: ${kind}, ${name}`, async () => {
    const refused = { method: 'GET', path: '/private/x' };
    const list = [...PLAIN.slice(0, 2), ...(mode === 'plain' ? [] : [refused])];
    const rows = list.map((asked) => {
      const { status, body } = expected(asked, kind);
      return `GET ${asked.path} ${status} ${body}`;
    });
    const url =
      mode === 'plain' ? urlOf(HOSTS.v1.v4, SERVICE.target) : urlOf(SERVICE.v4, SERVICE.port);
    const wrk = ['wrk', '-t1', '-c8', `-d${WRK_S}s`, '-s', join(REAL, 'status.lua'), url, '--'];
    const out = await run([...wrk, ...rows]);
    const [, total, wrong, errors, example] = /RESULT (\d+) (\d+) (\d+) (.*)/.exec(out) ?? [];
    assert.is(wrong, '0', example);
    assert.is(errors, '0', out);
    assert.ok(Number(total) > 0, out);
  });
  test(`${kind} ends, ${name}`, async () => {
    await server?.stop();
    server = null;
  });
}

const wanted = new RegExp(process.env['WEFT_HTTP_SERVERS'] ?? '');
const SERVED = SERVERS.filter((kind) => wanted.test(kind));
for (const kind of SERVED) rows(kind, 'plain');
test('Weft starts', async () => {
  mesh = new Mesh();
  await mesh.start();
});
for (const kind of SERVED) rows(kind, 'weft');

test.after(async () => {
  await server?.stop();
  await mesh?.stop();
  topology?.close();
  rmSync(folder, { recursive: true, force: true });
});
test.run();
