/** Where bundles lie: references, credentials for them, and image layouts. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeImage } from '../../compiler/bundle/index.js';
import { credentialsIn } from '../../runtime/registry/credentials.js';
import {
  addLayoutSignatures,
  parsePlace,
  RegistryError,
  readLayoutImage,
  readLayoutSignatures,
  referenceText,
  writeLayoutImage,
} from '../../runtime/registry/index.js';
import { refusal } from '../support/registry-refusal.js';
import { sampleBundle } from '../support/sample-bundle.js';

const test = suite('registry places');

const IMAGE = encodeImage(sampleBundle());
const SUBJECT = { digest: IMAGE.digest, size: IMAGE.manifest.length };
const secret = (text: string): string => Buffer.from(text).toString('base64');

let home = '';
test.before.each(() => {
  home = mkdtempSync(join(tmpdir(), 'weft-layout-'));
});
test.after.each(() => rmSync(home, { recursive: true, force: true }));

test('places: files, layouts, archives, registries', () => {
  const digest = `sha256:${'0'.repeat(64)}`;
  const rows: [string, unknown][] = [
    ['shop.weft', { kind: 'file', path: 'shop.weft', name: null }],
    ['dir/shop.weft', { kind: 'file', path: 'dir/shop.weft', name: null }],
    ['./a.b/shop', { kind: 'file', path: './a.b/shop', name: null }],
    ['/a.b/shop', { kind: 'file', path: '/a.b/shop', name: null }],
    ['oci:dir', { kind: 'layout', path: 'dir', name: null }],
    ['oci:dir:v1', { kind: 'layout', path: 'dir', name: 'v1' }],
    ['oci-archive:f.tar:v1', { kind: 'file', path: 'f.tar', name: 'v1' }],
    [
      'localhost/shop',
      {
        kind: 'registry',
        reference: { host: 'localhost', repository: 'shop', tag: 'latest', digest: null },
      },
    ],
    [
      'r.io:5000/a/b:2',
      {
        kind: 'registry',
        reference: { host: 'r.io:5000', repository: 'a/b', tag: '2', digest: null },
      },
    ],
    [
      `r.io/a@${digest}`,
      { kind: 'registry', reference: { host: 'r.io', repository: 'a', tag: null, digest } },
    ],
  ];
  for (const [text, place] of rows) assert.equal(parsePlace(text), place, text);
  assert.is(
    referenceText({ host: 'r.io', repository: 'a', tag: '1', digest }),
    `r.io/a:1@${digest}`,
  );
});

for (const text of [
  'r.io/A',
  'r.io/a:',
  'r.io/a@sha256:00',
  'r.io/a//b',
  'r.io:x/a',
  'r.io/',
  `r.io/${'a'.repeat(256)}`,
  'oci:',
  'r.io/a@b@c',
  'a.b$/c',
]) {
  test(`no reference: ${text.slice(0, 20)}`, async () => {
    assert.is(await refusal(() => parsePlace(text)), 'O101');
  });
}

test("docker's configuration: helpers and damage are told, other hosts are not meant", async () => {
  const read = (config: unknown, host = 'r.io') => credentialsIn(JSON.stringify(config), host, 'c');
  assert.is(read({}), null);
  assert.is(read({ auths: { 'other.io': { auth: secret('a:b') } } }), null);
  assert.equal(read({ auths: { 'https://r.io/v2/': { auth: secret('a:b') } } }), {
    user: 'a',
    password: 'b',
    identityToken: null,
  });
  assert.equal(read({ auths: { 'r.io': { username: 'a', password: 'b' } } }), {
    user: 'a',
    password: 'b',
    identityToken: null,
  });
  assert.is(read({ credsStore: 'desktop' }), null, 'nobody is logged in there');
  for (const config of [
    { auths: { 'r.io': { auth: 'bm9jb2xvbg==' } } },
    { auths: { 'r.io': {} }, credsStore: 'desktop' },
    { auths: { 'r.io': {} }, credHelpers: { 'r.io': 'ecr' } },
  ]) {
    assert.is(await refusal(() => read(config)), 'O109', JSON.stringify(config));
  }
  const damaged = (): unknown => credentialsIn('no json', 'r.io', 'c');
  assert.is(await refusal(damaged), 'O109');
});

test('an image layout keeps bundles by tag, and their signatures', async () => {
  const folder = join(home, 'layout');
  writeLayoutImage(folder, 'v1', IMAGE);
  addLayoutSignatures(folder, SUBJECT, ['{"a":1}']);
  addLayoutSignatures(folder, SUBJECT, ['{"a":1}', '{"b":2}']);
  assert.is(readLayoutImage(folder, null).digest, IMAGE.digest);
  const bundle = sampleBundle();
  const other = encodeImage({ ...bundle, manifest: { ...bundle.manifest, fuel: 1 } });
  writeLayoutImage(folder, 'v2', other);
  assert.is(await refusal(() => readLayoutImage(folder, null)), 'B104');
  assert.is(readLayoutImage(folder, 'v2').digest, other.digest);
  assert.is(readLayoutImage(folder, IMAGE.digest).digest, IMAGE.digest);
  assert.equal(readLayoutSignatures(folder, IMAGE.digest), ['{"a":1}', '{"b":2}']);
  assert.equal(readLayoutSignatures(folder, other.digest), []);
  writeFileSync(join(folder, 'index.json'), '{}');
  assert.is(await refusal(() => writeLayoutImage(folder, null, other)), 'O110');
  assert.is(await refusal(() => readLayoutImage(join(home, 'none'), null)), 'O110');
  assert.is(new RegistryError('O110', 'x').help?.includes('index.json'), true);
});

test('one bundle has several tags in a layout, and each stays until another bundle takes it', async () => {
  const folder = join(home, 'tags');
  const bundle = sampleBundle();
  const other = encodeImage({ ...bundle, manifest: { ...bundle.manifest, fuel: 1 } });
  const digestAt = (name: string | null): string => readLayoutImage(folder, name).digest;
  for (const name of [null, 'v1', 'v2', 'v2', null]) writeLayoutImage(folder, name, IMAGE);
  assert.is(digestAt('v1'), IMAGE.digest, 'the earlier tag');
  assert.is(digestAt('v2'), IMAGE.digest);
  assert.is(digestAt(null), IMAGE.digest, 'two tags of one bundle are one bundle');
  writeLayoutImage(folder, 'v1', other);
  assert.is(digestAt('v1'), other.digest, 'a tag that another bundle took');
  assert.is(digestAt('v2'), IMAGE.digest);
  const { manifests } = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8'));
  assert.is(manifests.length, 2, 'no entry twice, and none without a tag beside one with it');
  assert.is(await refusal(() => digestAt('v3')), 'B104');
});

/** Everything in a folder: each file with what it holds. */
function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort()
    .map((path) => `${path} ${readFileSync(path, 'latin1')}`);
}

