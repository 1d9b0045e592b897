/** The readers of bundles, images, registries' answers, signatures and trust policies, for test/fuzz/readers.ts. */
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
import { sampleBundle } from '../support/sample-bundle.js';
import { json, type Reader, text, utf8 } from './reader.js';

const BUNDLE = sampleBundle();
const IMAGE = encodeImage(BUNDLE);
const KEYS = generateKeys('ed25519', null);
const NOW = new Date('2026-01-02T03:04:05Z');

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

export const BUNDLE_READERS: Readonly<Record<string, Reader>> = {
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
