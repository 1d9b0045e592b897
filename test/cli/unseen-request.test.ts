/** Requests to ports without HTTP: answered, with a warning (W311), since no node looks at them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { weft, withFolder } from './harness.js';

const test = suite('requests that no node looks at');

const REQUESTS = `import { Request, Verdict } from "weft";
export function authorizeRequest(request: Request): Verdict {
  return request.method.is("GET") ? Verdict.Allow : Verdict.Deny;
}
`;
const CONNECTIONS = `import { Connection, Verdict } from "weft";
export function authorizeConnection(connection: Connection): Verdict {
  return connection.destination.port > 8000 ? Verdict.Allow : Verdict.Deny;
}
`;
const WORLD = `services:
  - name: web.prod
    addresses: [10.96.0.1]
    ports: [{ port: 80, target: 8080, protocol: http }, { port: 81, target: 8081 }]
    clusters: [{ name: web/v1, selector: { app: web } }]
workloads:
  - { name: web-a.prod, addresses: [10.1.0.1], labels: { app: web } }
  - { name: client.prod, addresses: [10.1.0.2], labels: { app: client } }
`;
const SCENARIO = `world: world.yaml
cases:
  - { id: seen, request: { from: client.prod, to: "web.prod:80" }, expect: { status: 200 } }
  - { id: direct, request: { from: client.prod, to: "web-a.prod:8080" }, expect: { status: 200 } }
  - { id: connection, connect: { from: client.prod, to: "web.prod:81" } }
  - { id: unseen, request: { from: client.prod, to: "web.prod:81" }, expect: { status: 200 } }
  - { id: elsewhere, request: { from: client.prod, to: "web-a.prod:8082" } }
`;
const TESTS = `import { expect, request, test } from "weft/test";
test("unseen", () => {
  expect(request("client.prod", "web.prod:81", "GET", "/")).toAllow();
  expect(request("client.prod", "web.prod:80", "GET", "/")).toAllow();
});
`;

interface Finding {
  readonly code: string;
  readonly severity: string;
  readonly message: string;
  readonly file: string | null;
  readonly line: number | null;
  readonly help: string | null;
}

/** A project whose policy has this text. */
function withProject(policy: string, run: (folder: string) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    const policies = [{ file: 'p.ts', attach: [{ namespace: 'prod' }] }];
    const files = {
      'weft.json': JSON.stringify({ name: 'p', world: 'world.yaml', policies }),
      'p.ts': policy,
      'world.yaml': WORLD,
      'scenario.yaml': SCENARIO,
      'p.test.ts': TESTS,
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    await run(folder);
  });
}

