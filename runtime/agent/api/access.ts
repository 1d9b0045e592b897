/** Who may do what over the local API, by what the kernel says of the other end. */
import { readFileSync } from 'node:fs';
import type { PeerCredentials } from '../../kernel/index.js';

/** Who is in it may read. */
export const READERS_GROUP = 'weft';

export type Access = 'change' | 'read' | 'none';

/** Root changes things; root and the group of readers read. */
export function accessOf(peer: PeerCredentials, readers: number | null): Access {
  if (peer.uid === 0) return 'change';
  return readers !== null && peer.gids.includes(readers) ? 'read' : 'none';
}

/** The number of a group of this machine, as group(5) has it; null where there is none. */
export function groupId(name: string, file = '/etc/group'): number | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return null;
  }
  const line = text.split('\n').find((one) => one.startsWith(`${name}:`));
  const id = line?.split(':')[2] ?? '';
  return /^\d{1,10}$/.test(id) ? Number(id) : null;
}
