/**
 * Reads the routes that a policy declared: clusters, replies, redirects, the waypoint, and edited
 * routes, which get the cluster and the edits of the route that they edit. The layout is written
 * down in policies/sdk/registry.ts, the numbers in policies/sdk/answer.ts.
 */
import {
  checkHeaderName,
  checkHeaderValue,
  checkHost,
  checkPath,
  checkPort,
  checkScheme,
  constantLocation,
  type Edit,
  type HttpFault,
  isBodyless,
  MAX_EDITS,
  MAX_REPLY,
  makeReply,
  type PathEdit,
  REDIRECT_STATUS,
  type Redirect,
  type Reply,
  type RouteTarget,
  replyBytes,
} from '../abi/index.js';
import { type Diagnostic, diagnostic, type Position } from '../diagnostic/index.js';
import { CODES } from './codes.js';
import { Damaged, type Heap } from './heap.js';
import type { RouteDeclaration } from './types.js';

const KIND = { reply: 1, redirect: 2, waypoint: 3, edited: 4 } as const;
const PART = {
  body: 1,
  header: 2,
  scheme: 3,
  host: 4,
  port: 5,
  path: 6,
  prefix: 7,
  dropQuery: 8,
  set: 9,
  add: 10,
  remove: 11,
  code: 12,
} as const;

interface Part {
  readonly kind: number;
  readonly a: number;
  readonly b: number;
  readonly at: Position | null;
}

/** Stands for a route that was refused, so that later ones keep their numbers. */
const REFUSED: RouteTarget = { kind: 'waypoint' };

export class RouteReader {
  readonly diagnostics: Diagnostic[] = [];
  readonly #heap: Heap;
  readonly #at: (item: number) => Position | null;

  constructor(heap: Heap, at: (item: number) => Position | null) {
    this.#heap = heap;
    this.#at = at;
  }

  /** The routes of these items of the registry. */
  read(items: readonly number[]): RouteDeclaration[] {
    const routes: RouteDeclaration[] = [];
    for (const item of items) {
      const at = this.#at(item);
      const answer = this.#heap.u32(item + 12);
      const target = answer === 0 ? this.#cluster(item, at) : this.#answer(answer, at, routes);
      routes.push({ target, at });
    }
    return routes;
  }

