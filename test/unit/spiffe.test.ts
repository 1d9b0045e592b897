/** Identities: what a name is, what a certificate says, and which files make a pair. */
import { X509Certificate } from 'node:crypto';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { authorityDomain } from '../../runtime/spiffe/authority.js';
import {
  certificateId,
  outOfTime,
  parseSpiffeId,
  printSpiffeId,
  readKeyPair,
  watchKeys,
} from '../../runtime/spiffe/index.js';
import { DOMAIN, testAuthority } from '../support/authority.js';

const test = suite('spiffe');
const folder = mkdtempSync(join(tmpdir(), 'weft-spiffe-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof Error && 'code' in error) return String(error.code);
    throw error;
  }
  return 'nothing thrown';
}

test('names of the mesh are read, others are none', () => {
  const good = 'spiffe://example.org/node/node-1.eu_a';
  const id = parseSpiffeId(good);
  assert.equal(id, { trustDomain: 'example.org', kind: 'node', name: 'node-1.eu_a' });
  assert.is(id === null ? '' : printSpiffeId(id), good);
  for (const bad of [
    'spiffe://example.org/node',
    'spiffe://example.org/node/',
    'spiffe://example.org/node/a/b',
    'spiffe://example.org/root/a',
    'spiffe://Example.org/node/a',
    'spiffe:///node/a',
    'spiffe://example.org/node/..',
    'spiffe://example.org/node/a%2fb',
    'spiffe://example.org/node/a?b',
    'https://example.org/node/a',
    ` ${good}`,
    `spiffe://example.org/node/${'a'.repeat(254)}`,
  ]) {
    assert.is(parseSpiffeId(bad), null, bad);
  }
});

test('an issued certificate names its holder, and is of the authority', async () => {
  const authority = await testAuthority(folder);
  assert.is(authorityDomain(authority.root.cert), DOMAIN);
  const pair = readKeyPair(await authority.issue('node', 'one'));
  assert.equal(pair.id, { trustDomain: DOMAIN, kind: 'node', name: 'one' });
  const certificate = new X509Certificate(pair.cert);
  const root = new X509Certificate(authority.root.cert);
  assert.ok(certificate.verify(root.publicKey));
  assert.not.ok(certificate.ca);
  assert.is(certificateId(root), null, 'the authority itself is nobody');
});

test('a certificate with two identities names nobody', () => {
  const names = (text: string): X509Certificate => ({ subjectAltName: text }) as X509Certificate;
  const one = 'URI:spiffe://example.org/node/a';
  assert.ok(certificateId(names(`DNS:a.example, ${one}`)) !== null);
  assert.is(certificateId(names(`${one}, URI:spiffe://example.org/operator/b`)), null);
  // A host's name that holds what looks like an identity: Node writes it in quotes.
  assert.is(certificateId(names(`DNS:"x, ${one}"`)), null);
});

test('files that are no pair are refused by code', async () => {
  const authority = await testAuthority(folder);
  const a = await authority.issue('node', 'a');
  const b = await authority.issue('node', 'b');
  assert.is(
    codeOf(() => readKeyPair({ ...a, key: b.key })),
    'C003',
  );
  assert.is(
    codeOf(() => readKeyPair({ ...a, key: join(folder, 'none') })),
    'C001',
  );
  assert.is(
    codeOf(() => readKeyPair({ ...a, cert: a.key })),
    'C001',
  );
  assert.is(
    codeOf(() => authorityDomain(readKeyPair(a).cert.toString())),
    'C002',
  );
});

test('a certificate holds in its time alone', async () => {
  const authority = await testAuthority(folder);
  const now = Date.now();
  const pair = readKeyPair(await authority.issue('node', 'timed', { now, lifetimeMs: 60_000 }));
  assert.is(outOfTime(pair, now), null);
  assert.match(outOfTime(pair, now + 61_000) ?? '', /^the certificate of spiffe:.*held until/);
  assert.match(outOfTime(pair, now - 600_000) ?? '', /holds from/);
});

test('a renewed pair is taken when it is whole', async () => {
  const authority = await testAuthority(folder);
  const paths = await authority.issue('control', 'watched');
  const faults: string[] = [];
  const keys = watchKeys(paths, { onFault: (e) => faults.push(String(e)), lookMs: 5 });
  const before = keys.current;
  const changed = new Promise((resolve) => keys.onChange(resolve));
  const { key, cert } = await authority.issue('control', 'next');
  // The key first: for a moment the files are no pair.
  copyFileSync(key, paths.key);
  while (faults.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.is(keys.current, before);
  copyFileSync(cert, paths.cert);
  // The watch alone keeps no program alive.
  const alive = setInterval(() => {}, 1000);
  await changed;
  clearInterval(alive);
  assert.is(keys.current.id.name, 'next');
  writeFileSync(paths.cert, 'no certificate');
  while (faults.length === 1) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.is(keys.current.id.name, 'next');
  keys.close();
});

test.run();
