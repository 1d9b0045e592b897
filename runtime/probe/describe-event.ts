/**
 * A record of the kernel in the words of `weft events`: numbers become names by the manifest and
 * plan of the generation that decided. Pure, so that it can be told about generations long gone.
 */
import { REASON } from '../../compiler/abi/index.js';
import type { Manifest, PolicyEntry } from '../../compiler/bundle/manifest.js';
import { formatAddress } from '../discovery/address.js';
import type { KernelEvent } from './kernel-event.js';

export interface EventParty {
  readonly address: string;
  readonly workload: string | null;
  readonly principal: string | null;
}

export interface EventRecord {
  readonly time: string;
  readonly node: string;
  readonly hook: string;
  /** The connection was open, and was judged again: by what that hook asks. */
  readonly open: boolean;
  readonly generation: number;
  readonly bundle: string | null;
  readonly verdict: 'allow' | 'deny';
  readonly reason: string;
  readonly shadow: readonly { readonly policy: string; readonly verdict: 'allow' | 'deny' }[];
  readonly audit: boolean;
  /** `file:line` of the deciding site; `default` where no line decided; else the reason. */
  readonly rule: string;
  readonly site: number | null;
  readonly policy: string | null;
  readonly source: EventParty;
  readonly destination: EventParty;
  readonly service: string | null;
  readonly cluster: string | null;
  /** `file:line` of the routing site. */
  readonly route: string | null;
  readonly endpoint: string;
  readonly protocol: string;
  /** Of a request: method and path, cut where they are long, without the query. */
  readonly method: string | null;
  readonly path: string | null;
  /** Of the reply, where the mesh gave it. */
  readonly status: number | null;
  /** The draws of this decision: with them it can be decided again, exactly. */
  readonly draw: { readonly random: number; readonly pick: number };
  /** Verdicts since the last record of which no record was made. */
  readonly lost: number;
}

/** What is known of the generation of an event; null where its names are gone. */
export interface EventNames {
  readonly bundle: string;
  readonly policies: readonly Pick<PolicyEntry, 'index' | 'name'>[];
  readonly sites: Manifest['sites'];
  readonly services: readonly string[];
  readonly clusters: readonly string[];
  readonly workloads: readonly { readonly name: string; readonly principal: string | null }[];
}

export interface EventContext {
  readonly node: string;
  readonly names: EventNames | null;
  readonly lost: number;
}

const ALLOW = 1;
const PROTOCOLS: Readonly<Record<number, string>> = { 6: 'tcp', 17: 'udp' };
const REASONS = new Map<number, string>(Object.entries(REASON).map(([name, n]) => [n, name]));
const NS_PER_MS = 1_000_000n;

function at(bytes: Uint8Array, port: number): string {
  const text = formatAddress(bytes);
  if (port === 0) return text;
  return text.includes(':') ? `[${text}]:${port}` : `${text}:${port}`;
}

function siteText(names: EventNames | null, site: number): string | null {
  const found = names?.sites.find((s) => s.site === site);
  if (found === undefined) return null;
  return `${found.file.split('/').at(-1) ?? found.file}:${found.line}`;
}

function shadowOf(event: KernelEvent, names: EventNames | null): EventRecord['shadow'] {
  return (names?.policies ?? []).flatMap(({ index, name }): EventRecord['shadow'] => {
    const bit = 1n << BigInt(index);
    if ((event.shadowDeny & bit) !== 0n) return [{ policy: name, verdict: 'deny' }];
    return (event.shadowAllow & bit) !== 0n ? [{ policy: name, verdict: 'allow' }] : [];
  });
}

function ruleOf(event: KernelEvent, names: EventNames | null, reason: string): string {
  const text = siteText(names, event.site);
  if (text !== null) return text;
  if (event.site !== 0) return `site ${event.site}`;
  return reason === 'default' || reason === 'noAllow' ? 'default' : reason;
}

/** Names everything in a kernel record. */
export function describeEvent(event: KernelEvent, context: EventContext): EventRecord {
  const { names, node, lost } = context;
  const reason = REASONS.get(event.reason) ?? `reason ${event.reason}`;
  const party = (bytes: Uint8Array, port: number, workload: number): EventParty => ({
    address: at(bytes, port),
    workload: names?.workloads[workload]?.name ?? null,
    principal: names?.workloads[workload]?.principal ?? null,
  });
  return {
    time: new Date(Number(event.now / NS_PER_MS)).toISOString(),
    node,
    hook: event.hook,
    open: event.open,
    generation: event.generation,
    bundle: names?.bundle ?? null,
    verdict: event.verdict === ALLOW ? 'allow' : 'deny',
    reason,
    shadow: shadowOf(event, names),
    audit: event.audited !== 0n,
    rule: ruleOf(event, names, reason),
    site: event.site === 0 ? null : event.site,
    policy: names?.policies.find((p) => p.index === event.policy)?.name ?? null,
    source: party(event.source, event.sourcePort, event.sourceWorkload),
    destination: party(event.destination, event.destinationPort, event.destinationWorkload),
    service: names?.services[event.service] ?? null,
    cluster: names?.clusters[event.cluster] ?? null,
    route: event.routeSite === 0 ? null : siteText(names, event.routeSite),
    endpoint: at(event.endpoint, event.endpointPort),
    protocol: PROTOCOLS[event.protocol] ?? String(event.protocol),
    method: event.request?.method ?? null,
    path: event.request?.path ?? null,
    status: event.request?.status || null,
    draw: { random: event.random, pick: event.pick },
    lost,
  };
}
