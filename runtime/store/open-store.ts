/** Opens the store that a control plane is told to use. */
import type { TlsFiles } from './etcd/endpoints.js';
import { openFolder } from './folder-store.js';
import { StoreError } from './store-error.js';
import type { Store } from './types.js';

/** Addresses of members, `http:` only on this machine; null where they are none. */
function memberUrls(text: string): URL[] | null {
  const urls = text.split(',').map((part) => (URL.canParse(part) ? new URL(part) : null));
  const members = urls.filter((url): url is URL => url !== null);
  const isLocal = ({ hostname }: URL): boolean =>
    /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
  const isMember = (url: URL): boolean =>
    url.port !== '' &&
    url.pathname === '/' &&
    (url.protocol === 'https:' || (url.protocol === 'http:' && isLocal(url)));
  return members.length === urls.length && members.every(isMember) ? members : null;
}

/**
 * Opens `file:FOLDER` or `etcd:https://HOST:PORT[,https://HOST:PORT]`; `files` are etcd's authority and
 * our certificate for it. Throws D101 for anything else, and what opening throws.
 */
export async function openStore(place: string, files: TlsFiles = {}): Promise<Store> {
  const [, scheme = '', rest = ''] = /^(file|etcd):(.+)$/s.exec(place) ?? [];
  if (scheme === 'file') return openFolder(rest);
  const urls = scheme === 'etcd' ? memberUrls(rest) : null;
  if (urls === null) throw new StoreError('D101', `\`${place}\` names no store`);
  // Only who uses etcd pays for its client.
  const { openEtcd } = await import('./etcd/etcd-store.js');
  return openEtcd(urls, files);
}
