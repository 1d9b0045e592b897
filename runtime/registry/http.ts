/**
 * One HTTP exchange with a registry. Bounded in size and time; what arrives short of what was
 * announced is a fault. Follows nothing and retries nothing: that is for the session to decide.
 */
import { type IncomingHttpHeaders, request as plainRequest, type RequestOptions } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { messageOf } from '../../compiler/diagnostic/index.js';
import { RegistryError } from './registry-error.js';

/** Time in which a registry must say something, ms. */
export const SILENCE_MS = 30000;
/** Time that one exchange may take in all, ms: a registry that drips bytes ends too. */
export const EXCHANGE_MS = 600000;

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | null;
  /** Bytes of the answer's body beyond which it is given up. */
  readonly limit: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface HttpOptions {
  /** Certificates of authorities in PEM; null: those of Node. */
  readonly ca: string | null;
  readonly signal: AbortSignal;
}

const TLS_CODES = /^(?:CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERR_TLS|ERR_SSL|EPROTO)/;

/** Why a connection failed, in words. */
function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : null;
  const message = messageOf(error);
  if (code === null) return message;
  return TLS_CODES.test(code) ? `its certificate or TLS is not accepted (${code})` : code;
}

/** Sends one request. Rejects with RegistryError O102 or O107. */
export function exchange(asked: HttpRequest, { ca, signal }: HttpOptions): Promise<HttpAnswer> {
  const { method, url, body, limit } = asked;
  const length = body === null ? {} : { 'content-length': String(body.length) };
  const options: RequestOptions = {
    method,
    headers: { 'user-agent': 'weft', ...asked.headers, ...length },
    signal,
    timeout: SILENCE_MS,
    agent: false,
  };
  return new Promise((resolve, reject) => {
    // The first fault counts: those that ending the connection brings about come behind it.
    const fail = (error: unknown): void => {
      clearTimeout(deadline);
      const isOurs = error instanceof RegistryError;
      const message = `${method} ${url.host}: ${reasonOf(error)}`;
      reject(isOurs ? error : new RegistryError('O102', message, { cause: error }));
      sent.destroy();
    };
    const sent =
      url.protocol === 'https:'
        ? tlsRequest(url, { ...options, ...(ca === null ? {} : { ca }) })
        : plainRequest(url, options);
    const deadline = setTimeout(() => fail(new Error('took too long')), EXCHANGE_MS);
    sent.on('timeout', () => fail(new Error('is silent')));
    sent.on('error', fail);
    sent.on('response', (answer) => {
      const chunks: Buffer[] = [];
      let size = 0;
      answer.on('data', (chunk: Buffer) => {
        size += chunk.length;
        chunks.push(chunk);
        if (size <= limit) return;
        fail(new RegistryError('O107', `${url.host} sent more than ${limit} bytes`));
      });
      answer.on('error', fail);
      answer.on('end', () => {
        clearTimeout(deadline);
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          body: Buffer.concat(chunks),
        });
      });
    });
    sent.end(body ?? undefined);
  });
}
