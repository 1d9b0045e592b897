/**
 * Bundles signed, pushed, pulled and verified by the command line, through Debian's docker-registry;
 * skopeo reads back what was stored, and what skopeo stores is read.
 */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeBundle, encodeImage } from '../../compiler/bundle/index.js';
import { DebianRegistry } from '../support/debian-registry.js';
import { sampleBundle } from '../support/sample-bundle.js';
import { type Transcript, weft } from './harness.js';

const test = suite('cli registry');

let registry: DebianRegistry;
let cwd = '';
let ref = '';
let count = 0;
const { digest } = encodeImage(sampleBundle());
const run = (...args: string[]): Promise<Transcript> => weft(args, { cwd, env: { HOME: cwd } });
const json = (text: string): Record<string, unknown> => JSON.parse(text);
const skopeo = (...args: string[]): string =>
  execFileSync('skopeo', ['--insecure-policy', ...args], { cwd, encoding: 'utf8' });

async function ok(...args: string[]): Promise<Transcript> {
  const transcript = await run(...args);
  assert.is(transcript.exit, 0, transcript.stderr);
  return transcript;
}

test.before(async () => {
  registry = await DebianRegistry.start();
});
test.after(() => registry.stop());
test.before.each(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'weft-cli-registry-'));
  count += 1;
  ref = `${registry.host}/team/sample${count}:1`;
  writeFileSync(join(cwd, 'a.weft'), encodeBundle(sampleBundle()));
  await ok('keygen', '--out', 'alice');
  await ok('keygen', '--out', 'bob', '--kind', 'ecdsa-p256');
  const keys = ['alice', 'bob'].map((name) => ({ name, file: `${name}.pub` }));
  writeFileSync(join(cwd, 'trust.json'), JSON.stringify({ keys, threshold: 2 }));
});
test.after.each(() => rmSync(cwd, { recursive: true, force: true }));

test('a bundle goes through the registry with its signatures, the same to the byte', async () => {
  await ok('sign', 'a.weft', '--key', 'alice.key', '--as-version', '7');
  const pushed = await ok('push', 'a.weft', ref, '--plain-http');
  assert.is(pushed.stdout, `pushed ${ref} ${digest} (6 blobs sent, 0 there, 1 signature)\n`);
  const again = json((await ok('push', 'a.weft', ref, '--plain-http', '-o', 'json')).stdout);
  assert.equal([again['sent'], again['there'], again['bundle']], [0, 6, digest]);
  await ok('sign', ref, '--key', 'bob.key', '--as-version', '7', '--plain-http');
  const pulled = await ok('pull', ref, '--out', 'b.weft', '--plain-http');
  assert.is(pulled.stdout, `pulled b.weft ${digest} (2 signatures)\n`);
  assert.equal(readFileSync(join(cwd, 'b.weft')), readFileSync(join(cwd, 'a.weft')));
  const verified = await ok('verify', ref, '--trust', 'trust.json', '--plain-http');
  assert.match(verified.stdout, `verified ${digest} sample version 7\n  alice  `);
  await ok('verify', 'b.weft', '--trust', 'trust.json');
  const inspected = json((await ok('inspect', ref, '--plain-http', '-o', 'json')).stdout);
  assert.is(inspected['bundle'], digest);
});

test('skopeo reads what was pushed, and copies it into layouts that are read', async () => {
  await ok('sign', 'a.weft', '--key', 'alice.key');
  await ok('push', 'a.weft', ref, '--plain-http');
  const raw = JSON.parse(skopeo('inspect', '--raw', '--tls-verify=false', `docker://${ref}`));
  assert.is(raw.artifactType, 'application/vnd.weft.bundle.v1');
  skopeo('copy', '-q', '--src-tls-verify=false', `docker://${ref}`, 'oci:layout:one');
  skopeo('copy', '-q', '--src-tls-verify=false', `docker://${ref}`, 'oci-archive:archive.tar:one');
  for (const place of [
    'oci:layout',
    'oci:layout:one',
    'oci-archive:archive.tar',
    'oci-archive:archive.tar:one',
    'archive.tar',
  ]) {
    assert.match((await ok('inspect', place)).stdout, digest, place);
  }
  const wrong = await run('inspect', 'oci:layout:two');
  assert.is(wrong.exit, 6);
  assert.match(wrong.stderr, 'error[B104]');
});

