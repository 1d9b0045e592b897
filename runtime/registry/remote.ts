/** Bundles and their signatures in a registry. */
import { digestOf, field, type Image, MEDIA_TYPE, readImage } from '../../compiler/bundle/index.js';
import { RegistryClient } from './client.js';
import { findCredentials } from './credentials.js';
import { ImageError } from './image-error.js';
import { isLoopback, type PlainHttp } from './plain-http.js';
import { type Reference, referenceText } from './reference.js';
import {
  EMPTY,
  indexEntries,
  MAX_REFERRER_BYTES,
  makeReferrer,
  referrerDescriptor,
  SIGNATURE_TYPE,
  type Subject,
  signatureEntries,
  signatureOf,
} from './referrer.js';
import { RegistryError } from './registry-error.js';
import { Session } from './session.js';

/** How registries are reached. */
export interface Access {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly ca: string | null;
  readonly plainHttp: PlainHttp;
  readonly signal: AbortSignal;
}

/** Signatures of one bundle that are fetched; as many as are looked at. */
export const MAX_REFERRERS = 64;

/** A client for the repository of a reference. Throws RegistryError O108, O109. */
export function openRegistry(reference: Reference, access: Access): RegistryClient {
  const { env, ca, plainHttp, signal } = access;
  const { host } = reference;
  if (plainHttp === 'loopback' && !isLoopback(host)) {
    throw new RegistryError(
      'O108',
      `\`${host}\` is not this machine, and is asked for without TLS`,
    );
  }
  const credentials = findCredentials(env, host);
  const session = new Session({ host, credentials, plainHttp, ca, signal });
  return new RegistryClient(session, reference);
}

/** Fetches a bundle's image. Rejects with RegistryError, ImageError. */
export async function pullImage(client: RegistryClient, reference: Reference): Promise<Image> {
  const found = await client.manifest(reference.digest ?? reference.tag ?? '');
  const shown = referenceText(reference);
  if (found === null) throw new RegistryError('O104', `\`${shown}\` does not exist`);
  const located = readImage(found.bytes, found.digest);
  if (!located.ok) throw new ImageError(located.diagnostics);
  const blobs = new Map<string, Uint8Array>();
  for (const descriptor of located.descriptors) {
    blobs.set(descriptor.digest, await client.blob(descriptor));
  }
  return { digest: found.digest, manifest: found.bytes, blobs };
}

/** Puts an image under a tag; the manifest last, so that nobody finds half of it. Rejects with RegistryError. */
export async function pushImage(
  client: RegistryClient,
  { tag, digest }: Reference,
  image: Image,
): Promise<{ readonly sent: number; readonly there: number }> {
  if (digest !== null && digest !== image.digest) {
    throw new RegistryError('O106', `the bundle is \`${image.digest}\`, not \`${digest}\``);
  }
  const counts = { sent: 0, there: 0 };
  for (const [of, bytes] of image.blobs) counts[await client.putBlob(of, bytes)] += 1;
  await client.putManifest(tag ?? image.digest, image.manifest, MEDIA_TYPE.manifest);
  return counts;
}

/** Where registries without a list of referrers keep one: the tag of the fallback scheme. */
export function fallbackTag(digest: string): string {
  return digest.replace(':', '-');
}

/** Fetches the signatures of a bundle: by the registry's list, and by the fallback tag. */
export async function pullSignatures(
  client: RegistryClient,
  digest: string,
): Promise<readonly string[]> {
  const own = await client.referrers(digest, SIGNATURE_TYPE);
  const index = own ?? (await client.manifest(fallbackTag(digest)))?.bytes;
  if (index === undefined) return [];
  const texts: string[] = [];
  for (const entry of signatureEntries(index).slice(0, MAX_REFERRERS)) {
    const manifest = await client.manifest(entry.digest);
    const pointer = manifest === null ? null : signatureOf(manifest.bytes, digest);
    // What is listed and is none counts as a signature that says nothing, not as absent.
    if (pointer === null || pointer.size > MAX_REFERRER_BYTES) texts.push('');
    else texts.push(Buffer.from(await client.blob(pointer)).toString('utf8'));
  }
  return texts;
}

/** Adds signatures to a bundle that is there already. Rejects with RegistryError. */
export async function pushSignatures(
  client: RegistryClient,
  subject: Subject,
  signatures: readonly string[],
): Promise<void> {
  for (const text of signatures) {
    const referrer = makeReferrer(text, subject);
    await client.putBlob(digestOf(EMPTY), EMPTY);
    await client.putBlob(referrer.signature.digest, referrer.signature.bytes);
    const { knowsSubject } = await client.putManifest(
      referrer.digest,
      referrer.manifest,
      MEDIA_TYPE.manifest,
    );
    if (knowsSubject) continue;
    const tag = fallbackTag(subject.digest);
    const before = await client.manifest(tag);
    const entries = before === null ? [] : (indexEntries(before.bytes) ?? []);
    const isListed = entries.some((e) => field(e, 'digest') === referrer.digest);
    if (isListed) continue;
    const manifests = [...entries, referrerDescriptor(referrer)];
    const index = { schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests };
    await client.putManifest(tag, Buffer.from(JSON.stringify(index)), MEDIA_TYPE.index);
  }
}