test('a layout of another version is refused and stays as it was; a spaced one is known', async () => {
  const folder = join(home, 'versions');
  const bundle = sampleBundle();
  const other = encodeImage({ ...bundle, manifest: { ...bundle.manifest, fuel: 1 } });
  writeLayoutImage(folder, 'v1', IMAGE);
  for (const [text, code] of [
    ['{"imageLayoutVersion":"2.0.0"}', 'B104'],
    ['{}', 'B104'],
    ['no json', 'B105'],
  ] as const) {
    writeFileSync(join(folder, 'oci-layout'), text);
    const before = filesIn(folder);
    assert.is(await refusal(() => writeLayoutImage(folder, 'v2', other)), code, text);
    assert.is(await refusal(() => addLayoutSignatures(folder, SUBJECT, ['{"a":1}'])), code, text);
    assert.equal(filesIn(folder), before, text);
  }
  writeFileSync(join(folder, 'oci-layout'), '{ "imageLayoutVersion": "1.0.0" }\n');
  writeLayoutImage(folder, 'v2', other);
  assert.is(readLayoutImage(folder, 'v2').digest, other.digest);
  writeFileSync(join(folder, 'index.json'), '{}');
  const before = filesIn(folder);
  assert.is(await refusal(() => writeLayoutImage(folder, 'v1', IMAGE)), 'O110');
  assert.equal(filesIn(folder), before, 'an index that is none');
});

test.run();