test('what is pushed into a layout is read by skopeo, with its signatures kept', async () => {
  await ok('sign', 'a.weft', '--key', 'alice.key');
  await ok('push', 'a.weft', 'oci:mine:v1');
  skopeo('copy', '-q', '--dest-tls-verify=false', 'oci:mine:v1', `docker://${ref}`);
  assert.match((await ok('inspect', ref, '--plain-http')).stdout, digest);
  await ok('verify', 'oci:mine:v1', '--key', 'alice.pub');
  await ok('sign', 'oci:mine', '--key', 'bob.key');
  await ok('verify', 'oci:mine', '--trust', 'trust.json');
  await ok('pull', 'oci:mine', '--out', 'oci-archive:c.tar');
  await ok('verify', 'oci-archive:c.tar', '--trust', 'trust.json');
  await ok('push', 'oci:mine', 'oci-archive:named.tar:one');
  await ok('verify', 'oci-archive:named.tar:one', '--trust', 'trust.json');
  await ok('verify', 'oci-archive:named.tar', '--trust', 'trust.json');
  assert.is((await run('inspect', 'oci-archive:named.tar:two')).exit, 6);
  skopeo('inspect', '--raw', 'oci-archive:named.tar:one');
});

test('a layout of another version is told, and stays as it was', async () => {
  await ok('push', 'a.weft', 'oci:later:v1');
  const version = join(cwd, 'later', 'oci-layout');
  writeFileSync(version, '{"imageLayoutVersion":"2.0.0"}');
  const refused = await run('push', 'a.weft', 'oci:later:v2');
  assert.is(refused.exit, 6);
  assert.match(refused.stderr, 'error[B104]');
  assert.match(refused.stderr, 'oci:later');
  assert.is(readFileSync(version, 'utf8'), '{"imageLayoutVersion":"2.0.0"}');
});

test('who has not signed is told, with exit 6', async () => {
  const none = await run('verify', 'a.weft', '--key', 'alice.pub');
  assert.is(none.exit, 6);
  assert.match(none.stderr, 'error[V101]');
  await ok('sign', 'a.weft', '--key', 'alice.key', '--not-after', '2026-01-02T03:04:06Z');
  const few = await run('verify', 'a.weft', '--trust', 'trust.json', '-o', 'json');
  assert.is(few.exit, 6);
  assert.is(json(few.stdout)['verified'], false);
  const other = await run('verify', 'a.weft', '--key', 'bob.pub');
  assert.match(other.stderr, 'error[V104]');
  assert.is((await run('verify', 'a.weft')).exit, 64);
});

test('a bundle that replaces another does not inherit its signatures', async () => {
  await ok('sign', 'a.weft', '--key', 'alice.key');
  const bundle = sampleBundle();
  const other = { ...bundle, manifest: { ...bundle.manifest, fuel: 7 } };
  writeFileSync(join(cwd, 'other.weft'), encodeBundle(other));
  await ok('push', 'other.weft', ref, '--plain-http');
  await ok('pull', ref, '--out', 'a.weft', '--plain-http');
  assert.not(existsSync(join(cwd, 'a.weft.sigstore.jsonl')));
  assert.match((await run('verify', 'a.weft', '--key', 'alice.pub')).stderr, 'error[V101]');
});

test('a pull that fails leaves the file as it was, and nothing else', async () => {
  const before = readFileSync(join(cwd, 'a.weft'));
  const files = readdirSync(cwd);
  const none = await run('pull', `${registry.host}/no/such:1`, '--out', 'a.weft', '--plain-http');
  assert.is(none.exit, 1);
  assert.match(
    none.stderr,
    /error\[O104\]: `127\.0\.0\.1:\d+\/no\/such:1` does not exist\n = help: /,
  );
  const tls = await run('pull', ref, '--out', 'a.weft');
  assert.match(tls.stderr, 'error[O102]');
  const far = await run(
    'pull',
    'registry.invalid/a:1',
    '--out',
    'a.weft',
    '--plain-http',
    '-o',
    'json',
  );
  assert.is((json(far.stdout)['diagnostics'] as { code: string }[])[0]?.code, 'O108');
  const odd = await run('pull', 'registry.invalid/A', '--out', 'a.weft');
  assert.match(odd.stderr, 'error[O101]');
  assert.equal(readFileSync(join(cwd, 'a.weft')), before);
  assert.equal(readdirSync(cwd), files);
});

