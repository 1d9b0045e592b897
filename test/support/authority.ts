/** A trust domain of a test: its authority, and key files for whoever it needs. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAuthority, issue, type PemPair } from '../../runtime/spiffe/authority.js';
import { type KeyPaths, type Kind, parseSpiffeId } from '../../runtime/spiffe/index.js';

export const DOMAIN = 'test.example';
const DAY_MS = 86_400_000;

export interface TestAuthority {
  readonly root: PemPair;
  /** Writes a pair for one identity into a folder of its own, or anew into that folder. */
  issue(
    kind: Kind,
    name: string,
    times?: { readonly now?: number; readonly lifetimeMs?: number },
  ): Promise<KeyPaths>;
}

/** An authority whose files lie in `folder`. */
export async function testAuthority(
  folder: string,
  domain: string = DOMAIN,
): Promise<TestAuthority> {
  const root = await createAuthority(domain, { now: Date.now(), lifetimeMs: 365 * DAY_MS });
  return {
    root,
    async issue(kind, name, { now = Date.now(), lifetimeMs = DAY_MS } = {}) {
      const id = parseSpiffeId(`spiffe://${domain}/${kind}/${name}`);
      if (id === null) throw new Error(`no identity: ${kind}/${name}`);
      const pair = await issue(root, id, { now, lifetimeMs, hosts: ['127.0.0.1'] });
      const own = join(folder, `${kind}-${name}`);
      mkdirSync(own, { recursive: true });
      const paths = {
        ca: join(own, 'ca.pem'),
        cert: join(own, 'cert.pem'),
        key: join(own, 'key.pem'),
      };
      writeFileSync(paths.ca, root.cert);
      writeFileSync(paths.key, pair.key, { mode: 0o600 });
      writeFileSync(paths.cert, pair.cert);
      return paths;
    },
  };
}
