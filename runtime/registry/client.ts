/**
 * What is asked of a registry (OCI distribution specification 1.1): manifests and blobs, read and
 * written. Whatever comes is held against its digest here, so that no caller can forget to.
 */
import {
  digestOf,
  isDigest,
  MAX_BLOB_BYTES,
  MAX_IMAGE_MANIFEST_BYTES,
  MEDIA_TYPE,
} from '../../compiler/bundle/index.js';
import type { HttpAnswer } from './http.js';
import { RegistryError } from './registry-error.js';
import type { Question, Session } from './session.js';

const ACCEPTED = `${MEDIA_TYPE.manifest}, ${MEDIA_TYPE.index}`;
/** Bytes of an error that a registry words. */
const MAX_ERROR_BYTES = 65536;

export interface FoundManifest {
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** The first sentence of a registry's error document, where it has one; printable and short. */
export function wordsOf(body: Uint8Array): string {
  try {
    const { errors } = JSON.parse(Buffer.from(body).toString('utf8'));
    const { code, message } = errors[0];
    return ` (${`${code}: ${message}`.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 200)})`;
  } catch {
    return '';
  }
}

export class RegistryClient {
  readonly #session: Session;
  readonly #host: string;
  readonly #repository: string;

  constructor(
    session: Session,
    { host, repository }: { readonly host: string; readonly repository: string },
  ) {
    this.#session = session;
    this.#host = host;
    this.#repository = repository;
  }

  /** A manifest by tag or digest; null where there is none. Rejects with RegistryError. */
  async manifest(reference: string): Promise<FoundManifest | null> {
    const answer = await this.#ask(`manifests/${reference}`, {
      method: 'GET',
      headers: { accept: ACCEPTED },
      limit: MAX_IMAGE_MANIFEST_BYTES,
    });
    if (answer.status === 404) return null;
    this.#expect(answer, 200, `manifest \`${reference}\``);
    const digest = digestOf(answer.body);
    const said = answer.headers['docker-content-digest'];
    const wanted = isDigest(reference) ? reference : said;
    if (wanted !== undefined && wanted !== digest) {
      throw new RegistryError('O106', `${this.#host} sent \`${digest}\` as \`${String(wanted)}\``);
    }
    const mediaType = (answer.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
    return { digest, mediaType, bytes: answer.body };
  }

  /** A blob, of exactly the size that is known of it. Rejects with RegistryError. */
  async blob({
    digest,
    size,
  }: {
    readonly digest: string;
    readonly size: number;
  }): Promise<Uint8Array> {
    const limit = Math.min(size, MAX_BLOB_BYTES);
    const answer = await this.#ask(`blobs/${digest}`, { method: 'GET', limit });
    this.#expect(answer, 200, `blob \`${digest}\``);
    if (answer.body.length !== size || digestOf(answer.body) !== digest) {
      throw new RegistryError('O106', `${this.#host} sent other bytes as blob \`${digest}\``);
    }
    return answer.body;
  }

  /** Uploads a blob where the registry lacks it. Rejects with RegistryError. */
  async putBlob(digest: string, bytes: Uint8Array): Promise<'sent' | 'there'> {
    const known = await this.#ask(`blobs/${digest}`, { method: 'HEAD' });
    if (known.status === 200) return 'there';
    if (known.status !== 404) this.#expect(known, 200, `blob \`${digest}\``);
    const begun = await this.#ask('blobs/uploads/', { method: 'POST', body: new Uint8Array() });
    this.#expect(begun, 202, 'an upload');
    const { location } = begun.headers;
    if (location === undefined)
      throw new RegistryError('O105', `${this.#host} names no upload place`);
    const joint = location.includes('?') ? '&' : '?';
    const ended = await this.#session.ask({
      method: 'PUT',
      path: `${location}${joint}digest=${encodeURIComponent(digest)}`,
      headers: { 'content-type': 'application/octet-stream' },
      body: bytes,
      limit: MAX_ERROR_BYTES,
    });
    this.#expect(ended, 201, `blob \`${digest}\``);
    return 'sent';
  }

  /** Puts a manifest under a tag or digest; `knowsSubject` where the registry keeps referrers itself. */
  async putManifest(
    reference: string,
    bytes: Uint8Array,
    mediaType: string,
  ): Promise<{ readonly knowsSubject: boolean }> {
    const answer = await this.#ask(`manifests/${reference}`, {
      method: 'PUT',
      headers: { 'content-type': mediaType },
      body: bytes,
    });
    this.#expect(answer, 201, `manifest \`${reference}\``);
    return { knowsSubject: answer.headers['oci-subject'] !== undefined };
  }

  /** The registry's own list of what refers to a manifest; null where it keeps none. */
  async referrers(digest: string, artifactType: string): Promise<Uint8Array | null> {
    const query = `artifactType=${encodeURIComponent(artifactType)}`;
    const answer = await this.#ask(`referrers/${digest}?${query}`, {
      method: 'GET',
      headers: { accept: MEDIA_TYPE.index },
      limit: MAX_IMAGE_MANIFEST_BYTES,
    });
    // 404 is how the specification says "no such API"; older registries have other words for it.
    return answer.status === 200 ? answer.body : null;
  }

  #ask(
    path: string,
    question: Pick<Question, 'method'> & Partial<Omit<Question, 'path' | 'method'>>,
  ): Promise<HttpAnswer> {
    const defaults = { headers: {}, body: null, limit: MAX_ERROR_BYTES };
    return this.#session.ask({ ...defaults, ...question, path: `/v2/${this.#repository}/${path}` });
  }

  #expect({ status, body }: HttpAnswer, wanted: number, what: string): void {
    if (status === wanted) return;
    const place = `${this.#host}/${this.#repository}`;
    const words = wordsOf(body);
    if (status === 401 || status === 403) {
      throw new RegistryError('O103', `${place} refuses ${what}: ${status}${words}`);
    }
    if (status === 404) {
      // 200 is wanted of what is asked for, others of what is pushed.
      const fault = wanted === 200 ? `has no ${what}` : `does not take ${what}: 404`;
      throw new RegistryError('O104', `${place} ${fault}${words}`);
    }
    throw new RegistryError('O105', `${place} answered ${status} for ${what}${words}`);
  }
}
