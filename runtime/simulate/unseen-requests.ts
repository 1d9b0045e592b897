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

/** Whether a bundle judges or routes requests: else what it says of one is what a node says of its connection. */
export function judgesRequests({ policies }: Pick<Manifest, 'policies'>): boolean {
  return policies.some(
    ({ exports }) => exports.includes('authorizeRequest') || exports.includes('routeRequest'),
  );
}

/** One warning (W311), of one request or as many as are said. */
export function unseenWarning(place: string, at: Position | null, count = 1): Diagnostic {
  const [what, whose] = count === 1 ? ['this request', 'its'] : [`${count} requests`, 'their'];
  const connections = count === 1 ? 'connection alone is' : 'connections alone are';
  const message = `\`${place}\` is no port with HTTP: on a node nothing looks at ${what}, ${whose} ${connections} judged`;
  const { help = null } = CODES['W311'] ?? {};
  return diagnostic('W311', message, { severity: 'warning', at, help });
}

/** A warning (W311) for each place that is asked about requests which no node looks at. */
export function unseenRequests(
  manifest: Manifest,
  world: World,
  asked: readonly AskedAt[],
): readonly Diagnostic[] {
  const requests = asked.filter(({ input }) => input.request !== undefined);
  if (requests.length === 0 || !judgesRequests(manifest)) return [];
  const index = indexPlan(planGeneration(manifest, world));
  const found = new Map<string, Diagnostic>();
  for (const { input, at } of requests) {
    const { address, port } = input.destination;
    if (index.isHttp(address, port, input.protocol)) continue;
    const place = placeText(input, index);
    const one = unseenWarning(place, at);
    found.set(JSON.stringify([place, at]), one);
  }
  return [...found.values()];
}
