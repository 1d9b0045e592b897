import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_POLICIES } from '../../compiler/abi/index.js';
import { bundleDigest, decodeBundle, encodeBundle } from '../../compiler/bundle/index.js';
import { sampleBundle } from '../support/sample-bundle.js';

const test = suite('bundle-archive');

/** Odd, and prime to the 512-byte blocks of tar: every field is hit somewhere. */
const STEP = 97;

test('a decoded bundle is the encoded one', () => {
  const bundle = sampleBundle();
  const outcome = decodeBundle(encodeBundle(bundle));
  assert.ok(outcome.ok);
  if (!outcome.ok) return;
  assert.equal(outcome.bundle, bundle);
  assert.is(outcome.digest, bundleDigest(bundle));
  assert.match(outcome.digest, /^sha256:[0-9a-f]{64}$/);
});

test('equal bundles are equal bytes, whatever the order of keys', () => {
  const bundle = sampleBundle();
  const reversed = Object.fromEntries(Object.entries(bundle.manifest).reverse());
  const other = { ...bundle, manifest: { ...bundle.manifest, ...reversed } };
  assert.equal(encodeBundle(other), encodeBundle(sampleBundle()));
});

test('as many policies as a bundle may have are read, and no more', () => {
  const { manifest, ...rest } = sampleBundle();
  const [policy] = manifest.policies;
  if (policy === undefined) throw new Error('a sample has a policy');
  const codesOf = (count: number): readonly string[] => {
    const named = (index: number) => ({ ...policy, index, name: `p${index}` });
    const policies = Array.from({ length: count }, (_, index) => named(index));
    const outcome = decodeBundle(encodeBundle({ ...rest, manifest: { ...manifest, policies } }));
    return outcome.ok ? [] : outcome.diagnostics.map(({ code, message }) => `${code} ${message}`);
  };
  const told = codesOf(MAX_POLICIES).filter((text) => text.includes('items'));
  assert.equal(told, []);
  assert.match(codesOf(MAX_POLICIES + 1).join(), `must NOT have more than ${MAX_POLICIES} items`);
});

test('another manifest is another digest', () => {
  const bundle = sampleBundle();
  const other = { ...bundle, manifest: { ...bundle.manifest, fuel: 1 } };
  assert.is.not(bundleDigest(other), bundleDigest(bundle));
});

test('a view into a larger buffer decodes', () => {
  const archive = encodeBundle(sampleBundle());
  const larger = new Uint8Array(archive.length + 700).fill(0xaa);
  larger.set(archive, 300);
  assert.ok(decodeBundle(larger.subarray(300, 300 + archive.length)).ok);
});

test('an altered byte is refused, or lies where no content is', () => {
  const bundle = sampleBundle();
  const archive = encodeBundle(bundle);
  const codes = new Set<string>();
  for (let at = 0; at < archive.length; at += STEP) {
    const altered = archive.slice();
    altered[at] = (altered[at] ?? 0) ^ 0x11;
    const outcome = decodeBundle(altered);
    if (outcome.ok) assert.equal(outcome.bundle, bundle, `byte ${at}`);
    else for (const d of outcome.diagnostics) codes.add(d.code);
  }
  assert.ok(codes.has('B103'), [...codes].join(' '));
});

test('a cut archive is refused', () => {
  const archive = encodeBundle(sampleBundle());
  let end = archive.length;
  while (archive[end - 1] === 0) end -= 1;
  for (const length of [0, 1, 511, 512, 1024, 2000, end >> 1, end - 512, end - 1]) {
    const outcome = decodeBundle(archive.subarray(0, length));
    assert.not(outcome.ok, `${length} bytes`);
    if (!outcome.ok) assert.match(outcome.diagnostics[0]?.code ?? '', /^B10[1235]$/);
  }
});

test('what is no archive is refused', () => {
  const outcome = decodeBundle(new TextEncoder().encode('{"not": "a bundle"}'.repeat(100)));
  assert.not(outcome.ok);
  if (outcome.ok) return;
  const [first] = outcome.diagnostics;
  assert.equal([first?.code, first?.message], ['B101', 'the file is no tar archive']);
});

test('another schema version is refused as such', () => {
  const bundle = sampleBundle();
  const later = JSON.parse(JSON.stringify({ ...bundle.manifest, schemaVersion: 2 }));
  const outcome = decodeBundle(encodeBundle({ ...bundle, manifest: later }));
  assert.equal(outcome.ok ? [] : outcome.diagnostics.map((d) => d.code), ['B104']);
});

test('a bundle without the module of one of its policies is refused', () => {
  const outcome = decodeBundle(encodeBundle({ ...sampleBundle(), wasm: new Map() }));
  assert.equal(outcome.ok ? [] : outcome.diagnostics.map((d) => d.code), ['B102']);
});

test.run();
