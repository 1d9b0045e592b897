/**
 * The steps of a connection through the hooks, as bpf/decide.h takes them: at the client, service ->
 * route -> cluster -> endpoint -> verdict; then the same question where the flow arrives. Each step takes
 * what a policy said and changes the flow; who asks, and how many at a time, is the caller's.
 */
import {
  type ExportName,
  NO_POLICY,
  REASON,
  type ReasonName,
  ROUTE_BITS,
  ROUTE_MASK,
  ROUTE_STOPPED,
  VERDICT,
} from '../../compiler/abi/index.js';
import { BugError } from '../../compiler/diagnostic/index.js';
import { ANONYMOUS, NO_CLUSTER, type PlanEndpoint } from '../discovery/index.js';
import type { ConnectionFields, PartyFields } from './connection.js';
import type { OutcomeManifest } from './describe-outcome.js';
import type { Stop } from './engine.js';
import type { Flow } from './flow.js';
import type { BoundPlace, DecideInput } from './outcome.js';
import type { PlanIndex } from './plan-index.js';
import type { RecordFields } from './record.js';
import type { RequestParser } from './request.js';

function sourceParty(flow: Flow): PartyFields {
  const { source, family, input } = flow;
  if (source === null) {
    return { address: input.source.address?.bytes ?? null, identity: ANONYMOUS };
  }
  // The registered address of that family, so that both ends see the same.
  const address = family === 4 ? source.v4 : source.v6;
  return { address: address?.bytes ?? null, identity: source.source };
}

/** What a policy is asked about, as far as the flow has come. */
export function connectionOf(flow: Flow): ConnectionFields {
  return {
    source: sourceParty(flow),
    destination: {
      address: flow.endpoint.address.bytes,
      identity: flow.destination?.destination ?? ANONYMOUS,
    },
    policies: flow.policies,
    now: flow.input.now,
    random: flow.input.random,
    destinationPort: flow.endpoint.port,
    protocol: flow.input.protocol,
    family: flow.family,
  };
}

type Target = NonNullable<ReturnType<PlanIndex['frontendAt']>>;

/** The cluster where no route says another: of a request that of its connection, as far as it is told. */
function clusterAtFirst(
  { bound, request }: DecideInput,
  { plan }: PlanIndex,
  { service, frontend }: Target,
): Flow['cluster'] {
  const usual = plan.clusters[frontend.cluster] ?? null;
  if (bound?.cluster == null || request === undefined) return usual;
  const { port } = usual ?? { port: frontend.port };
  const named = plan.clusters.find(
    (c) => c.service === service.index && c.name === bound.cluster && c.port === port,
  );
  return named ?? usual;
}

/** Whether routing policies are asked where a connection goes: a request's is there already. */
export function isConnectionRouted({ input, request }: Flow): boolean {
  return request === null || input.bound === undefined;
}

/** A flow at its beginning: its service is known, and nobody was asked. */
export function startFlow(input: DecideInput, index: PlanIndex, parse: RequestParser): Flow {
  const { address, port } = input.destination;
  const found = index.frontendAt(address, port, input.protocol);
  const source =
    input.source.workload === null ? null : (index.plan.workloads[input.source.workload] ?? null);
  // Only an enrolled client has its service addresses translated.
  const target = source === null ? null : found;
  const request = input.request === undefined ? null : parse(input.request);
  const isRefused = request !== null && !request.ok;
  return {
    input,
    request,
    plan: index.plan,
    isHttp: index.isHttp,
    source,
    family: address.family,
    service: target?.service ?? null,
    cluster: target === null ? null : clusterAtFirst(input, index, target),
    answer: null,
    routeSite: 0,
    endpoint: { address, port },
    destination: target === null ? index.workloadAt(address) : null,
    policies: target?.service.policies ?? 0n,
    fuel: 0,
    trap: null,
    record: null,
    end: isRefused ? { verdict: 'deny', reason: 'parse' } : null,
    side: source === null ? 'server' : 'client',
  };
}

/** What stopped a policy, by name. */
export function describeStop(stop: Stop): string {
  return stop.policy === '' ? stop.message : `policy \`${stop.policy}\`: ${stop.message}`;
}

/** Whether a policy is asked about a connection or about a request on it. */
export type Level = 'connection' | 'request';

/** Takes what the routing policies said. */
export function takeRoute(
  flow: Flow,
  record: RecordFields,
  level: Level,
  { failure, routes }: OutcomeManifest,
): void {
  const route = record.route & ROUTE_MASK;
  if (route === ROUTE_STOPPED.trap || route === ROUTE_STOPPED.fuel) {
    const reason = route === ROUTE_STOPPED.fuel ? 'fuel' : 'trap';
    // Declared `allow`: the default cluster, and a verdict on it.
    if (failure[reason] === 'deny') flow.end = { verdict: 'deny', reason };
    return;
  }
  if (route === 0) return;
  flow.routeSite = record.route >>> ROUTE_BITS;
  const target = routes[route - 1] ?? null;
  if (level === 'request') flow.answer = target;
  // Not forwarded, or to where the connection goes: its own cluster, whose endpoint is judged.
  if (level === 'request' && target !== null && target.kind !== 'cluster') return;
  const cluster = flow.plan.clusters[flow.plan.routes[route - 1] ?? NO_CLUSTER];
  if (cluster === undefined) flow.end = { verdict: 'deny', reason: 'noRoute' };
  else flow.cluster = cluster;
}

