/** Talking with registries: references, credentials, and those that lie, break off or never end. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bundleDigest, decodeImage, encodeImage } from '../../compiler/bundle/index.js';
import {
  type Access,
  openRegistry,
  pullImage,
  pullSignatures,
  pushImage,
  pushSignatures,
  type Reference,
} from '../../runtime/registry/index.js';
import { isLoopback } from '../../runtime/registry/plain-http.js';
import { FakeRegistry, type Lie, TEST_CA } from '../support/fake-registry.js';
import { refusal } from '../support/registry-refusal.js';
import { sampleBundle } from '../support/sample-bundle.js';

const test = suite('registry');

const IMAGE = encodeImage(sampleBundle());
const SUBJECT = { digest: IMAGE.digest, size: IMAGE.manifest.length };

let registry: FakeRegistry;
let home = '';
test.before.each(async () => {
  registry = await FakeRegistry.start();
  home = mkdtempSync(join(tmpdir(), 'weft-registry-'));
});
test.after.each(async () => {
  await registry.stop();
  rmSync(home, { recursive: true, force: true });
});

function access(parts: Partial<Access> = {}): Access {
  const signal = new AbortController().signal;
  return { env: { DOCKER_CONFIG: home }, ca: null, plainHttp: 'loopback', signal, ...parts };
}
function reference(of: FakeRegistry = registry): Reference {
  return { host: of.host, repository: 'team/shop', tag: '1', digest: null };
}
const push = (): Promise<unknown> =>
  pushImage(openRegistry(reference(), access()), reference(), IMAGE);
const pull = (): Promise<unknown> => pullImage(openRegistry(reference(), access()), reference());

/** Lies about the paths that match; `times` of them. */
function lyingAt(path: RegExp, lie: Lie, times = Number.POSITIVE_INFINITY): Lie {
  let left = times;
  return (asked, answer) => {
    if (!path.test(`${asked.method} ${asked.path}`) || left === 0) return false;
    left -= 1;
    return lie(asked, answer);
  };
}

test('what is pushed is pulled, and not sent twice', async () => {
  assert.equal(await push(), { sent: IMAGE.blobs.size, there: 0 });
  assert.equal(await push(), { sent: 0, there: IMAGE.blobs.size });
  const pulled = await pullImage(openRegistry(reference(), access()), reference());
  assert.is(pulled.digest, IMAGE.digest);
  const decoded = decodeImage(pulled);
  assert.ok(decoded.ok && bundleDigest(decoded.bundle) === IMAGE.digest);
  const byDigest = { ...reference(), tag: null, digest: IMAGE.digest };
  assert.is((await pullImage(openRegistry(byDigest, access()), byDigest)).digest, IMAGE.digest);
});

test('a push that breaks off leaves no manifest, and goes on where it was', async () => {
  registry.lie = lyingAt(/^PUT .*blobs/, (_, answer) => {
    if (registry.blobs.size < 2) return false;
    answer.destroy();
    return true;
  });
  assert.is(await refusal(push), 'O102');
  assert.is(registry.manifests.size, 0);
  registry.lie = () => false;
  assert.equal(await push(), { sent: IMAGE.blobs.size - 2, there: 2 });
});

for (const known of [true, false]) {
  test(`signatures: ${known ? 'by the list of referrers' : 'by the fallback tag'}`, async () => {
    registry.knowsReferrers = known;
    await push();
    const client = openRegistry(reference(), access());
    assert.equal(await pullSignatures(client, IMAGE.digest), []);
    await pushSignatures(client, SUBJECT, ['{"a":1}']);
    await pushSignatures(client, SUBJECT, ['{"a":1}', '{"b":2}']);
    assert.equal([...(await pullSignatures(client, IMAGE.digest))].sort(), ['{"a":1}', '{"b":2}']);
    assert.is(registry.manifests.has(IMAGE.digest.replace(':', '-')), !known);
  });
}

test('a signature artifact of another bundle counts as a signature that says nothing', async () => {
  const client = openRegistry(reference(), access());
  await push();
  await pushSignatures(client, SUBJECT, ['{"a":1}']);
  const tag = IMAGE.digest.replace(':', '-');
  const index = registry.manifests.get(tag);
  const other = `sha256:${'1'.repeat(64)}`;
  if (index !== undefined) registry.manifests.set(other.replace(':', '-'), index);
  assert.equal(await pullSignatures(client, other), ['']);
});

