/** Signatures and trust policies: what makes a bundle run, and each way in which it does not. */
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  generateKeys,
  isRefusedError,
  KEY_KINDS,
  type KeyKind,
  MAX_SIGNATURE_BYTES,
  readPrivateKey,
  readPublicKey,
  readSignature,
  readTrustFile,
  readTrustPolicy,
  type Statement,
  signaturesBeside,
  signStatement,
  TrustError,
  type TrustPolicy,
  type Verification,
  verifyBundle,
} from '../../runtime/trust/index.js';

const test = suite('trust');

const NOW = new Date('2026-01-02T03:04:05.000Z');
const DIGEST = `sha256:${'ab'.repeat(32)}`;
const [ALICE, BOB, MALLORY] = [
  generateKeys('ed25519', null),
  generateKeys('ecdsa-p256', null),
  generateKeys('ed25519', null),
];

function statement(parts: Partial<Statement> = {}): Statement {
  const times = { signedAt: NOW, notBefore: null, notAfter: null };
  return { name: 'shop', digest: DIGEST, version: 7, ...times, ...parts };
}
const sign = (keys: { privatePem: string }, parts: Partial<Statement> = {}): string =>
  signStatement(statement(parts), readPrivateKey(keys.privatePem, null));

/** A trust policy over alice and bob, as a document. */
function policyText(parts: Readonly<Record<string, unknown>> = {}): string {
  const keys = [
    { name: 'alice', key: ALICE.publicPem },
    { name: 'bob', key: BOB.publicPem },
  ];
  return JSON.stringify({ keys, ...parts });
}
function policyOf(parts: Readonly<Record<string, unknown>> = {}): TrustPolicy {
  const { policy, diagnostics } = readTrustPolicy(policyText(parts), 'trust.json', () => null);
  if (policy === null) throw new Error(diagnostics[0]?.message);
  return policy;
}
interface Asked {
  readonly policy?: Readonly<Record<string, unknown>>;
  readonly now?: Date;
  readonly floor?: number | null;
  readonly digest?: string;
  readonly name?: string;
}
function verify(signatures: readonly string[], asked: Asked = {}): Verification {
  const { policy = {}, now = NOW, floor = null, digest = DIGEST, name = 'shop' } = asked;
  return verifyBundle({ name, digest, signatures }, { policy: policyOf(policy), now, floor });
}
const codes = (v: Verification): string => v.diagnostics.map((d) => d.code).join(' ');

for (const kind of KEY_KINDS) {
  test(`a ${kind} key signs, and another key of its kind does not`, () => {
    const [own, other] = [generateKeys(kind, null), generateKeys(kind, null)];
    const text = sign(own);
    const signature = readSignature(text);
    assert.is(signature?.hint, own.id);
    assert.equal(signature?.statement, statement());
    assert.ok(signature?.isBy(readPublicKey(own.publicPem)));
    assert.not(signature?.isBy(readPublicKey(other.publicPem)));
  });
}

test('a signature is a sigstore bundle 0.3 over an in-toto statement in a DSSE envelope', () => {
  const bundle = JSON.parse(sign(ALICE));
  assert.is(bundle.mediaType, 'application/vnd.dev.sigstore.bundle.v0.3+json');
  assert.is(bundle.dsseEnvelope.payloadType, 'application/vnd.in-toto+json');
  const payload = JSON.parse(Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString());
  assert.is(payload._type, 'https://in-toto.io/Statement/v1');
  assert.equal(payload.subject, [{ name: 'shop', digest: { sha256: 'ab'.repeat(32) } }]);
  assert.is(payload.predicate.version, 7);
});

test('a signed bundle is accepted, with who signed it', () => {
  const verification = verify([sign(ALICE)]);
  assert.ok(verification.ok);
  if (!verification.ok) return;
  assert.is(verification.verified.version, 7);
  const { signers } = verification.verified;
  assert.equal(signers, [
    { name: 'alice', keyId: ALICE.id, version: 7, signedAt: NOW.toISOString() },
  ]);
});

