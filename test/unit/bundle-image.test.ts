/** A bundle as an OCI image: its layers and its schema, and whatever is not quite one. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  bundleDigest,
  canonicalJson,
  decodeImage,
  digestOf,
  encodeArchive,
  encodeBundle,
  encodeImage,
  type Image,
  MAX_BLOB_BYTES,
  MAX_IMAGE_MANIFEST_BYTES,
  readArchive,
  readImage,
  readLayout,
  sbomOf,
} from '../../compiler/bundle/index.js';
import { MAX_LAYERS } from '../../compiler/bundle/limits.js';
import { sampleBundle } from '../support/sample-bundle.js';

const test = suite('bundle image');

type Json = Record<string, unknown>;
const parse = (bytes: Uint8Array): Json => JSON.parse(new TextDecoder().decode(bytes));
const utf8 = (value: unknown): Uint8Array => new TextEncoder().encode(canonicalJson(value));

/** The image with another OCI manifest, whose digest is right. */
function withManifest(image: Image, change: (manifest: Json) => Json): Image {
  const manifest = utf8(change(parse(image.manifest)));
  return { ...image, manifest, digest: digestOf(manifest) };
}

/** The image with another bundle manifest, whose digests are right all the way up. */
function withConfig(bytes: Uint8Array, image: Image = encodeImage(sampleBundle())): Image {
  const config = {
    ...(parse(image.manifest)['config'] as Json),
    digest: digestOf(bytes),
    size: bytes.length,
  };
  const changed = withManifest(image, (manifest) => ({ ...manifest, config }));
  return { ...changed, blobs: new Map([...image.blobs, [digestOf(bytes), bytes]]) };
}

function codeOf(image: Image): string {
  const outcome = decodeImage(image);
  return outcome.ok ? 'ok' : outcome.diagnostics.map((d) => d.code).join(' ');
}

test('every part is a layer of its own type and name', () => {
  const { manifest } = encodeImage(sampleBundle());
  const layers = parse(manifest)['layers'] as { mediaType: string; annotations: Json }[];
  assert.equal(
    layers.map((l) => [l.mediaType, l.annotations['org.opencontainers.image.title']]),
    [
      ['application/vnd.weft.policy.v1+wasm', 'isolation.wasm'],
      ['application/vnd.weft.policy.map.v1+json', 'isolation.wasm.map'],
      ['application/vnd.weft.object.v1.elf', 'base.o'],
      ['application/vnd.weft.object.v1.elf', 'may-goto.o'],
      ['application/vnd.cyclonedx+json', 'sbom.cdx.json'],
    ],
  );
  assert.is(parse(manifest)['artifactType'], 'application/vnd.weft.bundle.v1');
});

test('an image is the bundle again, also out of its archive', () => {
  const bundle = sampleBundle();
  const image = encodeImage(bundle);
  const decoded = decodeImage(image);
  assert.ok(decoded.ok && decoded.digest === bundleDigest(bundle));
  assert.equal(decoded.ok && decoded.bundle, bundle);
  const read = readArchive(encodeBundle(bundle), null);
  assert.equal(read.ok && encodeArchive(read.image), encodeBundle(bundle));
});

for (const part of ['the manifest', 'each blob'] as const) {
  test(`one byte changed in ${part} is refused`, () => {
    const image = encodeImage(sampleBundle());
    if (part === 'the manifest') {
      for (let at = 0; at < image.manifest.length; at += 1) {
        const manifest = image.manifest.slice();
        manifest[at] = (manifest[at] ?? 0) ^ 1;
        assert.is(codeOf({ ...image, manifest }), 'B103', `byte ${at}`);
      }
      return;
    }
    for (const [digest, bytes] of image.blobs) {
      for (const at of [0, bytes.length >> 1, bytes.length - 1]) {
        const altered = bytes.slice();
        altered[at] = (altered[at] ?? 0) ^ 1;
        const blobs = new Map([...image.blobs, [digest, altered]]);
        assert.is(codeOf({ ...image, blobs }), 'B103', `${digest} byte ${at}`);
      }
      const cut = new Map([...image.blobs, [digest, bytes.subarray(1)]]);
      assert.is(codeOf({ ...image, blobs: cut }), 'B103', 'cut');
      const without = new Map([...image.blobs].filter(([other]) => other !== digest));
      assert.is(codeOf({ ...image, blobs: without }), 'B102', 'missing');
    }
  });
}

