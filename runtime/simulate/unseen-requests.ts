/**
 * Requests that are answered here although no node looks at them: those to ports without HTTP, of a bundle that
 * judges requests. On a node only their connection is judged.
 */
import type { Manifest } from '../../compiler/bundle/manifest.js';
import { type Diagnostic, diagnostic, type Position } from '../../compiler/diagnostic/index.js';
import { formatEndpoint, planGeneration, type World } from '../discovery/index.js';
import { CODES } from './codes.js';
import type { DecideInput } from './outcome.js';
import { indexPlan, type PlanIndex } from './plan-index.js';

export interface AskedAt {
  readonly input: DecideInput;
  /** Where it is asked; null where no file asks. */
  readonly at: Position | null;
}

function placeText({ destination, protocol }: DecideInput, index: PlanIndex): string {
  const { address, port } = destination;
  const name =
    index.frontendAt(address, port, protocol)?.service.name ??
    index.workloadAt(address)?.workload.name;
  return name === undefined ? formatEndpoint(address, port) : `${name}:${port}`;
}

/** A warning (W311) for each place that is asked about requests which no node looks at. */
export function unseenRequests(
  manifest: Manifest,
  world: World,
  asked: readonly AskedAt[],
): readonly Diagnostic[] {
  const requests = asked.filter(({ input }) => input.request !== undefined);
  const isJudging = manifest.policies.some(
    ({ exports }) => exports.includes('authorizeRequest') || exports.includes('routeRequest'),
  );
  if (requests.length === 0 || !isJudging) return [];
  const index = indexPlan(planGeneration(manifest, world));
  const found = new Map<string, Diagnostic>();
  for (const { input, at } of requests) {
    const { address, port } = input.destination;
    if (index.isHttp(address, port, input.protocol)) continue;
    const place = placeText(input, index);
    const message = `\`${place}\` is no port with HTTP: on a node nothing looks at this request, its connection alone is judged`;
    const { help = null } = CODES['W311'] ?? {};
    const one = diagnostic('W311', message, { severity: 'warning', at, help });
    found.set(JSON.stringify([place, at]), one);
  }
  return [...found.values()];
}