/** Place and code of each finding of a run with `-o json`. */
async function findings(words: readonly string[]): Promise<readonly Finding[]> {
  const { stdout, stderr } = await weft([...words, '-o', 'json']);
  try {
    return JSON.parse(stdout).diagnostics;
  } catch {
    throw new Error(stdout + stderr);
  }
}
const places = (found: readonly Finding[]): readonly string[] =>
  found.map(({ code, severity, file, line, message }) => {
    const [, place = ''] = /^`([^`]*)`/.exec(message) ?? [];
    return `${severity} ${code} ${file?.split('/').at(-1) ?? '-'}:${line ?? '-'} ${place}`;
  });

test('each verb says it with place and remedy, and goes on', () =>
  withProject(REQUESTS, async (folder) => {
    const scenario = join(folder, 'scenario.yaml');
    const told = await weft(['simulate', folder, scenario]);
    assert.is(told.exit, 0, told.stderr);
    assert.match(told.stdout, /5 passed, 0 failed/);
    assert.match(told.stderr, /W311/);
    assert.match(told.stderr, /scenario\.yaml:6:/);
    assert.match(told.stderr, /give the port `protocol: http`/);
    assert.match(told.stderr, /2 warnings/);

    const two = [
      'warning W311 scenario.yaml:6 web.prod:81',
      'warning W311 scenario.yaml:7 web-a.prod:8082',
    ];
    assert.equal(places(await findings(['simulate', folder, scenario])), two);
    const all = ['warning W311 p.test.ts:2 web.prod:81', ...two];
    assert.equal(places(await findings(['test', folder])).toSorted(), all.toSorted());
    const explain = (id: string) => findings(['explain', folder, scenario, '--case', id]);
    assert.equal(places(await explain('unseen')), two.slice(0, 1));
    assert.equal(places(await explain('seen')), []);

    const ends = ['--from', 'client.prod', '--to'];
    const single = await findings([
      'simulate',
      folder,
      ...ends,
      'web.prod:81',
      '--request',
      'GET /',
    ]);
    assert.equal(places(single), ['warning W311 -:- web.prod:81']);
    assert.match(String(single[0]?.help), /protocol: http/);
    const seen = await findings(['simulate', folder, ...ends, 'web.prod:80', '--request', 'GET /']);
    assert.equal(seen, []);
    assert.equal(await findings(['simulate', folder, ...ends, 'web.prod:81']), []);
  }));

/** Lines of the record format: each of these ends so often. */
const records = (
  ends: readonly (readonly [to: string, count: number])[],
  request = REQUEST,
): string =>
  ends
    .flatMap(([to, count]) =>
      Array.from({ length: count }, () => ({ from: 'client.prod', to, ...request })),
    )
    .map((record) => `${JSON.stringify(record)}\n`)
    .join('');
const REQUEST = { request: { method: 'GET', path: '/' } };

test('of recorded traffic once a port, with how many requests ask for it', () =>
  withProject(REQUESTS, async (folder) => {
    const seen = join(folder, 'seen.ndjson');
    const ends = [
      ['web.prod:80', 2],
      ['web.prod:81', 3],
      ['web-a.prod:8080', 2],
      ['web-a.prod:8082', 1],
    ] as const;
    const two = [
      'warning W311 seen.ndjson:3 web.prod:81',
      'warning W311 seen.ndjson:8 web-a.prod:8082',
    ];
    writeFileSync(seen, records(ends));
    const told = await findings(['simulate', folder, seen]);
    assert.equal(places(told), two);
    assert.match(told[0]?.message ?? '', /looks at 3 requests, their connections alone are judged/);
    assert.match(told[1]?.message ?? '', /looks at this request, its connection alone is judged/);
    assert.equal(places(await findings(['diff', folder, folder, '--traffic', seen])), two);
    const decided = { ...REQUEST, decided: { verdict: 'allow' } };
    writeFileSync(seen, records(ends, decided));
    assert.equal(places(await findings(['replay', '--verify', folder, seen])), two);
    // Lines that are left to the plain way are counted with the others.
    writeFileSync(seen, records(ends).replaceAll('{"from"', '{ "from"'));
    assert.equal(places(await findings(['simulate', folder, seen])), two);
    // Access logs are read in the plain way.
    const access = {
      ':authority': 'x',
      method: 'GET',
      path: '/',
      protocol: 'HTTP/1.1',
      response_code: 200,
    };
    const log = { downstream_remote_address: '10.1.0.2:4000', upstream_host: '10.1.0.1:8082' };
    writeFileSync(
      seen,
      `${JSON.stringify({ start_time: '2026-01-01T00:00:00Z', ...access, ...log })}\n`,
    );
    const logged = await findings(['simulate', folder, seen, '--format', 'envoy']);
    assert.equal(places(logged), ['warning W311 seen.ndjson:1 web-a.prod:8082']);
    // Connections ask for nothing.
    writeFileSync(seen, records([['web.prod:81', 3]], {} as typeof REQUEST));
    assert.equal(await findings(['simulate', folder, seen]), []);
  }));

test('a bundle that judges connections alone answers what a node does: nothing to warn of', () =>
  withProject(CONNECTIONS, async (folder) => {
    assert.equal(await findings(['simulate', folder, join(folder, 'scenario.yaml')]), []);
    assert.equal(await findings(['test', folder]), []);
    writeFileSync(join(folder, 'seen.ndjson'), records([['web.prod:81', 3]]));
    assert.equal(await findings(['simulate', folder, join(folder, 'seen.ndjson')]), []);
  }));

test.run();