test('an image of another kind is refused', () => {
  const image = encodeImage(sampleBundle());
  assert.is(
    codeOf(withManifest(image, (m) => ({ ...m, artifactType: 'application/other' }))),
    'B104',
  );
  assert.is(codeOf(withManifest(image, (m) => ({ ...m, mediaType: 'application/other' }))), 'B104');
  const { config } = parse(image.manifest);
  const odd = { ...(config as Json), mediaType: 'application/json' };
  assert.is(codeOf(withManifest(image, (m) => ({ ...m, config: odd }))), 'B104');
});

test('layers that are missing, double, nameless or unknown are refused', () => {
  const image = encodeImage(sampleBundle());
  const layers = parse(image.manifest)['layers'] as Json[];
  const [first = {}] = layers;
  const codes = [
    layers.slice(1),
    [...layers, first],
    [{ ...first, annotations: {} }, ...layers.slice(1)],
    [...layers, { ...first, annotations: { 'org.opencontainers.image.title': 'more.wasm' } }],
    [{ ...first, size: -1 }],
    [{ ...first, size: 1.5 }],
    [{ ...first, digest: 'sha512:00' }],
    'none',
  ].map((of) => codeOf(withManifest(image, (m) => ({ ...m, layers: of }))));
  assert.equal(codes, ['B102', 'B105', 'B105', 'B105', 'B105', 'B105', 'B105', 'B105']);
});

test('what is announced too large is refused before it is read', () => {
  const image = encodeImage(sampleBundle());
  const layers = parse(image.manifest)['layers'] as Json[];
  const announce = (of: unknown[]): string => {
    const manifest = utf8({ ...parse(image.manifest), layers: of });
    const located = readImage(manifest, digestOf(manifest));
    return located.ok ? 'ok' : (located.diagnostics[0]?.code ?? '');
  };
  assert.is(announce(layers), 'ok');
  assert.is(announce([{ ...layers[0], size: MAX_BLOB_BYTES + 1 }]), 'B106');
  assert.is(
    announce([1, 2, 3].map(() => ({ ...layers[0], size: MAX_BLOB_BYTES }))),
    'B106',
    'in all',
  );
  assert.is(announce(Array.from({ length: MAX_LAYERS + 1 }, () => layers[0])), 'B106', 'layers');
  const large = new Uint8Array(MAX_IMAGE_MANIFEST_BYTES + 1);
  assert.is(codeOf({ ...image, manifest: large }), 'B106');
});

/** Each a way in which a bundle manifest is not what its schema says. */
const MALFORMED: Readonly<Record<string, (manifest: Json) => Json>> = {
  'a missing key': ({ fuel: _, ...rest }) => rest,
  'an unknown key': (m) => ({ ...m, more: 1 }),
  'a wrong type': (m) => ({ ...m, symbols: 'prod' }),
  'a wrong word': (m) => ({ ...m, default: 'maybe' }),
  'a negative number': (m) => ({ ...m, fuel: -1 }),
  'no list of policies': (m) => ({ ...m, policies: {} }),
  'a policy out of its place': (m) => ({
    ...m,
    policies: (m['policies'] as Json[]).map((p) => ({ ...p, index: 1 })),
  }),
  'two policies of a name': (m) => ({
    ...m,
    policies: [0, 1].map((index) => ({ ...(m['policies'] as Json[])[0], index })),
  }),
  'routes that are not there': (m) => ({
    ...m,
    policies: (m['policies'] as Json[]).map((p) => ({ ...p, routes: 1 })),
  }),
  'a route of no policy': (m) => ({ ...m, routes: [{ kind: 'waypoint', policy: 1 }] }),
  'a name that is a path': (m) => ({
    ...m,
    policies: (m['policies'] as Json[]).map((p) => ({ ...p, name: '../x' })),
  }),
};
for (const [what, change] of Object.entries(MALFORMED)) {
  test(`a bundle manifest with ${what} is refused, though its digest is right`, () => {
    const manifest = JSON.parse(JSON.stringify(sampleBundle().manifest));
    assert.is(codeOf(withConfig(utf8(manifest))), 'ok');
    assert.is(codeOf(withConfig(utf8(change(manifest)))), 'B105');
  });
}

