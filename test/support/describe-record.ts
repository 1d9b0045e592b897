/** A record of an engine in the words of a case file. */
import {
  REASON,
  ROUTE_BITS,
  ROUTE_MASK,
  ROUTE_STOPPED,
  VERDICT,
} from '../../compiler/abi/index.js';
import type { Manifest, ManifestRoute } from '../../compiler/bundle/manifest.js';
import type { RecordFields } from '../../runtime/simulate/index.js';

const REASONS = new Map<number, string>(Object.entries(REASON).map(([name, n]) => [n, name]));

export interface Words {
  readonly answer: string;
  readonly rule: string | null;
}

function ruleOf(manifest: Manifest, site: number): string | null {
  const found = manifest.sites.find((s) => s.site === site);
  return found ? `${found.file.split('/').at(-1)}:${found.line}` : null;
}

/** `reviews/v1`, `edited:reviews/v1`, `reply:404`, `redirect:302`, `waypoint`. */
function routeWord(route: ManifestRoute | undefined): string | undefined {
  switch (route?.kind) {
    case 'cluster':
      return route.edits.length === 0 ? route.name : `edited:${route.name}`;
    case 'reply':
      return `reply:${route.reply.status}`;
    case 'redirect':
      return `redirect:${route.redirect.status}`;
    default:
      return route?.kind;
  }
}

/** The verdict and its rule (or reason); the route's cluster and its rule. */
export function describeRecord(
  record: RecordFields,
  manifest: Manifest,
  ask: 'authorize' | 'route',
): Words {
  if (ask === 'authorize') {
    const answer =
      record.verdict === VERDICT.allow
        ? 'allow'
        : record.verdict === VERDICT.deny
          ? 'deny'
          : `verdict ${record.verdict}`;
    const reason = REASONS.get(record.reason) ?? `reason ${record.reason}`;
    return { answer, rule: reason === 'policy' ? ruleOf(manifest, record.site) : reason };
  }
  const route = record.route & ROUTE_MASK;
  if (route === ROUTE_STOPPED.trap || route === ROUTE_STOPPED.fuel) {
    return { answer: 'stopped', rule: route === ROUTE_STOPPED.trap ? 'trap' : 'fuel' };
  }
  if (route === 0) return { answer: 'none', rule: null };
  return {
    answer: routeWord(manifest.routes[route - 1]) ?? `route ${route}`,
    rule: ruleOf(manifest, record.route >>> ROUTE_BITS),
  };
}
