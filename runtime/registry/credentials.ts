/** Credentials for a registry, from docker's config.json. Credential helpers are not run. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { field } from '../../compiler/bundle/index.js';
import { RegistryError } from './registry-error.js';

export interface Credentials {
  readonly user: string;
  readonly password: string;
  /** A refresh token, which is given for a token instead of the password. */
  readonly identityToken: string | null;
}

/** Bytes of a config.json that is read. */
export const MAX_CONFIG_BYTES = 1048576;
/** What docker calls its own registry. */
const DOCKER_HUB = 'https://index.docker.io/v1/';

/** docker's configuration file of a user. */
export function dockerConfig(env: Readonly<Record<string, string | undefined>>): string | null {
  const folder =
    env['DOCKER_CONFIG'] ?? (env['HOME'] === undefined ? null : join(env['HOME'], '.docker'));
  return folder === null ? null : join(folder, 'config.json');
}

function textField(value: unknown, key: string): string | null {
  const found = field(value, key);
  return typeof found === 'string' && found !== '' ? found : null;
}

/** Names under which a host may stand in the file, the most exact first. */
function namesOf(host: string): readonly string[] {
  const names = [
    host,
    `https://${host}`,
    `https://${host}/`,
    `https://${host}/v2/`,
    `https://${host}/v1/`,
  ];
  return /^(?:docker\.io|registry-1\.docker\.io|index\.docker\.io)$/.test(host)
    ? [...names, DOCKER_HUB]
    : names;
}

/** What a configuration says for a host; null where it says nothing. Throws RegistryError O109. */
export function credentialsIn(text: string, host: string, shown: string): Credentials | null {
  const damaged = (what: string): never => {
    throw new RegistryError('O109', `\`${shown}\`: ${what}`);
  };
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch {
    return damaged('not valid JSON');
  }
  const auths = field(config, 'auths');
  const entry = namesOf(host)
    .map((name) => field(auths, name))
    .find((found) => found !== undefined);
  const helper = textField(field(config, 'credHelpers'), host) ?? textField(config, 'credsStore');
  const identityToken = textField(entry, 'identitytoken');
  const encoded = textField(entry, 'auth');
  if (encoded === null) {
    const [user, password] = [textField(entry, 'username'), textField(entry, 'password')];
    if (user !== null && password !== null) return { user, password, identityToken };
    if (identityToken !== null) return { user: '', password: '', identityToken };
    // An entry without a secret is what `docker login` leaves where a helper keeps it.
    if (helper !== null && entry !== undefined) {
      return damaged(
        `the credentials of \`${host}\` are kept by \`${helper}\`, which is not asked`,
      );
    }
    return null;
  }
  const decoded = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  if (colon < 0) return damaged(`\`auth\` of \`${host}\` is no base64 of user:password`);
  // docker fills a password up with NULs.
  const password = decoded.slice(colon + 1).replace(/\0+$/, '');
  return { user: decoded.slice(0, colon), password, identityToken };
}

/** Credentials of a host; null where there is no file or no entry. Throws RegistryError O109. */
export function findCredentials(
  env: Readonly<Record<string, string | undefined>>,
  host: string,
): Credentials | null {
  const path = dockerConfig(env);
  if (path === null) return null;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw new RegistryError('O109', `\`${path}\` cannot be read`, { cause: error });
  }
  if (text.length > MAX_CONFIG_BYTES) throw new RegistryError('O109', `\`${path}\` is too large`);
  return credentialsIn(text, host, path);
}