const REFUSED: Readonly<Record<string, readonly [string, () => Verification]>> = {
  'nobody signed it': ['V101', () => verify([])],
  'the signature is none': ['V102', () => verify(['{}'])],
  'the signature is empty': ['V102', () => verify([''])],
  'the signature is of another digest': [
    'V103',
    () => verify([sign(ALICE)], { digest: `sha256:${'ac'.repeat(32)}` }),
  ],
  'the signature is of another name': ['V103', () => verify([sign(ALICE)], { name: 'other' })],
  'the key is not trusted': ['V104', () => verify([sign(MALLORY)])],
  'the signature has run out': [
    'V106',
    () => verify([sign(ALICE, { notAfter: new Date('2026-01-01T00:00:00Z') })]),
  ],
  'the signature does not count yet': [
    'V106',
    () => verify([sign(ALICE, { notBefore: new Date('2026-02-01T00:00:00Z') })]),
  ],
  'the key has run out': [
    'V106',
    () =>
      verify([sign(ALICE)], {
        policy: {
          keys: [{ name: 'alice', key: ALICE.publicPem, notAfter: '2026-01-01T00:00:00Z' }],
        },
      }),
  ],
  'the key does not count yet': [
    'V106',
    () =>
      verify([sign(ALICE)], {
        policy: { keys: [{ name: 'alice', key: ALICE.publicPem, notBefore: '2027-01-01' }] },
      }),
  ],
  'one of two signed': ['V107', () => verify([sign(ALICE)], { policy: { threshold: 2 } })],
  'one signed twice': [
    'V107',
    () => verify([sign(ALICE), sign(ALICE, { version: 8 })], { policy: { threshold: 2 } }),
  ],
  'one of two is not trusted': [
    'V104 V107',
    () => verify([sign(ALICE), sign(MALLORY)], { policy: { threshold: 2 } }),
  ],
  'a later version ran before': ['V108', () => verify([sign(ALICE)], { floor: 8 })],
  'the version is below the least': [
    'V108',
    () => verify([sign(ALICE)], { policy: { minimumVersion: 8 } }),
  ],
  'one of two vouches for an older version only': [
    'V108',
    () => verify([sign(ALICE, { version: 9 }), sign(BOB)], { policy: { threshold: 2 }, floor: 8 }),
  ],
  'its name is not meant for this node': [
    'V109',
    () => verify([sign(ALICE)], { policy: { bundles: ['x'] } }),
  ],
};
for (const [why, [code, ask]] of Object.entries(REFUSED)) {
  test(`refused: ${why}`, () => {
    const verification = ask();
    assert.not(verification.ok);
    assert.is(codes(verification), code);
    assert.ok(verification.diagnostics.every((d) => d.help !== null));
  });
}

test('the same version may run again, two signers meet a threshold, bad signatures beside good ones warn', () => {
  assert.ok(verify([sign(ALICE)], { floor: 7 }).ok);
  const both = [sign(ALICE), sign(BOB), sign(MALLORY), 'x'];
  const verification = verify(both, { policy: { threshold: 2, bundles: ['shop'] }, floor: 7 });
  assert.ok(verification.ok);
  assert.is(codes(verification), 'V104 V102');
  assert.ok(verification.diagnostics.every((d) => d.severity === 'warning'));
});

test('whatever byte of a signature is changed, it counts no more, or says the same', () => {
  const text = sign(ALICE);
  const seen = new Set<string>();
  for (let at = 0; at < text.length; at += 1) {
    const altered = `${text.slice(0, at)}${String.fromCharCode(text.charCodeAt(at) ^ 1)}${text.slice(at + 1)}`;
    const verification = verify([altered]);
    if (!verification.ok) seen.add(codes(verification));
    else assert.equal(readSignature(altered)?.statement, statement(), `byte ${at}`);
  }
  assert.ok(
    ['V102', 'V104', 'V105'].every((code) => seen.has(code)),
    [...seen].join(' '),
  );
});

test('a statement of another kind, or with odd times or versions, is no signature', () => {
  const envelope = JSON.parse(sign(ALICE));
  const payload = JSON.parse(Buffer.from(envelope.dsseEnvelope.payload, 'base64').toString());
  const told = (change: object): unknown => {
    const bytes = Buffer.from(JSON.stringify({ ...payload, ...change })).toString('base64');
    return readSignature(
      JSON.stringify({ ...envelope, dsseEnvelope: { ...envelope.dsseEnvelope, payload: bytes } }),
    );
  };
  assert.ok(told({}));
  for (const change of [
    { _type: 'https://in-toto.io/Statement/v0.1' },
    { predicateType: 'https://slsa.dev/provenance/v1' },
    { subject: [] },
    { subject: [...payload.subject, ...payload.subject] },
    { subject: [{ name: 'shop', digest: { sha512: 'ab' } }] },
    { predicate: { ...payload.predicate, version: -1 } },
    { predicate: { ...payload.predicate, version: 1e300 } },
    { predicate: { ...payload.predicate, version: '7' } },
    { predicate: { ...payload.predicate, notAfter: 'soon' } },
    { predicate: { version: 7 } },
  ]) {
    assert.is(told(change), null, JSON.stringify(change));
  }
  assert.is(readSignature(' '.repeat(MAX_SIGNATURE_BYTES + 1)), null);
});

function keyFault(run: () => unknown): string {
  try {
    run();
    return 'none';
  } catch (error) {
    return error instanceof TrustError ? error.code : 'other';
  }
}