  /** Notes a fault; true where there is none. */
  #check(fault: HttpFault | null, at: Position | null): boolean {
    if (fault === null) return true;
    const help = CODES[fault.code]?.help ?? null;
    this.diagnostics.push(diagnostic(fault.code, fault.message, { at, help }));
    return false;
  }

  #cluster(item: number, at: Position | null): RouteTarget {
    const heap = this.#heap;
    const service = heap.text(heap.u32(item));
    const version = heap.u32(item + 8);
    const name = version === 0 ? service : `${service}/${heap.text(version)}`;
    if (!/^[^/\s]+\/[^/\s]+$/.test(name)) {
      this.#check({ code: 'P106', message: `\`${name}\` names no cluster` }, at);
    }
    return { kind: 'cluster', name, edits: [] };
  }

  #answer(answer: number, at: Position | null, before: readonly RouteDeclaration[]): RouteTarget {
    const heap = this.#heap;
    const number = heap.u32(answer + 4);
    const parts = heap.items(answer + 8).map((item) => ({
      kind: heap.u32(item),
      a: heap.u32(item + 8),
      b: heap.u32(item + 12),
      at: this.#at(item),
    }));
    switch (heap.u32(answer)) {
      case KIND.reply:
        return this.#reply(number, parts, at);
      case KIND.redirect:
        return this.#redirect(number, parts, at);
      case KIND.waypoint:
        return { kind: 'waypoint' };
      case KIND.edited:
        return this.#edited(before[(number & 0xffff) - 1]?.target, parts, at);
      default:
        throw new Damaged();
    }
  }

  #reply(status: number, parts: readonly Part[], at: Position | null): RouteTarget {
    const heap = this.#heap;
    const headers: [string, string][] = [];
    let body = '';
    // A reply of 1xx announces another (RFC 9110 15.2): the client would wait for it.
    const message = `${status} is no status of a reply`;
    let isGood = this.#check(status >= 200 && status <= 599 ? null : { code: 'P116', message }, at);
    for (const part of parts) {
      if (part.kind === PART.body) body = heap.text(part.a);
      if (part.kind !== PART.header) continue;
      const [name, value] = [heap.text(part.a), heap.text(part.b)];
      const fault = checkHeaderName(name, 'reply') ?? checkHeaderValue(value);
      isGood = this.#check(fault, part.at) && isGood;
      headers.push([name.toLowerCase(), value]);
    }
    if (body !== '' && isBodyless(status)) {
      isGood = this.#check({ code: 'P117', message: `a ${status} has no body` }, at) && isGood;
    }
    if (!isGood) return REFUSED;
    return this.#fixed(makeReply({ status, headers, body }), null, at);
  }

  /** A reply whose bytes are known, where they fit. */
  #fixed(reply: Reply, location: string | null, at: Position | null): RouteTarget {
    const size = replyBytes(reply).length;
    const message = `the reply has ${size} bytes, at most ${MAX_REPLY}`;
    const fits = this.#check(size <= MAX_REPLY ? null : { code: 'P125', message }, at);
    return fits ? { kind: 'reply', reply, location } : REFUSED;
  }

  #path(part: Part): { readonly edit: PathEdit; readonly fault: HttpFault | null } {
    const text = this.#heap.text(part.a);
    if (part.kind === PART.path)
      return { edit: { op: 'path', path: text }, fault: checkPath(text) };
    const replacement = this.#heap.text(part.b);
    return {
      edit: { op: 'prefix', prefix: text, replacement },
      // An empty replacement strips the prefix.
      fault: checkPath(text) ?? (replacement === '' ? null : checkPath(replacement)),
    };
  }

  #redirect(first: number, parts: readonly Part[], at: Position | null): RouteTarget {
    const said = new Set<string>();
    let isGood = true;
    let redirect: Redirect = {
      status: first,
      scheme: null,
      host: null,
      port: null,
      path: null,
      keepsQuery: true,
    };
    const say = (part: Part, what: keyof Redirect, fault: HttpFault | null): void => {
      const message = `the ${what} of the redirect is said twice`;
      const twice = said.has(what) ? { code: 'P123', message } : null;
      said.add(what);
      isGood = this.#check(twice ?? fault, part.at) && isGood;
    };
    for (const part of parts) {
      switch (part.kind) {
        case PART.code: {
          const message = `${part.a} is no status of a redirect`;
          const isKnown = REDIRECT_STATUS.includes(part.a);
          say(part, 'status', isKnown ? null : { code: 'P116', message });
          redirect = { ...redirect, status: part.a };
          break;
        }
        case PART.scheme: {
          const scheme = this.#heap.text(part.a);
          say(part, 'scheme', checkScheme(scheme));
          redirect = { ...redirect, scheme: scheme === 'https' ? 'https' : 'http' };
          break;
        }
        case PART.host: {
          const host = this.#heap.text(part.a);
          say(part, 'host', checkHost(host, 'no port'));
          redirect = { ...redirect, host };
          break;
        }
        case PART.port:
          say(part, 'port', checkPort(part.a));
          redirect = { ...redirect, port: part.a };
          break;
        case PART.path:
        case PART.prefix: {
          const { edit, fault } = this.#path(part);
          say(part, 'path', fault);
          redirect = { ...redirect, path: edit };
          break;
        }
        case PART.dropQuery:
          redirect = { ...redirect, keepsQuery: false };
          break;
        default:
          throw new Damaged();
      }
    }
    if (!isGood) return REFUSED;
    const location = constantLocation(redirect);
    if (location === null) return { kind: 'redirect', redirect };
    const { status } = redirect;
    return this.#fixed(makeReply({ status, headers: [['location', location]] }), location, at);
  }

  #edit(part: Part): { readonly edit: Edit; readonly fault: HttpFault | null } {
    const heap = this.#heap;
    if (part.kind === PART.path || part.kind === PART.prefix) return this.#path(part);
    const text = heap.text(part.a);
    if (part.kind === PART.host) {
      return { edit: { op: 'host', host: text }, fault: checkHost(text, 'port') };
    }
    const name = text.toLowerCase();
    const fault = checkHeaderName(text, 'request');
    if (part.kind === PART.remove) return { edit: { op: 'remove', name }, fault };
    if (part.kind !== PART.set && part.kind !== PART.add) throw new Damaged();
    const value = heap.text(part.b);
    const op = part.kind === PART.set ? 'set' : 'add';
    return { edit: { op, name, value }, fault: fault ?? checkHeaderValue(value) };
  }

  #edited(base: RouteTarget | undefined, parts: readonly Part[], at: Position | null): RouteTarget {
    if (base?.kind !== 'cluster') {
      this.#check({ code: 'P122', message: 'the edited route has no cluster' }, at);
      return REFUSED;
    }
    const edits = [...base.edits];
    let isGood = true;
    for (const part of parts) {
      const { edit, fault } = this.#edit(part);
      isGood = this.#check(fault, part.at) && isGood;
      const twin = edits.find((e) => partOf(e) === partOf(edit));
      if (twin === undefined) edits.push(edit);
      else if ('name' in edit) this.#ignored(edit.op, edit.name, part.at);
      else {
        const what = edit.op === 'host' ? 'host' : 'path';
        const message = `the ${what} of the route is said twice`;
        isGood = this.#check({ code: 'P123', message }, part.at) && isGood;
      }
    }
    const message = `the route has ${edits.length} edits, at most ${MAX_EDITS}`;
    const fits = edits.length <= MAX_EDITS ? null : { code: 'P126', message };
    isGood = this.#check(fits, at) && isGood;
    return isGood ? { kind: 'cluster', name: base.name, edits } : REFUSED;
  }

  /** Gateway API: the first of equal names in a list of edits holds. */
  #ignored(op: string, name: string, at: Position | null): void {
    const help = CODES['P124']?.help ?? null;
    const message = `an earlier ${op} of \`${name}\` holds`;
    this.diagnostics.push(diagnostic('P124', message, { at, help, severity: 'warning' }));
  }
}

/** What an edit is about; a route has one of each. */
function partOf(edit: Edit): string {
  if ('name' in edit) return `${edit.op} ${edit.name}`;
  return edit.op === 'host' ? 'host' : 'path';
}