test('a bundle manifest that is no canonical JSON is refused', () => {
  const text = canonicalJson(sampleBundle().manifest);
  const bytes = (of: string): Uint8Array => new TextEncoder().encode(of);
  assert.is(codeOf(withConfig(bytes(` ${text}`))), 'B105');
  assert.is(codeOf(withConfig(bytes(text.slice(0, -1)))), 'B105');
  assert.is(codeOf(withConfig(Uint8Array.of(0xff, 0xfe))), 'B105');
  const deep = `{"schemaVersion":1,"abiVersion":2,"x":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
  assert.is(codeOf(withConfig(bytes(deep))), 'B105', 'deeply nested');
});

test('of a layout with several images one is chosen by tag or digest', () => {
  const image = encodeImage(sampleBundle());
  const layout = utf8({ imageLayoutVersion: '1.0.0' });
  const entry = {
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: image.digest,
    size: image.manifest.length,
    artifactType: 'application/vnd.weft.bundle.v1',
    annotations: { 'org.opencontainers.image.ref.name': 'one' },
  };
  const other = { ...entry, digest: digestOf(new Uint8Array()), annotations: {} };
  const signature = { ...other, artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json' };
  const choose = (manifests: unknown[], name: string | null): string => {
    const located = readLayout(layout, utf8({ schemaVersion: 2, manifests }), name);
    return located.ok
      ? (located.descriptors[0]?.digest ?? '')
      : (located.diagnostics[0]?.code ?? '');
  };
  assert.is(choose([entry], null), image.digest);
  assert.is(choose([entry, signature], null), image.digest, 'a signature is none');
  assert.is(choose([entry, other], null), 'B104', 'two, and no name');
  assert.is(choose([entry, other], 'one'), image.digest);
  assert.is(choose([entry, other], image.digest), image.digest);
  assert.is(choose([entry, other], 'two'), 'B104');
  assert.is(choose([], null), 'B104');
  const second = { ...entry, annotations: { 'org.opencontainers.image.ref.name': 'second' } };
  assert.is(choose([entry, second], null), image.digest, 'two tags of one bundle');
  assert.is(choose([entry, { ...second, digest: other.digest }], null), 'B104', 'two bundles');
  const helpOf = (manifests: unknown[], name: string): string | null | undefined => {
    const located = readLayout(layout, utf8({ schemaVersion: 2, manifests }), name);
    return located.ok ? null : located.diagnostics[0]?.help;
  };
  assert.is(helpOf([entry, second], 'two'), 'name one of its tags: `one`, `second`');
  assert.match(helpOf([other], 'two') ?? '', 'built by another version');
  assert.is(choose([{ ...entry, more: 1 }], null), 'B105');
  const old = readLayout(utf8({ imageLayoutVersion: '2' }), utf8({}), null);
  assert.is(old.ok ? 'ok' : old.diagnostics[0]?.code, 'B104');
});

test('the bill of materials names each source by its digest, and no time', () => {
  const { manifest } = sampleBundle();
  const sbom = JSON.parse(sbomOf(manifest));
  assert.is(sbom.specVersion, '1.6');
  assert.is(sbom.metadata.component.name, 'sample');
  const tools = sbom.metadata.tools.components.map((c: { name: string }) => c.name);
  assert.ok(tools.includes('assemblyscript') && tools.includes('weft'), tools.join(' '));
  const [source] = sbom.components;
  assert.is(source.name, 'policies/isolation.ts');
  const bytes = new TextEncoder().encode(manifest.sources['policies/isolation.ts'] ?? '');
  assert.is(`sha256:${source.hashes[0].content}`, digestOf(bytes));
  assert.is(sbomOf(manifest), sbomOf({ ...manifest }));
  assert.not.match(sbomOf(manifest), /timestamp|serialNumber/);
});

test.run();
