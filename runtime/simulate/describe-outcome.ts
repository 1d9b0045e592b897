/** Says what became of a connection, with the source line that decided. */
import { NO_POLICY, PARSE_REFUSAL, refusalOf } from '../../compiler/abi/index.js';
import type { Manifest } from '../../compiler/bundle/manifest.js';
import { BugError } from '../../compiler/diagnostic/index.js';
import { formatEndpoint } from '../discovery/index.js';
import type { Flow } from './flow.js';
import type { Outcome, ShadowVerdict } from './outcome.js';

/** The part of a manifest that outcomes are told with. */
export type OutcomeManifest = Pick<Manifest, 'policies' | 'sites' | 'failure' | 'refusals'>;

function siteText(manifest: OutcomeManifest, site: number): string | null {
  const found = manifest.sites.find((s) => s.site === site);
  if (found === undefined) return null;
  return `${found.file.split('/').at(-1) ?? found.file}:${found.line}`;
}

/** The status of the reply as far as it follows from the decision. */
function statusOf({ request, end }: Flow, { refusals }: OutcomeManifest): number | null {
  if (request === null || end === null) return null;
  if (!request.ok) return refusals[PARSE_REFUSAL[request.status] ?? 'parse'].status;
  return end.verdict === 'allow' ? 200 : refusals[refusalOf(end.reason)].status;
}

/** Describes a flow that has ended; one that has not is a BugError. */
export function describeOutcome(flow: Flow, manifest: OutcomeManifest): Outcome {
  const { end, record } = flow;
  if (end === null) throw new BugError('a connection between two strangers was simulated');
  const site = manifest.sites.find((s) => s.site === record?.site) ?? null;
  const isSilent = end.reason === 'default' || end.reason === 'noAllow';
  const nameOf = (index: number): string | null => manifest.policies[index]?.name ?? null;
  const shadow = manifest.policies.flatMap(({ index, name }): ShadowVerdict[] => {
    const bit = 1n << BigInt(index);
    if (((record?.shadowDeny ?? 0n) & bit) !== 0n) return [{ policy: name, verdict: 'deny' }];
    if (((record?.shadowAllow ?? 0n) & bit) !== 0n) return [{ policy: name, verdict: 'allow' }];
    return [];
  });
  const hasCluster = record !== null || end.reason === 'noEndpoint' || end.reason === 'noRoute';
  return {
    verdict: end.verdict,
    cluster: hasCluster ? (flow.cluster?.name ?? null) : null,
    endpoint: record === null ? null : formatEndpoint(flow.endpoint.address, flow.endpoint.port),
    rule: (site && siteText(manifest, site.site)) ?? (isSilent ? 'default' : end.reason),
    site: site?.site ?? null,
    file: site?.file ?? null,
    line: site?.line ?? null,
    column: site?.column ?? null,
    audit: (record?.audited ?? 0n) !== 0n,
    shadow,
    status: statusOf(flow, manifest),
    edits: [],
    trap: flow.trap,
    fuel: flow.fuel,
    reason: end.reason,
    side: flow.side,
    service: flow.service?.name ?? null,
    route: flow.routeSite === 0 ? null : siteText(manifest, flow.routeSite),
    policy: record === null || record.policy === NO_POLICY ? null : nameOf(record.policy),
  };
}
