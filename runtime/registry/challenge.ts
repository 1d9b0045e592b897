/** Reads the WWW-Authenticate header of a registry (RFC 9110 11.6.1). */

export interface Challenge {
  readonly scheme: 'basic' | 'bearer';
  readonly parameters: ReadonlyMap<string, string>;
}

/** Longest header that is read. */
const MAX_HEADER = 8192;
const SCHEME = /^\s*(basic|bearer)(?:\s+|$)/i;
const PARAMETER = /([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))\s*(?:,\s*|$)/gy;

/** The first challenge; null where it is of neither kind that registries use. */
export function readChallenge(header: string | undefined): Challenge | null {
  if (header === undefined || header.length > MAX_HEADER) return null;
  const begin = SCHEME.exec(header);
  if (begin === null) return null;
  const parameters = new Map<string, string>();
  PARAMETER.lastIndex = begin[0].length;
  for (let found = PARAMETER.exec(header); found !== null; found = PARAMETER.exec(header)) {
    const [, name = '', quoted, token = ''] = found;
    parameters.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? token);
  }
  return { scheme: begin[1]?.toLowerCase() === 'bearer' ? 'bearer' : 'basic', parameters };
}
