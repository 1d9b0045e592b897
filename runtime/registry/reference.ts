/**
 * Where a bundle is: a file, an image layout in a folder (`oci:DIR`), one in a tar file
 * (`oci-archive:FILE`), or a registry (`host/repository:tag`). Prefixes and the rules for what is a
 * host are those of skopeo and docker.
 */
import { isDigest } from '../../compiler/bundle/index.js';
import { RegistryError } from './registry-error.js';

export interface Reference {
  readonly host: string;
  readonly repository: string;
  readonly tag: string | null;
  readonly digest: string | null;
}

export type Place =
  | { readonly kind: 'file'; readonly path: string; readonly name: string | null }
  | { readonly kind: 'layout'; readonly path: string; readonly name: string | null }
  | { readonly kind: 'registry'; readonly reference: Reference };

const DEFAULT_TAG = 'latest';
/** Grammar of the distribution specification, and of docker's host names. */
const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?$/;
const REPOSITORY =
  /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
/** Longest name that registries take. */
const MAX_REPOSITORY = 255;

/** True where the part before the first slash names a host, as docker decides it. */
function namesHost(first: string): boolean {
  if (first.startsWith('.')) return false;
  return first === 'localhost' || /[.:]/.test(first);
}

/** A registry reference; null where a text is rather a path. Throws RegistryError O101. */
export function parseReference(text: string): Reference | null {
  const slash = text.indexOf('/');
  if (slash <= 0 || !namesHost(text.slice(0, slash))) return null;
  const refuse = (what: string): never => {
    throw new RegistryError('O101', `\`${text}\` is no reference: ${what}`);
  };
  const host = text.slice(0, slash);
  const [path = '', digest = null, ...more] = text.slice(slash + 1).split('@');
  const colon = path.lastIndexOf(':');
  const repository = colon < 0 ? path : path.slice(0, colon);
  const tag = colon < 0 ? null : path.slice(colon + 1);
  if (!HOST.test(host) || !URL.canParse(`https://${host}/`))
    refuse('the host is not written as HOST or HOST:PORT');
  if (repository.length > MAX_REPOSITORY || !REPOSITORY.test(repository)) {
    refuse('a repository has small letters, digits and `._-/`');
  }
  if (tag !== null && !TAG.test(tag)) refuse('a tag has letters, digits and `._-`');
  if (more.length > 0 || (digest !== null && !isDigest(digest))) {
    refuse('a digest is sha256: and 64 hex digits');
  }
  return { host, repository, tag: tag ?? (digest === null ? DEFAULT_TAG : null), digest };
}

/** A reference as people write it. */
export function referenceText({ host, repository, tag, digest }: Reference): string {
  return `${host}/${repository}${tag === null ? '' : `:${tag}`}${digest === null ? '' : `@${digest}`}`;
}

const PREFIXED = /^(oci|oci-archive):([^:]+)(?::(.+))?$/;

/** Where a text says that a bundle is. Throws RegistryError O101. */
export function parsePlace(text: string): Place {
  const prefixed = PREFIXED.exec(text);
  if (prefixed !== null) {
    const [, scheme, path = '', name = null] = prefixed;
    return { kind: scheme === 'oci' ? 'layout' : 'file', path, name };
  }
  if (/^oci(-archive)?:/.test(text)) throw new RegistryError('O101', `\`${text}\` names no path`);
  const reference = parseReference(text);
  if (reference !== null) return { kind: 'registry', reference };
  return { kind: 'file', path: text, name: null };
}