function isPlace(a: PlanEndpoint, b: BoundPlace): boolean {
  return a.port === b.port && a.address.text === b.address.text;
}

/** Chooses the endpoint of the cluster, whose policies are asked from here on. */
export function chooseEndpoint(flow: Flow): void {
  if (flow.end !== null) return;
  if (flow.service !== null) {
    const endpoints = flow.family === 4 ? flow.cluster?.v4 : flow.cluster?.v6;
    const { bound, pick } = flow.input;
    const endpoint =
      (bound && endpoints?.find((e) => isPlace(e, bound))) ??
      endpoints?.[pick % Math.max(1, endpoints.length)];
    if (endpoint === undefined) {
      flow.end = { verdict: 'deny', reason: 'noEndpoint' };
      return;
    }
    flow.endpoint = { address: endpoint.address, port: endpoint.port };
    flow.destination = flow.plan.workloads[endpoint.workload] ?? null;
  }
  // A destination that is no workload is asked of no policy: the default holds.
  flow.policies = flow.destination?.policies ?? 0n;
}

const REASONS: ReadonlyMap<number, ReasonName> = new Map(
  Object.entries(REASON).map(([name, number]) => [number, name as ReasonName]),
);

/** Takes what the authorizing policies of one end said. */
export function takeVerdict(
  flow: Flow,
  record: RecordFields,
  side: Flow['side'],
  replaces: boolean,
): void {
  const reason = REASONS.get(record.reason);
  if (reason === undefined) throw new BugError(`no reason ${record.reason}`);
  const verdict = record.verdict === VERDICT.allow ? 'allow' : 'deny';
  const before = flow.record;
  if (before === null) {
    flow.record = record;
    flow.side = side;
    flow.end = { verdict, reason };
    return;
  }
  const marks = {
    audited: record.audited | before.audited,
    shadowAllow: record.shadowAllow | before.shadowAllow,
    shadowDeny: record.shadowDeny | before.shadowDeny,
  };
  // Both ends ask the same question: the first answer stands unless the second denies. What is said
  // of a request stands before what was said of its connection.
  if (verdict === 'allow' && !replaces) {
    flow.record = { ...before, ...marks };
    return;
  }
  flow.record = { ...record, ...marks };
  flow.side = side;
  flow.end = { verdict, reason };
}

interface Attached {
  readonly connection: boolean;
  readonly request: boolean;
}
/** By manifest and policies: few are ever met. */
const attachedBy = new WeakMap<object, Map<bigint, Attached>>();

/** Which authorizing exports the attached policies have. */
function attachedOf({ policies: entries }: OutcomeManifest, policies: bigint): Attached {
  const known = attachedBy.get(entries) ?? new Map<bigint, Attached>();
  attachedBy.set(entries, known);
  const cached = known.get(policies);
  if (cached !== undefined) return cached;
  const attached = entries.filter(({ index }) => (policies & (1n << BigInt(index))) !== 0n);
  const has = (name: ExportName): boolean => attached.some((p) => p.exports.includes(name));
  const found = { connection: has('authorizeConnection'), request: has('authorizeRequest') };
  known.set(policies, found);
  return found;
}

/**
 * Whether an end is asked at a level: where a policy of that level is attached; a request is not held
 * by the default of connections where only policies about requests are attached.
 */
export function isAsked(manifest: OutcomeManifest, flow: Flow, level: Level): boolean {
  if (flow.request === null) return level === 'connection';
  const has = attachedOf(manifest, flow.policies);
  return level === 'request' ? has.request : has.connection || !has.request;
}

/** What is said where a connection is let be. */
const LET_BE: RecordFields = {
  verdict: VERDICT.allow,
  site: 0,
  policy: NO_POLICY,
  reason: REASON.requests,
  ...{ audited: 0n, shadowAllow: 0n, shadowDeny: 0n },
  ...{ route: 0, fuel: 0 },
};

/**
 * Lets a connection be at an end where it is no question of its own: its requests are judged one by one
 * there, and no policy of its destination speaks of connections (weft_is_asked in bpf/decide.h).
 */
export function takeLetBe(manifest: OutcomeManifest, flow: Flow, side: Flow['side']): boolean {
  if (flow.request !== null) return false;
  const has = attachedOf(manifest, flow.policies);
  if (has.connection || !has.request) return false;
  const { address, port } = side === 'client' ? flow.input.destination : flow.endpoint;
  if (!flow.isHttp(address, port, flow.input.protocol)) return false;
  takeVerdict(flow, LET_BE, side, false);
  return true;
}

/** False for a request that is answered where it is sent. */
export function isForwarded({ answer }: Flow): boolean {
  return answer === null || answer.kind === 'cluster' || answer.kind === 'waypoint';
}
