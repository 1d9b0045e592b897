/**
 * Every reader of bytes from outside under changed inputs: archives, OCI documents, registry answers,
 * docker's configuration, signatures, trust policies, calls of the local API. Each answers or refuses in its declared way; nothing
 * else may be thrown, no input may take minutes, and memory stays bounded. What is accepted must hold.
 * Entry: `node readers.js INPUTS SEED [READER]`; an input that fails is printed in base64, exit code 1.
 */
import { performance } from 'node:perf_hooks';
import {
  bundleDigest,
  canonicalJson,
  decodeBundle,
  decodeImage,
  digestOf,
  encodeBundle,
  encodeImage,
  type Image,
  readArchive,
  readImage,
  readLayout,
} from '../../compiler/bundle/index.js';
import { createDeltaStream } from '../../runtime/control/delta-stream.js';
import { readRefusal } from '../../runtime/control/node-registry.js';
import { readNode } from '../../runtime/control/read-node.js';
import { readReport } from '../../runtime/control/read-report.js';
import { createSotwStream } from '../../runtime/control/sotw-stream.js';
import { StreamFault } from '../../runtime/control/stream-machine.js';
import {
  create,
  DeltaDiscoveryRequestSchema,
  DiscoveryRequestSchema,
  decodeItem,
  encodeItem,
  fromBinary,
  NODE_BUNDLE_URL,
  toBinary,
} from '../../runtime/control/wire/index.js';
import { readChallenge } from '../../runtime/registry/challenge.js';
import { wordsOf } from '../../runtime/registry/client.js';
import { credentialsIn } from '../../runtime/registry/credentials.js';
import { isRegistryError, parsePlace } from '../../runtime/registry/index.js';
import {
  indexEntries,
  makeReferrer,
  signatureEntries,
  signatureOf,
} from '../../runtime/registry/referrer.js';
import { readToken } from '../../runtime/registry/session.js';
import {
  generateKeys,
  readPrivateKey,
  readTrustPolicy,
  signStatement,
  verifyBundle,
} from '../../runtime/trust/index.js';
import { Prng } from '../support/prng.js';
import { sampleBundle } from '../support/sample-bundle.js';
import { CALL_SEEDS, readCallInput } from './call-reader.js';

interface Reader {
  readonly seeds: readonly Uint8Array[];
  /** Reads one input; throws where something is wrong with the reader. */
  readonly read: (input: Uint8Array) => void;
}

const BUNDLE = sampleBundle();
const IMAGE = encodeImage(BUNDLE);
const KEYS = generateKeys('ed25519', null);
const NOW = new Date('2026-01-02T03:04:05Z');
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const json = (value: unknown): Uint8Array => utf8(JSON.stringify(value));
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

const SIGNATURE = signStatement(
  {
    ...{ name: 'sample', digest: IMAGE.digest, version: 7 },
    ...{ signedAt: NOW, notBefore: null, notAfter: new Date('2027-01-01T00:00:00Z') },
  },
  readPrivateKey(KEYS.privatePem, null),
);
const TRUST = JSON.stringify({
  keys: [{ name: 'alice', key: KEYS.publicPem, notAfter: '2027-01-01T00:00:00Z' }],
  ...{ threshold: 1, bundles: ['sample'], minimumVersion: 1 },
});
const { policy: POLICY } = readTrustPolicy(TRUST, 'trust.json', () => null);

/** What is accepted is what its digest names: encoding it again gives that digest. */
function checkImage(image: Image): void {
  const decoded = decodeImage(image);
  if (decoded.ok && decoded.digest !== digestOf(image.manifest)) throw new Error('another digest');
}

/** Only errors of a registry may come out. */
function refusing(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (!isRegistryError(error)) throw error;
  }
}

/** A reader of messages may refuse by throwing: gRPC ends the call. What it takes must go through the machine. */
function reading<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

/** A stream may end for a message, in the declared way. */
function faulting(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof StreamFault)) throw error;
  }
}

const NO_VIEW = { resources: new Map(), held: new Set<string>() };
const NODE = { id: 'n', metadata: { labels: { zone: 'a' } } };