/** Each a registry that does not send what it should, and the code that it is told with. */
const LIES: Readonly<Record<string, readonly [string, RegExp, Lie]>> = {
  'another blob': ['O106', /^GET .*blobs/, (_, a) => a.end('other') !== undefined],
  'a blob with one byte changed': [
    'O106',
    /^GET .*blobs/,
    ({ path }, answer) => {
      const bytes = Buffer.from(registry.blobs.get(path.split('/').at(-1) ?? '') ?? '');
      bytes[0] = (bytes[0] ?? 0) ^ 1;
      return answer.end(bytes) !== undefined;
    },
  ],
  'a blob that is longer': [
    'O107',
    /^GET .*blobs/,
    ({ path }, answer) => {
      const bytes = registry.blobs.get(path.split('/').at(-1) ?? '') ?? Buffer.alloc(0);
      return answer.end(Buffer.concat([bytes, Buffer.alloc(70_000)])) !== undefined;
    },
  ],
  'a blob without end': [
    'O107',
    /^GET .*blobs/,
    (_, answer) => {
      const more = (): void => {
        if (!answer.destroyed && answer.write(Buffer.alloc(65_536))) setImmediate(more);
      };
      answer.on('drain', more);
      more();
      return true;
    },
  ],
  'a blob that is cut off': [
    'O102',
    /^GET .*blobs/,
    (_, answer) => {
      answer.writeHead(200, { 'content-length': '1000' });
      answer.write('half', () => answer.destroy());
      return true;
    },
  ],
  'a manifest under another digest': [
    'O106',
    /^GET .*manifests/,
    (_, answer) => {
      answer.writeHead(200, { 'docker-content-digest': `sha256:${'0'.repeat(64)}` });
      return answer.end(IMAGE.manifest) !== undefined;
    },
  ],
  'a manifest that is too large': [
    'O107',
    /^GET .*manifests/,
    (_, a) => a.end(Buffer.alloc(1_100_000)) !== undefined,
  ],
  'a manifest that is no JSON': [
    'B105',
    /^GET .*manifests/,
    (_, a) => a.end('<html>') !== undefined,
  ],
  'the image of something else': [
    'B104',
    /^GET .*manifests/,
    (_, a) => a.end('{"layers":[]}') !== undefined,
  ],
  'an error': ['O105', /^GET .*manifests/, (_, a) => a.writeHead(418).end() !== undefined],
  'redirects without end': [
    'O105',
    /^GET/,
    ({ path }, a) => a.writeHead(307, { location: path }).end() !== undefined,
  ],
  'a redirect to a file': [
    'O105',
    /^GET/,
    (_, a) => a.writeHead(307, { location: 'file:///etc/passwd' }).end() !== undefined,
  ],
  'no way in': ['O103', /^GET/, (_, a) => a.writeHead(403).end() !== undefined],
  'a challenge of an unknown kind': [
    'O103',
    /^GET/,
    (_, a) => a.writeHead(401, { 'www-authenticate': 'Digest a="b"' }).end() !== undefined,
  ],
  'a challenge without a token server': [
    'O105',
    /^GET/,
    (_, a) => a.writeHead(401, { 'www-authenticate': 'Bearer service="x"' }).end() !== undefined,
  ],
  'nothing at all': ['O104', /^GET .*manifests/, (_, a) => a.writeHead(404).end() !== undefined],
};
for (const [what, [code, path, lie]] of Object.entries(LIES)) {
  test(`a registry that sends ${what} is refused`, async () => {
    await push();
    registry.lie = lyingAt(path, lie);
    assert.is(await refusal(pull), code);
  });
}

test('what passes is asked again, and a blob is fetched where the registry leads', async () => {
  await push();
  registry.lie = lyingAt(
    /^GET .*manifests/,
    (_, answer) => answer.writeHead(503).end() !== undefined,
    2,
  );
  await pull();
  registry.lie = lyingAt(/^GET .*\/team\/shop\/blobs/, ({ path }, answer) => {
    answer.writeHead(307, { location: path.replace('team/shop', 'elsewhere') });
    return answer.end() !== undefined;
  });
  await pull();
  assert.ok(registry.asked.some(({ path }) => path.startsWith('/v2/elsewhere/blobs')));
});

function login(auth: Readonly<Record<string, unknown>>, host: string): void {
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'config.json'), JSON.stringify({ auths: { [host]: auth } }));
}
const secret = (text: string): string => Buffer.from(text).toString('base64');

