/**
 * One item of `http` of a VirtualService -> choices, one a match: where requests go, with which changes, or what they hear.
 * Timeouts, delays and copies for others cannot be kept; without retries less is answered, which is a warning.
 */

import { checkHost } from '../../../compiler/abi/index.js';
import type { Position } from '../../../compiler/diagnostic/index.js';
import { all, type Condition, not, TRUE } from '../condition.js';
import { Fields, type Findings } from '../fields.js';
import { quote } from '../policy-text.js';
import { findCluster } from '../route/find-cluster.js';
import type { Arm, Choice, KnownService, Target } from '../route/model.js';
import type { Tree } from '../tree.js';
import { type Abort, PERCENT_STEPS, readFault } from './read-fault.js';
import {
  type HeaderEdits,
  joinEdits,
  NO_EDITS,
  readReplyHeaders,
  readRequestEdits,
} from './read-header-edits.js';
import { ANY_REQUEST, type HttpMatch, readHttpMatch } from './read-http-match.js';
import { readDirectResponse, readRedirect, respondCall } from './read-redirect.js';
import { readRewrite, rewritePath } from './read-rewrite.js';
import { serviceOf, type TrafficReading } from './reading.js';

/** What a rule is read for. */
export interface RuleReading extends TrafficReading {
  /** Services whose routes the object holds. */
  readonly own: readonly KnownService[];
  /** Clients that the object is for. */
  readonly clients: Condition;
}

const UNKEPT: ReadonlyMap<string, string> = new Map([
  ['mirror', 'no request is sent twice'],
  ['mirrors', 'no request is sent twice'],
  ['corsPolicy', 'answer browsers in the service'],
  ['delegate', 'write the rules of the other object here'],
]);

function refuseUnkept(rule: Fields, findings: Findings): void {
  for (const [name, help] of UNKEPT) {
    if (rule.has(name))
      findings.error('W504', rule.place(name), `\`${name}\` cannot be kept`, help);
  }
  rule.skip('mirrorPercent', 'mirrorPercentage', 'mirror_percent', 'name');
  const timeout = rule.text('timeout');
  if (timeout !== null && !/^(?:0+(?:h|m|s|ms))+$/.test(timeout.text)) {
    const help = 'end requests in the client or in the service';
    findings.error('W504', timeout.at, 'nothing ends a request because it takes long', help);
  }
  const retries = rule.map('retries');
  if (retries === null) return;
  if (retries.has('perTryTimeout')) {
    const at = retries.place('perTryTimeout');
    findings.error('W504', at, 'nothing ends a request because it takes long');
  }
  if ((retries.number('attempts')?.number ?? 0) > 0) {
    const message = 'requests are never repeated: what fails once is told to the client';
    findings.warning(
      'W505',
      retries.at,
      message,
      'GET / while the endpoint that is chosen is down',
    );
  }
}

/** `headers`: of the request; `reply` says whether the reply is written here. */
function readHeaders(
  fields: Fields | null,
  findings: Findings,
): { readonly request: HeaderEdits; readonly response: Fields | null } {
  if (fields === null) return { request: NO_EDITS, response: null };
  const request = readRequestEdits(fields.map('request'), findings);
  const response = fields.map('response');
  fields.end();
  return { request, response };
}

function refuseReplyEdits(response: Fields | null, findings: Findings): void {
  if (response === null || response.isEmpty) return;
  findings.error('W504', response.at, 'replies go on as they are', 'set it in the service');
}

interface Destination {
  readonly service: string;
  readonly labels: Readonly<Record<string, string>> | null;
  readonly port: number | null;
  readonly weight: number;
  readonly key: string | null;
  readonly edits: HeaderEdits;
  readonly at: Position;
}

