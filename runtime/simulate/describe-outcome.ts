/** Says what became of a connection, with the source line that decided. */
import { NO_POLICY, PARSE_REFUSAL, refusalOf } from '../../compiler/abi/index.js';
import type { Manifest } from '../../compiler/bundle/manifest.js';
import { BugError } from '../../compiler/diagnostic/index.js';
import { formatEndpoint } from '../discovery/index.js';
import { describeEdits, locationOf, redirectedOf } from '../http/index.js';
import type { Flow } from './flow.js';
import type { Outcome, ShadowVerdict } from './outcome.js';

/** The part of a manifest that outcomes are told with. */
export type OutcomeManifest = Pick<
  Manifest,
  'policies' | 'routes' | 'sites' | 'failure' | 'refusals'
>;

function siteText(manifest: OutcomeManifest, site: number): string | null {
  const found = manifest.sites.find((s) => s.site === site);
  if (found === undefined) return null;
  return `${found.file.split('/').at(-1) ?? found.file}:${found.line}`;
}

interface Told {
  /** Of the reply, as far as it follows from the decision: a forwarded request is taken to succeed. */
  readonly status: number | null;
  readonly edits: readonly string[];
  readonly location: string | null;
}

const NOTHING: Told = { status: null, edits: [], location: null };

/** What the client hears, and what becomes of the request on its way. */
function tell({ request, end, answer, input }: Flow, { refusals }: OutcomeManifest): Told {
  if (request === null || end === null) return NOTHING;
  if (!request.ok) {
    return { ...NOTHING, status: refusals[PARSE_REFUSAL[request.status] ?? 'parse'].status };
  }
  if (end.verdict === 'deny') return { ...NOTHING, status: refusals[refusalOf(end.reason)].status };
  switch (answer?.kind) {
    case 'reply':
      return { ...NOTHING, status: answer.reply.status, location: answer.location };
    case 'redirect': {
      const location = locationOf(
        answer.redirect,
        redirectedOf(request.parsed, input.destination.port),
      );
      return { ...NOTHING, status: answer.redirect.status, location };
    }
    case 'cluster':
      return { ...NOTHING, status: 200, edits: describeEdits(request.parsed, answer.edits) };
    default:
      return { ...NOTHING, status: 200 };
  }
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
  const isAnswered =
    end.verdict === 'allow' && (flow.answer?.kind === 'reply' || flow.answer?.kind === 'redirect');
  const hasCluster = record !== null || end.reason === 'noEndpoint' || end.reason === 'noRoute';
  return {
    verdict: end.verdict,
    cluster: hasCluster && !isAnswered ? (flow.cluster?.name ?? null) : null,
    endpoint:
      record === null || isAnswered
        ? null
        : formatEndpoint(flow.endpoint.address, flow.endpoint.port),
    rule: (site && siteText(manifest, site.site)) ?? (isSilent ? 'default' : end.reason),
    site: site?.site ?? null,
    file: site?.file ?? null,
    line: site?.line ?? null,
    column: site?.column ?? null,
    audit: (record?.audited ?? 0n) !== 0n,
    shadow,
    ...tell(flow, manifest),
    trap: flow.trap,
    fuel: flow.fuel,
    reason: end.reason,
    side: flow.side,
    service: flow.service?.name ?? null,
    route: flow.routeSite === 0 ? null : siteText(manifest, flow.routeSite),
    routeKind: flow.answer?.kind ?? null,
    policy: record === null || record.policy === NO_POLICY ? null : nameOf(record.policy),
  };
}
