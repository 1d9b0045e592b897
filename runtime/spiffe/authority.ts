/**
 * A small certificate authority for those who have none: one root of a trust domain, and certificates
 * that name a node, a control plane or an operator. ECDSA on P-256, which every TLS library takes.
 */
// Before the library: its containers are made with it.
import 'reflect-metadata';

import { webcrypto } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type JsonGeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { IdentityError } from './identity-error.js';
import { printSpiffeId, type SpiffeId } from './spiffe-id.js';

const SIGNING = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** A machine's clock may be behind that of the authority by this much, in milliseconds. */
export const CLOCK_SLACK_MS: number = 5 * 60_000;

export interface PemPair {
  readonly cert: string;
  readonly key: string;
}

export interface Validity {
  readonly now: number;
  readonly lifetimeMs: number;
}

async function newKeys(): Promise<{ keys: webcrypto.CryptoKeyPair; pem: string }> {
  const keys = await webcrypto.subtle.generateKey(SIGNING, true, ['sign', 'verify']);
  const der = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return { keys, pem: `${PemConverter.encode(der, PemConverter.PrivateKeyTag)}\n` };
}

/** 128 random bits, never negative (RFC 5280, section 4.1.2.2: positive, at most 20 octets). */
function serialNumber(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  return `4${Buffer.from(bytes).toString('hex').slice(1)}`;
}

/** From a little before now; never outside of what the issuer holds for. */
function times(
  { now, lifetimeMs }: Validity,
  issuer: X509Certificate | null,
): { notBefore: Date; notAfter: Date } {
  const from = issuer?.notBefore.getTime() ?? 0;
  const until = issuer?.notAfter.getTime() ?? Number.POSITIVE_INFINITY;
  return {
    notBefore: new Date(Math.max(now - CLOCK_SLACK_MS, from)),
    notAfter: new Date(Math.min(now + lifetimeMs, until)),
  };
}

/** The root of a trust domain: what every side gets as `ca.pem`, and the key that issues. */
export async function createAuthority(trustDomain: string, validity: Validity): Promise<PemPair> {
  cryptoProvider.set(webcrypto);
  const { keys, pem } = await newKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: `CN=${trustDomain}, O=Weft`,
    ...times(validity, null),
    keys,
    signingAlgorithm: SIGNING,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      new SubjectAlternativeNameExtension([{ type: 'url', value: `spiffe://${trustDomain}` }]),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert: `${certificate.toString('pem')}\n`, key: pem };
}

/** The domain that an authority's certificate is of. Throws C002 where it is of none. */
export function authorityDomain(cert: string): string {
  const names = new X509Certificate(cert).getExtension(SubjectAlternativeNameExtension)?.names;
  const uri = names?.items.find((name) => name.type === 'url')?.value ?? '';
  const domain = /^spiffe:\/\/([a-z0-9._-]{1,255})$/.exec(uri)?.[1];
  if (domain === undefined) {
    throw new IdentityError('C002', 'the authority is of no trust domain');
  }
  return domain;
}

/** Hosts that a server's certificate names besides, for clients that look at those. */
function hostNames(hosts: readonly string[]): JsonGeneralName[] {
  return hosts.map((host) => ({
    type: /^[\d.]+$|:/.test(host) ? ('ip' as const) : ('dns' as const),
    value: host,
  }));
}

/** A certificate and a new key for `id`. Throws C001 where the authority's key cannot be read. */
export async function issue(
  authority: PemPair,
  id: SpiffeId,
  { hosts = [], ...validity }: Validity & { readonly hosts?: readonly string[] },
): Promise<PemPair> {
  cryptoProvider.set(webcrypto);
  const issuer = new X509Certificate(authority.cert);
  const signingKey = await webcrypto.subtle
    .importKey('pkcs8', PemConverter.decodeFirst(authority.key), SIGNING, false, ['sign'])
    .catch((cause: unknown) => {
      throw new IdentityError('C001', "the authority's key cannot be read", null, { cause });
    });
  const { keys, pem } = await newKeys();
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: `CN=${id.name}, OU=${id.kind}, O=Weft`,
    issuer: issuer.subject,
    ...times(validity, issuer),
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: SIGNING,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
      new SubjectAlternativeNameExtension([
        { type: 'url', value: printSpiffeId(id) },
        ...hostNames(hosts),
      ]),
      await AuthorityKeyIdentifierExtension.create(issuer),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert: `${certificate.toString('pem')}\n`, key: pem };
}