/** `destination` of HTTP and of TCP: the service, and the labels of the subset. */
export function readDestination(
  fields: Fields | null,
  reading: TrafficReading,
): Omit<Destination, 'weight' | 'edits'> | null {
  const host = fields?.text('host') ?? null;
  if (fields === null || host === null) return null;
  const subset = fields.text('subset');
  const port = fields.map('port');
  const number = port?.number('number')?.number ?? null;
  port?.end();
  fields.end();
  const service = serviceOf(host, reading);
  if (service === null) return null;
  const rule = reading.rules.get(service);
  const at = fields.at;
  if (subset === null) return { service, labels: null, port: number, key: rule?.key ?? null, at };
  const found = rule?.subsets.get(subset.text);
  if (found === undefined) {
    const message = `no DestinationRule declares the subset \`${subset.text}\` of \`${service}\``;
    reading.findings.error('W504', subset.at, message, 'import it too');
    return null;
  }
  return { service, labels: found.labels, port: number, key: found.key ?? rule?.key ?? null, at };
}

function readRoute(tree: Tree, only: boolean, reading: RuleReading): Destination | null {
  const { findings } = reading;
  const fields = Fields.of(tree, findings, 'an item of `route`');
  if (fields === null) return null;
  const destination = readDestination(fields.map('destination'), reading);
  const weight = fields.number('weight');
  const { request, response } = readHeaders(fields.map('headers'), findings);
  refuseReplyEdits(response, findings);
  if (!fields.has('destination')) findings.error('W503', tree.at, '`destination` is missing');
  fields.end();
  const value = weight?.number ?? 0;
  if (!Number.isInteger(value) || value < 0 || value > 0x7fffffff) {
    findings.error('W503', weight?.at ?? tree.at, 'the weight is no number from 0');
  }
  // Where there is one destination, its weight says nothing.
  return destination === null
    ? null
    : { ...destination, weight: only ? 1 : value, edits: request, at: tree.at };
}

function hostCall(host: string | null, at: Position, findings: Findings): readonly string[] {
  if (host === null) return [];
  const fault = checkHost(host, 'port');
  if (fault !== null) findings.error('W504', at, fault.message);
  return [`.host(${quote(host)})`];
}

/** Requests that are aborted stand before the others, with their share. */
function withAbort(target: Target, abort: Abort | null): Target {
  if (abort === null) return target;
  const answer = { kind: 'answer', name: 'aborted', call: abort.call } as const;
  const arm = (weight: number): Arm => ({ target: answer, weight, at: abort.at });
  if (abort.percent === 100) return { arms: [arm(1)], key: null };
  const sum = target.arms.reduce((total, { weight }) => total + weight, 0);
  const part = Math.round(abort.percent * PERCENT_STEPS);
  const rest = 100 * PERCENT_STEPS - part;
  const weights = [part * sum, ...target.arms.map(({ weight }) => rest * weight)];
  const divisor = weights.reduce((a, b) => greatestDivisor(a, b));
  const arms = [
    arm(part * sum),
    ...target.arms.map((one) => ({ ...one, weight: rest * one.weight })),
  ];
  return { arms: arms.map((one) => ({ ...one, weight: one.weight / divisor })), key: null };
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}

const MAX_WEIGHT_SUM = 0xffff_ffff;

class HttpRule {
  readonly #reading: RuleReading;
  readonly #fields: Fields;

  constructor(fields: Fields, reading: RuleReading) {
    this.#reading = reading;
    this.#fields = fields;
  }

