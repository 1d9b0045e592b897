/** What `weft control ca` writes: a folder with an authority, and folders with certificates of it. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { diagnostic } from '../../compiler/diagnostic/index.js';
import { authorityDomain, createAuthority, issue } from '../spiffe/authority.js';
import { isTrustDomain, parseSpiffeId, printSpiffeId } from '../spiffe/index.js';
import type { Result } from './command-spec.js';
import { EXIT } from './exit.js';
import { CliError } from './failure.js';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** Of the authority: it is given to every machine by hand. */
const ROOT_DAYS = 3650;

function refuse(message: string, help: string | null = null): CliError {
  return new CliError([diagnostic('U004', message, { help })], EXIT.usage);
}

function lifetime(text: string | null, unitMs: number, fallback: number): number {
  const count = text === null ? fallback : Number(text);
  if (!Number.isFinite(count) || count <= 0) throw refuse(`\`${text}\` is no lifetime`);
  return count * unitMs;
}

function keep(path: string, text: string, mode: number): void {
  writeFileSync(path, text, { mode, flag: 'wx' });
}

export interface AuthorityRequest {
  readonly folder: string;
  readonly trustDomain: string | null;
  readonly days: string | null;
  readonly now: number;
}

/** A new authority: `ca.pem` for everybody, `ca.key` for nobody. */
export async function initAuthority(request: AuthorityRequest): Promise<Result> {
  const { folder, trustDomain, days, now } = request;
  if (trustDomain === null || !isTrustDomain(trustDomain)) {
    throw refuse('`--trust-domain` is a name as example.org');
  }
  const [cert, key] = [join(folder, 'ca.pem'), join(folder, 'ca.key')];
  if (existsSync(cert) || existsSync(key)) {
    throw refuse(
      `\`${folder}\` holds an authority already`,
      'certificates of it would end with it',
    );
  }
  const lifetimeMs = lifetime(days, DAY_MS, ROOT_DAYS);
  const pair = await createAuthority(trustDomain, { now, lifetimeMs });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  keep(key, pair.key, 0o600);
  keep(cert, pair.cert, 0o644);
  return {
    exit: EXIT.ok,
    document: { trustDomain, ca: cert, key },
    text: `authority of ${trustDomain}: ${cert}, key ${key}\n`,
  };
}

export interface IssueRequest {
  /** Folder of the authority. */
  readonly authority: string;
  /** `KIND/NAME`. */
  readonly who: string;
  readonly folder: string;
  readonly hosts: readonly string[];
  readonly hours: string | null;
  readonly now: number;
}

/** A certificate: `cert.pem` and `key.pem`, and the authority's `ca.pem` beside them. Written over what was there: that is how one is renewed. */
export async function issueCertificate(request: IssueRequest): Promise<Result> {
  const { authority, who, folder, hosts, hours, now } = request;
  const root = {
    cert: readFileSync(join(authority, 'ca.pem'), 'utf8'),
    key: readFileSync(join(authority, 'ca.key'), 'utf8'),
  };
  const id = parseSpiffeId(`spiffe://${authorityDomain(root.cert)}/${who}`);
  if (id === null) {
    throw refuse(`\`${who}\` is none of node/NAME, control/NAME and operator/NAME`);
  }
  const lifetimeMs = lifetime(hours, HOUR_MS, 24);
  const pair = await issue(root, id, { now, lifetimeMs, hosts });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const [ca, cert, key] = ['ca.pem', 'cert.pem', 'key.pem'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  // The key first: whoever looks meanwhile sees no pair, and keeps what it has.
  writeFileSync(key, pair.key, { mode: 0o600 });
  writeFileSync(cert, pair.cert, { mode: 0o644 });
  writeFileSync(ca, root.cert, { mode: 0o644 });
  const until = new Date(now + lifetimeMs).toISOString();
  return {
    exit: EXIT.ok,
    document: { id: printSpiffeId(id), ca, cert, key, until },
    text: `${printSpiffeId(id)}: ${cert} until ${until}\n`,
  };
}
