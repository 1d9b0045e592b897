/** The request of a head that was read, as a record has it. */
import type { RecordedRequest } from './types.js';

/** Reads the bytes of a head that the parser has accepted. */
export function requestOfHead(bytes: Uint8Array): RecordedRequest {
  const [first = '', ...lines] = Buffer.from(bytes).toString('latin1').trimEnd().split(/\r?\n/);
  const [method = '', path = '', version = ''] = first.split(' ');
  const headers = lines.map((line): readonly [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  return { method, path, ...(version === 'HTTP/1.0' ? { version: '1.0' } : {}), headers };
}
