/** The layer of cases in an image: read back as it was written, refused where it is not what weft writes. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Bundle,
  bundleDigest,
  type CaseLayer,
  canonicalJson,
  decodeImage,
  digestOf,
  encodeImage,
} from '../../compiler/bundle/index.js';
import { sampleBundle } from '../support/sample-bundle.js';

const test = suite('bundle cases');
const LAYER: CaseLayer = {
  schemaVersion: 1,
  worlds: [{ file: 'world.yaml', document: { workloads: [] } }],
  files: [
    {
      ...{ file: 'scenario.yaml', world: 0, left: 2 },
      cases: [
        {
          line: 4,
          case: {
            ...{ id: 'x', connect: { from: '10.0.0.1', to: '10.0.0.2:80' } },
            ...{ random: 5, pick: 6, now: '2026-01-01T00:00:00.000Z', expect: { verdict: 'deny' } },
          },
        },
      ],
    },
  ],
};
const bundle = (cases: CaseLayer | null): Bundle => ({ ...sampleBundle(), cases });

/** Decodes the image whose layer of cases has these bytes; the code of its refusal, else `ok`. */
function decodeWith(layer: Uint8Array): string {
  const { manifest, blobs } = encodeImage(bundle(LAYER));
  const image = JSON.parse(new TextDecoder().decode(manifest));
  const of = image.layers.find((l: { mediaType: string }) => l.mediaType.includes('weft.cases'));
  Object.assign(of, { digest: digestOf(layer), size: layer.length });
  const bytes = new TextEncoder().encode(canonicalJson(image));
  const all = new Map([...blobs, [digestOf(layer), layer]]);
  const decoded = decodeImage({ digest: digestOf(bytes), manifest: bytes, blobs: all });
  return decoded.ok ? 'ok' : (decoded.diagnostics[0]?.code ?? '');
}
const encoded = (value: unknown): Uint8Array => new TextEncoder().encode(canonicalJson(value));

test('cases go there and back, and are part of the digest', () => {
  const decoded = decodeImage(encodeImage(bundle(LAYER)));
  assert.ok(decoded.ok);
  if (decoded.ok) assert.equal(decoded.bundle.cases, LAYER);
  assert.not.equal(bundleDigest(bundle(LAYER)), bundleDigest(bundle(null)));
  const without = decodeImage(encodeImage(bundle(null)));
  assert.ok(without.ok && without.bundle.cases === null);
  assert.is(decodeWith(encoded(LAYER)), 'ok');
});

test('what weft does not write is refused', () => {
  const [file] = LAYER.files;
  const altered = (change: object): Uint8Array => encoded({ ...LAYER, ...change });
  assert.is(decodeWith(new TextEncoder().encode('{')), 'B105', 'no JSON');
  assert.is(decodeWith(new TextEncoder().encode(JSON.stringify(LAYER, null, 1))), 'B105', 'form');
  assert.is(decodeWith(altered({ schemaVersion: 2 })), 'B105');
  assert.is(decodeWith(altered({ more: 1 })), 'B105');
  assert.is(decodeWith(altered({ files: [{ ...file, world: 1 }] })), 'B105', 'no such world');
  assert.is(decodeWith(altered({ worlds: [{ file: 'w', document: { bogus: 1 } }] })), 'B105');
  const [only] = file?.cases ?? [];
  const many = Array.from({ length: 257 }, () => only);
  assert.is(decodeWith(altered({ files: [{ ...file, cases: many }] })), 'B106');
  assert.is(decodeWith(new Uint8Array(1_048_577)), 'B106');
});

test.run();
