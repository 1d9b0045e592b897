/** Bodies of the API server's answers: whole documents, and lines that keep coming. Bounded both. */
import type { IncomingMessage } from 'node:http';
import { createGunzip } from 'node:zlib';
import { messageOf } from '../../compiler/diagnostic/index.js';
import { KubernetesError } from './kubernetes-error.js';
import { objectOf, type Raw } from './raw.js';

/** Why something is refused. */
const MAX_DOCUMENT = 1 << 20;
/** One object in JSON. */
const MAX_LINE = 8 << 20;
/** No byte of a document for so long. */
const SILENT_MS = 30_000;

function unreadable(what: string, cause?: unknown): KubernetesError {
  return new KubernetesError('N103', what, { cause });
}

/** A JSON object. Throws N103. */
export function parseObject(text: string): Raw {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw unreadable('it is no JSON', cause);
  }
  const raw = objectOf(value);
  if (raw !== value) throw unreadable('it is no object');
  return raw;
}

/** What was written of the body, unpacked. */
function bodyOf(response: IncomingMessage): AsyncIterable<Buffer> {
  if (response.headers['content-encoding'] !== 'gzip') return response;
  const unpacked = createGunzip();
  response.once('error', (error) => unpacked.destroy(error));
  // A connection that ends early ends without an error of its own.
  response.once('close', () => {
    if (!response.complete) unpacked.destroy(new Error('the connection ended'));
  });
  return response.pipe(unpacked);
}

/** Hands the body over in pieces, to its end. Throws N101 where it breaks off; what `take` throws. */
export async function readBody(
  response: IncomingMessage,
  take: (part: Buffer) => void,
): Promise<void> {
  response.setTimeout(SILENT_MS, () => response.destroy(new Error('it fell silent')));
  try {
    for await (const part of bodyOf(response)) take(part);
  } catch (cause) {
    if (cause instanceof KubernetesError) throw cause;
    const reason = messageOf(cause);
    throw new KubernetesError('N101', `the answer broke off: ${reason}`, { cause });
  } finally {
    response.destroy();
  }
}

/** A whole answer. Throws N101 where it breaks off, N103. */
export async function readDocument(response: IncomingMessage): Promise<Raw> {
  const parts: Buffer[] = [];
  let length = 0;
  await readBody(response, (part) => {
    length += part.length;
    if (length > MAX_DOCUMENT) throw unreadable(`it is longer than ${MAX_DOCUMENT >> 20} MiB`);
    parts.push(part);
  });
  return parseObject(Buffer.concat(parts).toString());
}

/** Lines as they come, until the server ends. Throws N103; what the connection throws. */
export async function* readLines(response: IncomingMessage): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of bodyOf(response)) {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      const line = Buffer.concat([...parts, chunk.subarray(from, end)]).toString();
      [parts, length, from] = [[], 0, end + 1];
      if (line.trim() !== '') yield line;
    }
    parts.push(chunk.subarray(from));
    length += chunk.length - from;
    if (length > MAX_LINE) throw unreadable(`an event is longer than ${MAX_LINE >> 20} MiB`);
  }
}

/** Why the server said no, in its own words. */
export async function readRefusal(response: IncomingMessage): Promise<string> {
  const status = response.statusCode ?? 0;
  try {
    const { message } = await readDocument(response);
    if (typeof message === 'string' && message !== '') return `${status}: ${message}`;
  } catch {
    // A proxy on the way answers in words of its own.
  }
  return `status ${status}`;
}