test('keys are private, and never overwritten', async () => {
  assert.is(statSync(join(cwd, 'alice.key')).mode & 0o777, 0o600);
  const own = readFileSync(join(cwd, 'alice.key'));
  const again = await run('keygen', '--out', 'alice');
  assert.is(again.exit, 1);
  assert.match(again.stderr, 'error[U012]: `alice.key` exists already');
  assert.match(again.stderr, 'help: no key is overwritten: choose another `--out`');
  assert.equal(readFileSync(join(cwd, 'alice.key')), own);
  // One half alone is not left behind.
  writeFileSync(join(cwd, 'dora.pub'), '');
  assert.match((await run('keygen', '--out', 'dora')).stderr, '`dora.pub` exists already');
  assert.not(existsSync(join(cwd, 'dora.key')));
  assert.match((await run('keygen', '--out', 'none/erin')).stderr, 'error[U011]');
  for (const name of ['', './', 'keys/..']) {
    const nameless = await run('keygen', '--out', name);
    assert.is(nameless.exit, 64, name);
    assert.match(nameless.stderr, 'error[U004]');
  }
  await ok('keygen', '--out', './.e');
});

test('an empty passphrase makes no key', async () => {
  const empty = { cwd, env: { HOME: cwd, WEFT_KEY_PASSPHRASE: '' } };
  const { exit, stderr } = await weft(['keygen', '--out', 'frank'], empty);
  assert.is(exit, 64);
  assert.match(stderr, 'error[U004]: WEFT_KEY_PASSPHRASE is empty');
  assert.not(existsSync(join(cwd, 'frank.key')));
});

test('an encrypted key that is not opened is told as such', async () => {
  const secret = { cwd, env: { HOME: cwd, WEFT_KEY_PASSPHRASE: 'secret' } };
  assert.is((await weft(['keygen', '--out', 'carol'], secret)).exit, 0);
  const carol = ['sign', 'a.weft', '--key', 'carol.key'];
  const none = await run(...carol);
  assert.is(none.exit, 1);
  assert.match(none.stderr, 'error[V115]: the key is encrypted, and no passphrase is given');
  assert.match(none.stderr, 'help: set WEFT_KEY_PASSPHRASE');
  const other = await weft(carol, { cwd, env: { HOME: cwd, WEFT_KEY_PASSPHRASE: 'other' } });
  assert.is(other.exit, 1);
  assert.match(other.stderr, 'error[V115]: the key is encrypted, and the passphrase is wrong');
  assert.is((await weft(carol, secret)).exit, 0);
  assert.match((await weft(['sign', 'a.weft', '--key', 'a.weft'], secret)).stderr, 'error[V111]');
});

test('what is asked wrongly is refused before anything is done', async () => {
  for (const [flag, value] of [
    ['--as-version', '1.5'],
    ['--as-version', 'x'],
    ['--not-after', 'tomorrow'],
    ['--not-after', '2026-04-31T00:00:00+02:00'],
    ['--not-before', '2027-02-30'],
  ] as const) {
    const refused = await run('sign', 'a.weft', '--key', 'alice.key', flag, value);
    assert.is(refused.exit, 64, flag);
    assert.match(refused.stderr, 'error[U004]');
  }
  const between = (from: string, until: string): Promise<Transcript> =>
    run('sign', 'a.weft', '--key', 'alice.key', '--not-before', from, '--not-after', until);
  const never = await between('2027-02-02', '2027-02-01');
  assert.is(never.exit, 64);
  assert.match(never.stderr, 'error[U003]: `--not-before` is later than `--not-after`');
  assert.match(never.stderr, 'help: ');
  const sidecar = join(cwd, 'a.weft.sigstore.jsonl');
  assert.not(existsSync(sidecar));
  // A leap day and an instant are times.
  assert.is((await between('2028-02-29', '2028-02-29T00:00:00Z')).exit, 0);
  rmSync(sidecar);
  await ok('init', 'shop');
  await ok('push', 'shop/weft.json', 'oci:project');
  const project = await run('sign', 'shop', '--key', 'alice.key');
  assert.match(project.stderr, 'error[U013]');
  writeFileSync(join(cwd, 'large.key'), Buffer.alloc(9_000_000));
  assert.match((await run('sign', 'a.weft', '--key', 'large.key')).stderr, 'error[U020]');
  assert.not(existsSync(join(cwd, 'a.weft.sigstore.jsonl')));
});

test.run();