  #destinations(): readonly Destination[] {
    const list = this.#fields.list('route') ?? [];
    const read = list.flatMap((tree) => readRoute(tree, list.length === 1, this.#reading) ?? []);
    const used = read.filter(({ weight }) => weight > 0);
    if (read.length > 0 && used.length === 0) {
      const at = this.#fields.place('route');
      this.#reading.findings.error('W503', at, 'the weights of all destinations are 0');
    }
    return used;
  }

  /** Where requests of a match go. */
  forward(headers: HeaderEdits, matches: readonly HttpMatch[]): readonly [Target, Condition][] {
    const { findings, services } = this.#reading;
    const rewrite = readRewrite(this.#fields.map('rewrite'), findings);
    const destinations = this.#destinations();
    const keys = new Set(destinations.map(({ key }) => key));
    const [only = null] = keys;
    const key = keys.size === 1 ? only : null;
    return matches.map((match) => {
      const { calls, kept } = rewritePath(rewrite.uri, match, findings);
      const arms = destinations.flatMap((destination): Arm[] => {
        const { service, labels, port, weight, at } = destination;
        const own = joinEdits(headers, destination.edits, at, findings);
        if (rewrite.host !== null && destinations.length > 1 && destination.edits.host !== null) {
          findings.error('W504', at, 'the host is changed by `rewrite` and by the destination');
        }
        const host = hostCall(rewrite.host ?? own.host, at, findings);
        const edits = [...calls, ...host, ...own.edits];
        const target = findCluster({ service, labels, port, edits, at }, services, findings);
        return target === null ? [] : [{ target, weight, at }];
      });
      return [{ arms, key: arms.length > 1 ? key : null }, kept];
    });
  }

  /** Null where requests are forwarded. */
  answer(response: Fields | null): Target | null {
    const { findings, own } = this.#reading;
    const redirect = this.#fields.map('redirect');
    const direct = this.#fields.map('directResponse');
    const at = (redirect ?? direct)?.at;
    if (at === undefined) {
      refuseReplyEdits(response, findings);
      return null;
    }
    if (redirect !== null && direct !== null) {
      findings.error('W503', direct.at, '`directResponse` stands beside `redirect`');
    }
    for (const name of ['route', 'rewrite'] as const) {
      if (!this.#fields.has(name)) continue;
      findings.error('W503', this.#fields.place(name), `\`${name}\` stands beside an answer`);
    }
    if (redirect !== null) refuseReplyEdits(response, findings);
    const call =
      redirect !== null
        ? { name: 'moved', call: readRedirect(redirect, own, findings) }
        : {
            name: 'answer',
            call:
              direct === null
                ? respondCall(500, null)
                : readDirectResponse(direct, readReplyHeaders(response, findings), findings),
          };
    return { arms: [{ target: { kind: 'answer', ...call }, weight: 1, at }], key: null };
  }
}

function checkSum({ arms }: Target, at: Position, findings: Findings): void {
  const sum = arms.reduce((total, { weight }) => total + weight, 0);
  if (sum > MAX_WEIGHT_SUM) findings.error('W506', at, 'the weights are too large together');
}

/** The choices of one rule, in their order. */
export function readHttpRule(tree: Tree, id: string, reading: RuleReading): readonly Choice[] {
  const { findings, clients } = reading;
  const fields = Fields.of(tree, findings, 'a rule');
  if (fields === null) return [];
  const list = fields.list('match') ?? [];
  const read = list.flatMap((item) => readHttpMatch(item, findings) ?? []);
  const matches = list.length === 0 ? [ANY_REQUEST] : read;
  refuseUnkept(fields, findings);
  const abort = readFault(fields.map('fault'), findings);
  const { request, response } = readHeaders(fields.map('headers'), findings);
  const rule = new HttpRule(fields, reading);
  const answer = rule.answer(response);
  if (answer === null && !fields.has('route') && !fields.has('delegate')) {
    findings.error('W503', tree.at, 'a rule needs `route`, `redirect` or `directResponse`');
  }
  const targets =
    answer === null
      ? rule.forward(request, matches)
      : matches.map((): [Target, Condition] => [answer, TRUE]);
  fields.end();
  return matches.flatMap(({ client, match }, m): Choice[] => {
    const [target, kept] = targets[m] ?? [{ arms: [], key: null }, TRUE];
    const named = list.length === 0 ? id : `${id} match[${m}]`;
    const at = list[m]?.at ?? tree.at;
    const whole = { id: named, at, client: all(clients, client) };
    const aborted = withAbort(target, abort);
    checkSum(aborted, at, findings);
    const choice = { ...whole, match: all(match, kept), target: aborted };
    if (kept === TRUE) return [choice];
    const none = { kind: 'answer', name: 'none', call: 'respond(404)' } as const;
    const other: Target = { arms: [{ target: none, weight: 1, at }], key: null };
    return [choice, { ...whole, match: all(match, not(kept)), target: other }];
  });
}
