/** What the hooks decide, recorded with all that it depended on, is decided alike by the simulator. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeBundle } from '../../compiler/bundle/index.js';
import { readSource } from '../../runtime/agent/index.js';
import { runCli } from '../../runtime/cli/run-cli.js';
import type { TrafficRecord } from '../../runtime/record/index.js';
import { testEnv } from '../cli/harness.js';
import { mustCompile } from '../support/compile-texts.js';
import { HTTP_PORT, HttpNet, VIP4, VIP6 } from './fixtures/http.js';
import { SERVER4 } from './fixtures/net.js';

const POLICY = `import { Request, respond, Route, Verdict } from "weft";
const teapot = respond(202, "taken");
export function routeRequest(request: Request): Route {
  return request.path.is("/taken") ? teapot : Route.None;
}
export function authorizeRequest(request: Request): Verdict {
  if (request.path.startsWith("/private")) return Verdict.Deny;
  if (request.header("x-key").is("wrong")) return Verdict.Deny;
  if (request.header("x-role").exists) return Verdict.Allow;
  return request.method.is("DELETE") ? Verdict.Pass : Verdict.Allow;
}
`;
/** Another line decides, and another way. */
const OTHER = POLICY.replace('"/private"', '"/a"');
const SENT = [
  'get("/a")',
  'get("/a?token=secret")',
  'get("/private/x")',
  'get("/x/../private/y")',
  'get("/a", more="x-key: wrong\\r\\nauthorization: secret\\r\\n")',
  'get("/a", more="x-key: secret\\r\\n")',
  'get("/a", "DELETE")',
  'get("/a", "DELETE", "x-role: secret\\r\\n")',
  'get("/taken")',
  'get("/a", more="x-key: secret\\r\\nx-key: wrong\\r\\n")',
];
const PLACES = [
  [VIP4, 80],
  [VIP6, 80],
  [SERVER4, HTTP_PORT],
] as const;

const test = suite('weft record');
let http: HttpNet;
let folder = '';
test.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weft-record-'));
  http = await HttpNet.open('rec');
  await http.load({ 'http.ts': POLICY });
  http.enrol();
});
test.after(async () => {
  await http?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** `weft record` beside the traffic: from when it reads until it has so many records. */
async function record(
  name: string,
  count: number,
  more: readonly string[],
): Promise<TrafficRecord[]> {
  const out = join(folder, name);
  const err: Buffer[] = [];
  const env = testEnv({ paths: http.paths, openKernel: async () => http.kernel }, [], err);
  let ready = (): void => {};
  const isReady = new Promise<void>((resolve) => {
    ready = resolve;
  });
  const stderr = {
    isTTY: false,
    write: (text: string | Uint8Array): void => {
      err.push(Buffer.from(text as string));
      ready();
    },
  };
  const done = runCli(['record', '--out', out, '--count', String(count), ...more], {
    ...env,
    stderr,
  });
  await isReady;
  for (const [host, port] of PLACES) {
    await http.client.value(`s = open_to("${host}", ${port})`);
    for (const text of SENT) await http.client.value(`ask(s, ${text})`);
  }
  assert.is(await done, 0, Buffer.concat(err).toString());
  assert.is(statSync(out).mode & 0o777, 0o600);
  return readFileSync(out, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as TrafficRecord);
}

async function replay(
  file: string,
  policy: string,
): Promise<{ exit: number; text: string; summary: object }> {
  const source = [1, 2, 3].map((n) => readSource(http.paths, n)).find((found) => found !== null);
  if (source == null) throw new Error('nothing was kept of the generation');
  const bundle =
    policy === POLICY ? source.bundle : await mustCompile(new Map([['http.ts', policy]]));
  writeFileSync(join(folder, 'b.weft'), encodeBundle(bundle));
  writeFileSync(join(folder, 'world.yaml'), http.world());
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const args = ['replay', '--verify', 'b.weft', file, '--world', 'world.yaml', '-o', 'json'];
  const exit = await runCli(args, testEnv({ cwd: folder }, out, err));
  const document = JSON.parse(Buffer.concat(out).toString());
  return { exit, text: JSON.stringify(document.differences), summary: document.summary };
}

const COUNT = PLACES.length * SENT.length;

test('records hold no value that no decision needs, and decide alike', async () => {
  const records = await record('seen.ndjson', COUNT, []);
  const requests = records.flatMap(({ request }) => request ?? []);
  assert.is(requests.length, COUNT);
  assert.not.match(JSON.stringify(records), /secret/);
  assert.is(
    requests.filter(({ headers }) => headers?.some(([, value]) => value === 'wrong')).length,
    3,
  );
  const verdicts = new Set(records.map(({ decided }) => `${decided?.verdict} ${decided?.reason}`));
  assert.ok(verdicts.size >= 3, [...verdicts].join(', '));
  const { exit, text, summary } = await replay('seen.ndjson', POLICY);
  assert.equal(
    summary,
    { records: COUNT, compared: COUNT, undecided: 0, different: 0, faults: 0 },
    text,
  );
  assert.is(exit, 0);
});

test('another bundle differs, and with exit 5', async () => {
  const { exit, summary } = await replay('seen.ndjson', OTHER);
  assert.is(exit, 5);
  assert.ok((summary as { different: number }).different > 0);
});

test('without redaction the values stay', async () => {
  const records = await record('open.ndjson', COUNT, ['--redact', 'none']);
  assert.match(JSON.stringify(records), /token=secret/);
  assert.is((await replay('open.ndjson', POLICY)).exit, 0);
});

test.run();