test('basic credentials are sent when they are asked for, and not before', async () => {
  registry.lie = ({ headers }, answer) => {
    if (headers.authorization === `Basic ${secret('ann:s:cret')}`) return false;
    answer.writeHead(401, { 'www-authenticate': 'Basic realm="here"' });
    return answer.end() !== undefined;
  };
  assert.is(await refusal(push), 'O103', 'nobody is logged in');
  login({ auth: secret('ann:wrong') }, registry.host);
  assert.is(await refusal(push), 'O103');
  login({ auth: secret('ann:s:cret') }, registry.host);
  registry.asked.length = 0;
  await push();
  assert.is(registry.asked[0]?.headers.authorization, undefined);
});

for (const form of ['password', 'identitytoken'] as const) {
  test(`a bearer token is fetched with the ${form}, by scope, and is not taken elsewhere`, async () => {
    const other = await FakeRegistry.start();
    try {
      registry.lie = ({ method, path, query, headers }, answer) => {
        if (path === '/token') {
          const isRight =
            form === 'password'
              ? headers.authorization === `Basic ${secret('ann:pass')}` &&
                query.get('scope') === 'a:pull'
              : method === 'POST';
          answer.writeHead(isRight ? 200 : 401);
          return answer.end(JSON.stringify({ token: 't0k' })) !== undefined;
        }
        if (headers.authorization !== 'Bearer t0k') {
          const realm = `http://${registry.host}/token`;
          const challenge = `Bearer realm="${realm}",service="x",scope="a:pull"`;
          answer.writeHead(401, { 'www-authenticate': challenge });
          return answer.end() !== undefined;
        }
        if (method !== 'GET' || !path.includes('/blobs/')) return false;
        answer.writeHead(307, { location: `http://${other.host}${path}` });
        return answer.end() !== undefined;
      };
      login(
        form === 'password' ? { auth: secret('ann:pass') } : { identitytoken: 'idt' },
        registry.host,
      );
      await push();
      for (const [digest, bytes] of registry.blobs) other.blobs.set(digest, bytes);
      await pull();
      assert.ok(other.asked.length > 0);
      assert.ok(other.asked.every(({ headers }) => headers.authorization === undefined));
    } finally {
      await other.stop();
    }
  });
}

test('a token that is none is refused', async () => {
  for (const token of ['{}', '{"token":""}', '{"token":"a\\r\\nb: c"}', 'none', '{"token":1}']) {
    registry.lie = ({ path }, answer) => {
      if (path === '/token') return answer.end(token) !== undefined;
      const challenge = `Bearer realm="http://${registry.host}/token"`;
      return answer.writeHead(401, { 'www-authenticate': challenge }).end() !== undefined;
    };
    assert.is(await refusal(pull), 'O105', token);
  }
});

test('without TLS only this machine is talked with', async () => {
  for (const host of ['localhost', 'localhost:1', '127.0.0.1:5000', '127.9.9.9', '[::1]:5']) {
    assert.ok(isLoopback(host), host);
  }
  for (const host of ['r.io', '127.0.0.1.r.io', 'localhost.r.io', '10.0.0.1', '[::2]']) {
    assert.not(isLoopback(host), host);
  }
  const far = { ...reference(), host: 'registry.invalid' };
  assert.is(await refusal(() => openRegistry(far, access())), 'O108');
  assert.ok(openRegistry(far, access({ plainHttp: 'anywhere' })));
});

test('over TLS a registry needs a certificate that is vouched for', async () => {
  const safe = await FakeRegistry.start({ tls: true });
  try {
    const open = (ca: string | null) =>
      openRegistry(reference(safe), access({ plainHttp: 'never', ca }));
    assert.is(await refusal(() => pushImage(open(null), reference(safe), IMAGE)), 'O102');
    await pushImage(open(TEST_CA), reference(safe), IMAGE);
    const pulled = await pullImage(open(TEST_CA), reference(safe));
    assert.is(pulled.digest, IMAGE.digest);
    const plain = `http://${registry.host}/x`;
    safe.lie = (_, answer) => answer.writeHead(307, { location: plain }).end() !== undefined;
    assert.is(
      await refusal(() => pullImage(open(TEST_CA), reference(safe))),
      'O105',
      'away from TLS',
    );
  } finally {
    await safe.stop();
  }
});

test('a registry that is not there cannot be reached', async () => {
  const gone = await FakeRegistry.start();
  const where = reference(gone);
  await gone.stop();
  assert.is(await refusal(() => pullImage(openRegistry(where, access()), where)), 'O102');
});

test.run();
