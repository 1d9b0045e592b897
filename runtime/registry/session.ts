/**
 * Talks with one registry about one repository: authorizes itself as the registry asks, follows
 * redirects without taking secrets along, and asks again where asking again is harmless.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { readChallenge } from './challenge.js';
import type { Credentials } from './credentials.js';
import { exchange, type HttpAnswer, type HttpOptions, type HttpRequest } from './http.js';
import { isLoopback, type PlainHttp } from './plain-http.js';
import { RegistryError } from './registry-error.js';

/** Redirects that are followed. */
export const MAX_REDIRECTS = 5;
/** Times that a question is asked which changes nothing. */
export const ATTEMPTS = 3;
/** Bytes of a token server's answer. */
export const MAX_TOKEN_BYTES = 262144;
const FIRST_PAUSE_MS = 200;

export interface SessionOptions extends HttpOptions {
  readonly host: string;
  readonly credentials: Credentials | null;
  readonly plainHttp: PlainHttp;
}

export type Question = Omit<HttpRequest, 'url'> & { readonly path: string };

function text(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

function mayPass(status: number): boolean {
  return status === 429 || status === 502 || status === 503 || status === 504;
}

export class Session {
  readonly #options: SessionOptions;
  readonly #origin: string;
  #authorization: string | null = null;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#origin = `${options.plainHttp === 'never' ? 'https' : 'http'}://${options.host}`;
  }

  /** Asks below the registry's root, or at a place that it gave. Rejects with RegistryError. */
  async ask({ path, ...question }: Question): Promise<HttpAnswer> {
    const url = this.#resolve(path, this.#origin);
    const { answer: first, isHome } = await this.#send(url, question);
    // Who else asks for credentials (storage that the registry leads to) is not told them.
    if (first.status !== 401 || !isHome) return first;
    const authorization = await this.#authorize(text(first.headers['www-authenticate']));
    if (authorization === null) return first;
    this.#authorization = authorization;
    return (await this.#send(url, question)).answer;
  }

  /**
   * A place that the registry named: a redirect, an upload, a token server. Throws RegistryError:
   * O108 where plain HTTP leaves this machine, O105 where it leads away from TLS or is no place.
   */
  #resolve(place: string, base: string): URL {
    let url: URL;
    try {
      url = new URL(place, base);
    } catch {
      throw new RegistryError('O105', `\`${place.slice(0, 200)}\` is no place to go on at`);
    }
    const { host, plainHttp } = this.#options;
    const isPlain = url.protocol === 'http:';
    if (isPlain && plainHttp === 'loopback' && !isLoopback(url.host)) {
      throw new RegistryError(
        'O108',
        `${host} leads to \`${url.origin}\`, which is not this machine: it must name it by https`,
      );
    }
    const isFine = url.protocol === 'https:' || (isPlain && plainHttp !== 'never');
    if (isFine && url.username === '' && url.password === '') return url;
    throw new RegistryError('O105', `the registry leads to \`${url.protocol}//${url.host}\``);
  }

  /** Sends a question and follows redirects; `isHome` where the registry itself answered. */
  async #send(
    start: URL,
    question: Omit<Question, 'path'>,
  ): Promise<{ readonly answer: HttpAnswer; readonly isHome: boolean }> {
    let url = start;
    for (let hop = 0; ; hop += 1) {
      const isHome = url.origin === new URL(this.#origin).origin;
      const secret = isHome && this.#authorization !== null ? this.#authorization : null;
      const headers = {
        ...question.headers,
        ...(secret === null ? {} : { authorization: secret }),
      };
      const answer = await this.#patiently({ ...question, url, headers });
      const location = text(answer.headers.location);
      const isQuestion = question.method === 'GET' || question.method === 'HEAD';
      const isRedirect = isQuestion && [301, 302, 303, 307, 308].includes(answer.status);
      if (!isRedirect || location === undefined) return { answer, isHome };
      if (hop === MAX_REDIRECTS) {
        throw new RegistryError('O105', `${start.host} redirects more than ${MAX_REDIRECTS} times`);
      }
      url = this.#resolve(location, url.href);
    }
  }

  async #patiently(request: HttpRequest): Promise<HttpAnswer> {
    const attempts = request.method === 'GET' || request.method === 'HEAD' ? ATTEMPTS : 1;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const answer = await exchange(request, this.#options);
        if (attempt === attempts || !mayPass(answer.status)) return answer;
      } catch (error) {
        const isLost = error instanceof RegistryError && error.code === 'O102';
        if (attempt === attempts || !isLost || this.#options.signal.aborted) throw error;
      }
      await pause(FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random()), undefined, {
        signal: this.#options.signal,
      });
    }
  }

  /** What to send as Authorization from now on; null where there is nothing to offer. */
  async #authorize(header: string | undefined): Promise<string | null> {
    const { credentials } = this.#options;
    const basic =
      credentials === null || credentials.user === ''
        ? null
        : `Basic ${Buffer.from(`${credentials.user}:${credentials.password}`).toString('base64')}`;
    const challenge = readChallenge(header);
    if (challenge === null) return null;
    if (challenge.scheme === 'basic') return basic === this.#authorization ? null : basic;
    const realm = challenge.parameters.get('realm');
    if (realm === undefined) throw new RegistryError('O105', 'the registry names no token server');
    const url = this.#resolve(realm, this.#origin);
    const asked = ['service', 'scope'].flatMap((name): [string, string][] => {
      const value = challenge.parameters.get(name);
      return value === undefined ? [] : [[name, value]];
    });
    const refresh = credentials?.identityToken ?? null;
    const common = { limit: MAX_TOKEN_BYTES };
    let answer: HttpAnswer;
    if (refresh === null) {
      for (const [name, value] of asked) url.searchParams.append(name, value);
      const headers = basic === null ? {} : { authorization: basic };
      answer = await this.#patiently({ ...common, method: 'GET', url, headers, body: null });
    } else {
      const form = new URLSearchParams([
        ...asked,
        ['grant_type', 'refresh_token'],
        ['refresh_token', refresh],
        ['client_id', 'weft'],
      ]);
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const body = Buffer.from(form.toString());
      answer = await this.#patiently({ ...common, method: 'POST', url, headers, body });
    }
    if (answer.status === 401 || answer.status === 403) return null;
    return `Bearer ${readToken(answer, url.host)}`;
  }
}

/** The token of a token server's answer. Throws RegistryError O105. */
export function readToken(
  { status, body }: Pick<HttpAnswer, 'status' | 'body'>,
  host: string,
): string {
  let answer: unknown = null;
  try {
    answer = JSON.parse(body.toString('utf8'));
  } catch {
    // Said below.
  }
  const { token, access_token: other } = (answer ?? {}) as Readonly<Record<string, unknown>>;
  const found = typeof token === 'string' && token !== '' ? token : other;
  // What goes into a header must not end it.
  if (status === 200 && typeof found === 'string' && /^[\x21-\x7e]+$/.test(found)) return found;
  throw new RegistryError('O105', `the token server ${host} answered ${status} and no token`);
}