test('keys of other kinds, private ones where public ones belong, and no keys are refused', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  assert.is(
    keyFault(() => readPublicKey(pem)),
    'V111',
  );
  assert.is(
    keyFault(() => readPublicKey(ALICE.privatePem)),
    'V111',
  );
  assert.is(
    keyFault(() => readPublicKey('key')),
    'V111',
  );
  assert.is(
    keyFault(() => readPrivateKey('key', null)),
    'V111',
  );
  const secp = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
  const odd = secp.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  assert.is(
    keyFault(() => readPrivateKey(odd, null)),
    'V111',
  );
});

test('a private key is encrypted by its passphrase', () => {
  const keys = generateKeys('ed25519' satisfies KeyKind, 'secret');
  assert.match(keys.privatePem, 'ENCRYPTED');
  assert.ok(createPrivateKey({ key: keys.privatePem, passphrase: 'secret' }));
  assert.is(
    keyFault(() => readPrivateKey(keys.privatePem, null)),
    'V115',
  );
  assert.is(
    keyFault(() => readPrivateKey(keys.privatePem, 'other')),
    'V115',
  );
  assert.is(readPrivateKey(keys.privatePem, 'secret').type, 'private');
  // One that is damaged is no key, whatever the passphrase.
  const cut = keys.privatePem.replace(/\n.{20}/, '\n');
  for (const passphrase of [null, 'secret']) {
    assert.is(
      keyFault(() => readPrivateKey(cut, passphrase)),
      'V111',
    );
  }
});

const FAULTY: Readonly<Record<string, readonly [string, Readonly<Record<string, unknown>>]>> = {
  'no keys': ['W013', { keys: [] }],
  'an unknown key': ['W010', { treshold: 1 }],
  'a threshold that is never met': ['V112', { threshold: 3 }],
  'a threshold of none': ['W013', { threshold: 0 }],
  'a key twice': [
    'V112',
    {
      keys: [
        { name: 'a', key: ALICE.publicPem },
        { name: 'b', key: ALICE.publicPem },
      ],
    },
  ],
  'a name twice': [
    'V112',
    {
      keys: [
        { name: 'a', key: ALICE.publicPem },
        { name: 'a', key: BOB.publicPem },
      ],
    },
  ],
  'a key that is none': ['V111', { keys: [{ name: 'a', key: 'x' }] }],
  'a key file that is not there': ['V111', { keys: [{ name: 'a', file: 'a.pub' }] }],
  'a key and a file': ['V112', { keys: [{ name: 'a', key: ALICE.publicPem, file: 'a.pub' }] }],
  'neither key nor file': ['V112', { keys: [{ name: 'a' }] }],
  'a time of no calendar': [
    'V112',
    { keys: [{ name: 'a', key: ALICE.publicPem, notBefore: '2027-02-30' }] },
  ],
  'a key that ends before it begins': [
    'V112',
    {
      keys: [{ name: 'a', key: ALICE.publicPem, notBefore: '2027-02-01', notAfter: '2027-01-31' }],
    },
  ],
  'a time that is none': [
    'V112',
    { keys: [{ name: 'a', key: ALICE.publicPem, notAfter: 'tomorrow' }] },
  ],
};
for (const [what, [code, parts]] of Object.entries(FAULTY)) {
  test(`a trust policy with ${what} is refused at its place`, () => {
    const { policy, diagnostics } = readTrustPolicy(policyText(parts), 'trust.json', () => null);
    assert.is(policy, null);
    const found = diagnostics.find((d) => d.code === code);
    assert.ok(found, diagnostics.map((d) => d.code).join(' '));
    assert.is(found?.file, 'trust.json');
  });
}

test('a trust policy file names key files beside it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-trust-'));
  const path = join(folder, 'trust.json');
  try {
    writeFileSync(join(folder, 'alice.pub'), ALICE.publicPem);
    writeFileSync(path, JSON.stringify({ keys: [{ name: 'alice', file: 'alice.pub' }] }));
    assert.is(readTrustFile(path, 'trust.json').keys[0]?.id, ALICE.id);
    writeFileSync(join(folder, 'alice.pub'), 'x'.repeat(20_000));
    assert.throws(() => readTrustFile(path, 'trust.json'), isRefusedError);
    assert.is(
      keyFault(() => readTrustFile(join(folder, 'none.json'), 'none.json')),
      'V113',
    );
    const bundle = join(folder, 'shop.weft');
    assert.equal(signaturesBeside(bundle), []);
    writeFileSync(`${bundle}.sigstore.jsonl`, 'a\n\nb\n');
    assert.equal(signaturesBeside(bundle), ['a', 'b']);
    writeFileSync(`${bundle}.sigstore.jsonl`, Buffer.alloc(65 * MAX_SIGNATURE_BYTES));
    assert.is(
      keyFault(() => signaturesBeside(bundle)),
      'V114',
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test.run();