const READERS: Readonly<Record<string, Reader>> = {
  'xds-delta': {
    seeds: [
      toBinary(
        DeltaDiscoveryRequestSchema,
        create(DeltaDiscoveryRequestSchema, {
          ...{ node: NODE, typeUrl: NODE_BUNDLE_URL, resourceNamesSubscribe: ['*', 'shop'] },
          ...{ initialResourceVersions: { shop: 'v1' }, responseNonce: '1' },
          errorDetail: { code: 3, message: 'no' },
        }),
      ),
    ],
    read: (input) => {
      const request = reading(() => fromBinary(DeltaDiscoveryRequestSchema, input));
      if (request === null) return;
      const machine = createDeltaStream('fuzz');
      faulting(() => {
        machine.receive(request);
        machine.next(NO_VIEW);
        machine.receive(request);
      });
      if (request.errorDetail !== undefined) readRefusal(request.errorDetail, 0);
      const id = { trustDomain: 'd', kind: 'node', name: 'n' } as const;
      faulting(() => readNode(request.node, { id, notAfter: 0 }));
    },
  },
  'xds-sotw': {
    seeds: [
      toBinary(
        DiscoveryRequestSchema,
        create(DiscoveryRequestSchema, {
          ...{ node: NODE, typeUrl: NODE_BUNDLE_URL, resourceNames: ['shop'], responseNonce: '1' },
        }),
      ),
    ],
    read: (input) => {
      const request = reading(() => fromBinary(DiscoveryRequestSchema, input));
      if (request === null) return;
      const machine = createSotwStream('fuzz');
      faulting(() => {
        machine.receive(request);
        machine.next(NO_VIEW);
        machine.receive(request);
      });
    },
  },
  'node-bundle': {
    seeds: [
      encodeItem({
        ...{ name: 'shop', digest: 'sha256:aa', mode: 'shadow' },
        ...{ bundle: new Uint8Array(40), signatures: new Uint8Array(8) },
      }),
    ],
    read: (input) => {
      reading(() => decodeItem(input));
    },
  },
  'node-report': {
    seeds: [
      json({
        ...{
          agent: '1',
          kernel: '6',
          rules: [{ rule: 'a:1', policy: 'a', verdict: 'deny', count: 1 }],
        },
        ...{ active: { digest: 'd', name: 'n', generation: 1 }, shadow: null, drift: null },
        counters: { allowed: 1, denied: 2, lost: 0 },
      }),
    ],
    read: (input) => {
      readReport(new TextDecoder().decode(input));
    },
  },
  archive: {
    seeds: [encodeBundle(BUNDLE)],
    read: (input) => {
      const decoded = decodeBundle(input);
      if (decoded.ok && bundleDigest(decoded.bundle) !== IMAGE.digest)
        throw new Error('another bundle');
      const read = readArchive(input, null);
      if (read.ok) checkImage(read.image);
    },
  },
  // The digest of what was changed is right: what lies behind the digests is reached.
  manifest: {
    seeds: [IMAGE.manifest],
    read: (input) => {
      const digest = digestOf(input);
      readImage(input, digest);
      checkImage({ ...IMAGE, manifest: input, digest });
    },
  },
  config: {
    seeds: [utf8(canonicalJson(BUNDLE.manifest))],
    read: (input) => {
      const digest = digestOf(input);
      const document = JSON.parse(new TextDecoder().decode(IMAGE.manifest));
      const config = { ...document.config, digest, size: input.length };
      const manifest = utf8(canonicalJson({ ...document, config }));
      const blobs = new Map([...IMAGE.blobs, [digest, input]]);
      const decoded = decodeImage({ digest: digestOf(manifest), manifest, blobs });
      if (
        decoded.ok &&
        canonicalJson(decoded.bundle.manifest) !== new TextDecoder().decode(input)
      ) {
        throw new Error('read otherwise than it is written');
      }
    },
  },
  index: {
    seeds: [
      json({
        schemaVersion: 2,
        manifests: [
          {
            mediaType: 'application/vnd.oci.image.manifest.v1+json',
            digest: IMAGE.digest,
            size: 100,
            annotations: { 'org.opencontainers.image.ref.name': 'v1' },
          },
        ],
      }),
    ],
    read: (input) => {
      const layout = utf8('{"imageLayoutVersion":"1.0.0"}');
      readLayout(layout, input, null);
      readLayout(layout, input, 'v1');
      readLayout(input, input, null);
      indexEntries(input);
      signatureEntries(input);
    },
  },
  referrer: {
    seeds: [makeReferrer(SIGNATURE, { digest: IMAGE.digest, size: 100 }).manifest],
    read: (input) => {
      const pointer = signatureOf(input, IMAGE.digest);
      if (pointer !== null && !/^sha256:[0-9a-f]{64}$/.test(pointer.digest))
        throw new Error('a path');
    },
  },
  answers: {
    seeds: [
      utf8('Bearer realm="https://a.b/token?x=1",service="a.b",scope="repository:a/b:pull,push"'),
      utf8('Basic realm="a \\" b"'),
      json({ token: 'abc', access_token: 'def', expires_in: 300 }),
      json({ errors: [{ code: 'DENIED', message: 'no', detail: {} }] }),
      json({ auths: { 'a.b': { auth: 'YTpi', identitytoken: 'x' } }, credHelpers: { 'a.b': 'c' } }),
    ],
    read: (input) => {
      readChallenge(text(input));
      wordsOf(input);
      refusing(() => credentialsIn(text(input), 'a.b', 'config.json'));
      refusing(() => {
        const token = readToken({ status: 200, body: Buffer.from(input) }, 'a.b');
        if (/[\r\n\0 ]/.test(token)) throw new Error('a token that ends its header');
      });
    },
  },
  places: {
    seeds: [
      'r.example:5000/a/b:1',
      `r.io/a@${IMAGE.digest}`,
      'oci:dir:tag',
      'oci-archive:a.tar',
      'a/b.weft',
    ].map(utf8),
    read: (input) => {
      refusing(() => {
        const place = parsePlace(text(input));
        if (place.kind !== 'registry') return;
        const { host, repository, tag } = place.reference;
        // Each becomes part of a URL.
        const url = new URL(`https://${host}/v2/${repository}/manifests/${tag ?? ''}`);
        if (url.username !== '' || url.search !== '' || url.hash !== '')
          throw new Error('another place');
        if (url.pathname !== `/v2/${repository}/manifests/${tag ?? ''}`)
          throw new Error('another path');
      });
    },
  },
  signature: {
    seeds: [utf8(SIGNATURE)],
    read: (input) => {
      if (POLICY === null) throw new Error('no policy');
      const claim = { name: 'sample', digest: IMAGE.digest, signatures: [text(input)] };
      const verified = verifyBundle(claim, { policy: POLICY, now: NOW, floor: 7 });
      if (!verified.ok) return;
      const of = { ...claim, digest: digestOf(input) };
      if (verifyBundle(of, { policy: POLICY, now: NOW, floor: 7 }).ok)
        throw new Error('of any digest');
      if (verified.verified.version !== 7) throw new Error('another version');
    },
  },
  calls: { seeds: CALL_SEEDS.map(utf8), read: (input) => readCallInput(text(input)) },
  trust: {
    seeds: [
      utf8(TRUST),
      utf8('keys:\n  - name: alice\n    file: a.pub\nthreshold: 1\nbundles: [a, b]\n'),
    ],
    read: (input) => {
      const { policy, diagnostics } = readTrustPolicy(
        text(input),
        'trust.json',
        () => KEYS.publicPem,
      );
      if (policy === null && diagnostics.length === 0) throw new Error('refused without a word');
      if (policy !== null && (policy.keys.length === 0 || policy.threshold < 1)) {
        throw new Error('trusts anybody');
      }
    },
  },
};

