/** Where a registry leads on to: HTTP without TLS stays on this machine, and secrets with their host. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeImage } from '../../compiler/bundle/index.js';
import {
  type Access,
  openRegistry,
  pullImage,
  pushImage,
  type Reference,
} from '../../runtime/registry/index.js';
import { FakeRegistry, type Lie, TEST_CA } from '../support/fake-registry.js';
import { refusal } from '../support/registry-refusal.js';
import { sampleBundle } from '../support/sample-bundle.js';

const test = suite('registry without TLS');

const IMAGE = encodeImage(sampleBundle());
const BASIC = `Basic ${Buffer.from('ann:pass').toString('base64')}`;

let registry: FakeRegistry;
let other: FakeRegistry;
let home = '';
test.before.each(async () => {
  registry = await FakeRegistry.start();
  other = await FakeRegistry.start();
  home = mkdtempSync(join(tmpdir(), 'weft-registry-'));
  const auth = Buffer.from('ann:pass').toString('base64');
  writeFileSync(
    join(home, 'config.json'),
    JSON.stringify({ auths: { [registry.host]: { auth } } }),
  );
});
test.after.each(async () => {
  await registry.stop();
  await other.stop();
  rmSync(home, { recursive: true, force: true });
});

function access(parts: Partial<Access> = {}): Access {
  const signal = new AbortController().signal;
  return { env: { DOCKER_CONFIG: home }, ca: null, plainHttp: 'loopback', signal, ...parts };
}
const reference = (): Reference => {
  return { host: registry.host, repository: 'team/shop', tag: '1', digest: null };
};
const push = (parts: Partial<Access> = {}): Promise<unknown> =>
  pushImage(openRegistry(reference(), access(parts)), reference(), IMAGE);
const pull = (parts: Partial<Access> = {}): Promise<unknown> =>
  pullImage(openRegistry(reference(), access(parts)), reference());

async function refusedWith(run: () => Promise<unknown>): Promise<string> {
  try {
    await run();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'none';
}

/** Leads each fetch of a blob to an origin. */
function blobsAt(origin: string): Lie {
  return ({ method, path }, answer) => {
    if (method !== 'GET' || !path.includes('/blobs/')) return false;
    return answer.writeHead(307, { location: `${origin}${path}` }).end() !== undefined;
  };
}
/** Wants a token from a realm. */
function tokensFrom(realm: string): Lie {
  return (_, answer) => {
    const challenge = `Bearer realm="${realm}/token",service="x"`;
    return answer.writeHead(401, { 'www-authenticate': challenge }).end() !== undefined;
  };
}
/** Leads each upload to an origin. */
function uploadsAt(origin: string): Lie {
  return ({ method, path }, answer) => {
    if (method !== 'POST') return false;
    return answer.writeHead(202, { location: `${origin}${path}1` }).end() !== undefined;
  };
}

// `.invalid` has no address: where it is asked for after all, that is O102.
const FAR = 'http://example.invalid';
for (const [what, lie, run] of [
  ['a redirect', blobsAt(FAR), pull],
  ['a token server', tokensFrom(FAR), pull],
  ['an upload place', uploadsAt(FAR), push],
] as const) {
  test(`${what} of another machine without TLS is refused, and says why`, async () => {
    if (run === pull) await push();
    registry.lie = lie;
    assert.is(await refusal(run), 'O108');
    const message = await refusedWith(run);
    assert.match(message, registry.host);
    assert.match(message, `\`${FAR}\``);
    assert.match(message, 'https');
    // Who trusts the network goes there.
    assert.is(await refusal(() => run({ plainHttp: 'anywhere' })), 'O102');
  });
}

test('a redirect to another port of this machine is followed, without the password', async () => {
  await push();
  for (const [digest, bytes] of registry.blobs) other.blobs.set(digest, bytes);
  const lead = blobsAt(`http://${other.host}`);
  registry.lie = (asked, answer) => {
    if (asked.headers.authorization === BASIC) return lead(asked, answer);
    answer.writeHead(401, { 'www-authenticate': 'Basic realm="here"' });
    return answer.end() !== undefined;
  };
  await pull();
  assert.ok(other.asked.length > 0);
  assert.ok(other.asked.every(({ headers }) => headers.authorization === undefined));
});

test('a redirect to TLS is followed', async () => {
  const safe = await FakeRegistry.start({ tls: true });
  try {
    await push();
    for (const [digest, bytes] of registry.blobs) safe.blobs.set(digest, bytes);
    registry.lie = blobsAt(`https://${safe.host}`);
    await pull({ ca: TEST_CA });
    assert.is(safe.asked.length, IMAGE.blobs.size);
  } finally {
    await safe.stop();
  }
});

test('storage that a registry leads to is not told the password when it asks for it', async () => {
  await push();
  const realm = await FakeRegistry.start();
  try {
    registry.lie = blobsAt(`http://${other.host}`);
    for (const lie of [tokensFrom(`http://${realm.host}`), tokensFrom(`http://${other.host}`)]) {
      other.lie = lie;
      assert.is(await refusal(pull), 'O103');
    }
    assert.is(realm.asked.length, 0);
    assert.ok(other.asked.every(({ headers }) => headers.authorization === undefined));
  } finally {
    await realm.stop();
  }
});

test('a push that is answered 404 says what was not taken', async () => {
  for (const [path, what] of [
    [/^POST/, 'does not take an upload: 404'],
    [/^PUT .*blobs/, 'does not take blob `sha256:'],
    [/^PUT .*manifests/, 'does not take manifest `1`: 404'],
  ] as const) {
    registry.lie = ({ method, path: at }, answer) =>
      path.test(`${method} ${at}`) && answer.writeHead(404).end() !== undefined;
    const message = await refusedWith(push);
    assert.match(message, what);
    assert.is(await refusal(push), 'O104');
  }
});

test.run();