/** What readers of JSON, tar and headers trip over. */
const WORDS: readonly Uint8Array[] = [
  ...['null', '[]', '{}', '-1', '1e999', '9007199254740993', '"__proto__"', '"constructor"', ','],
  ...[
    '\0',
    '\r\n',
    '\\u0000',
    '\ud800',
    '{"a":',
    '[[[[',
    ']]]]',
    ':',
    '"',
    '../',
    '%2e',
    '@',
    '=',
    '&a *a',
  ],
  ...['sha256:', 'digest', 'size', 'annotations', '4294967296', 'true', '"mediaType"', '"subject"'],
].map(utf8);

/** The input with one to eight changes. */
function change(seed: Uint8Array, random: Prng): Uint8Array {
  let bytes = Buffer.from(seed);
  for (let left = 1 + random.below(8); left > 0; left -= 1) {
    const at = random.below(bytes.length + 1);
    const end = Math.min(bytes.length, at + random.below(40));
    const word = WORDS[random.below(WORDS.length)] ?? new Uint8Array();
    switch (random.below(7)) {
      case 0:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
        break;
      case 1:
        bytes[at] = random.below(256);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]);
        break;
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, at), word, bytes.subarray(at)]);
        break;
      case 5:
        bytes = Buffer.concat([bytes.subarray(0, at), word, bytes.subarray(end)]);
        break;
      default:
        if (random.below(16) === 0) bytes = bytes.subarray(0, at);
    }
  }
  return bytes;
}

const MAX_INPUT_MS = 60_000;
/** The heap's growth after which memory counts as unbounded; caches and compiled code take some. */
const MAX_GROWTH = 512 * 1024 * 1024;

function run(
  name: string,
  reader: Reader,
  options: { readonly inputs: number; readonly seed: number },
): boolean {
  const random = new Prng(options.seed);
  const before = process.memoryUsage().rss;
  for (let i = 0; i < options.inputs; i += 1) {
    const seed = reader.seeds[i % reader.seeds.length] ?? new Uint8Array();
    // The seeds themselves come first: they must be read as they are.
    const input = i < reader.seeds.length ? seed : change(seed, random);
    const began = performance.now();
    try {
      reader.read(input);
      if (performance.now() - began > MAX_INPUT_MS) throw new Error('took minutes');
    } catch (error) {
      console.log(`${name}: a fault: ${error instanceof Error ? error.stack : String(error)}`);
      console.log(`input ${i}: ${Buffer.from(input).toString('base64')}`);
      return false;
    }
  }
  const grown = process.memoryUsage().rss - before;
  const verdict = grown > MAX_GROWTH ? 'memory without bound' : 'no fault';
  console.log(`${name}: ${options.inputs} inputs, ${verdict}, seed ${options.seed}`);
  return grown <= MAX_GROWTH;
}

const [count = '', seed = '1', only] = process.argv.slice(2);
const readers = Object.entries(READERS).filter(([name]) => only === undefined || name === only);
const inputs = Math.ceil(Number(count) / Math.max(1, readers.length));
const isWhole = Number.isSafeInteger(inputs) && inputs > 0 && readers.length > 0;
if (!isWhole) console.error('usage: readers.js INPUTS [SEED] [READER]');
const isFine =
  isWhole && readers.every(([name, r]) => run(name, r, { inputs, seed: Number(seed) }));
process.exitCode = isFine ? 0 : 1;
