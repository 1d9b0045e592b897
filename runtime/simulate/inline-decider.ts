/**
 * Decides one input after the other in the thread that calls it, for streams of millions: the steps of
 * flow-steps.ts, each question asked once. Both ends ask the same of the same bytes, and an answer is
 * a function of the bytes, so the second end is given the first one's. There is no deadline: fuel ends
 * a policy, and whoever wants more runs this in a thread of its own.
 */
import { CONNECTION, HEAD_MAX, REQUEST } from '../../compiler/abi/index.js';
import type { Bundle } from '../../compiler/bundle/manifest.js';
import { BugError } from '../../compiler/diagnostic/index.js';
import type { Plan, World } from '../discovery/index.js';
import { writeConnection } from './connection.js';
import { describeOutcome } from './describe-outcome.js';
import { createEngine, type Stop } from './engine.js';
import type { Flow } from './flow.js';
import {
  chooseEndpoint,
  connectionOf,
  describeStop,
  isAsked,
  isConnectionRouted,
  isForwarded,
  type Level,
  startFlow,
  takeLetBe,
  takeRoute,
  takeVerdict,
} from './flow-steps.js';
import { healthIndex } from './health-index.js';
import type { DecideInput, Outcome } from './outcome.js';
import type { Ask, RecordFields } from './record.js';
import { streamParser } from './request.js';
import { importsName } from './web-assembly.js';

export interface InlineDecider {
  /** Of the world as it stands. */
  readonly plan: Plan;
  /** Whether a policy looks at the clock; else an input's `now` changes nothing. */
  readonly readsClock: boolean;
  readonly decide: (input: DecideInput) => Flow;
  readonly describe: (flow: Flow) => Outcome;
}

function isDenied({ end }: Flow): boolean {
  return end?.verdict === 'deny';
}

/**
 * Starts the policies of a bundle in this thread. Throws SimulateError SIMULATE_MODULE where one does
 * not start.
 */
export function createInlineDecider(
  bundle: Pick<Bundle, 'manifest' | 'wasm'>,
  world: World,
): InlineDecider {
  const { manifest } = bundle;
  const { base, indexFor } = healthIndex(manifest, world);
  const engine = createEngine({ manifest, wasm: [...bundle.wasm], symbols: base.plan.symbols });
  const parseRequest = streamParser(manifest.headers);
  const bytes = new Uint8Array(REQUEST.size);
  const view = new DataView(bytes.buffer);
  const isRoutedBy = (level: Level): boolean =>
    manifest.policies.some(({ exports }) =>
      exports.includes(level === 'connection' ? 'routeConnection' : 'routeRequest'),
    );
  const routes = { connection: isRoutedBy('connection'), request: isRoutedBy('request') };

  const ask = (flow: Flow, what: Ask): RecordFields => {
    const { record, stops } = engine.decideOne(view, what);
    if (stops.length > 0) flow.trap ??= describeStop(stops[0] as Stop);
    return record;
  };
  const write = (flow: Flow): void => {
    bytes.fill(0, 0, CONNECTION.size);
    writeConnection(view, 0, connectionOf(flow));
  };
  /** Writes the head once a flow; what an earlier one left behind it is wiped. */
  let headLength = 0;
  const writeHead = ({ request }: Flow): void => {
    if (request === null || !request.ok)
      throw new BugError('a connection is asked about a request');
    const head = request.bytes.subarray(0, HEAD_MAX);
    bytes.set(request.head.subarray(0, REQUEST.zero - REQUEST.head), REQUEST.head);
    bytes.set(head, REQUEST.bytes);
    if (head.length < headLength) {
      bytes.fill(0, REQUEST.bytes + head.length, REQUEST.bytes + headLength);
    }
    headLength = head.length;
  };

  const route = (flow: Flow): void => {
    if (flow.service === null || flow.policies === 0n || flow.end !== null) return;
    if (routes.connection || (routes.request && flow.request !== null)) write(flow);
    if (routes.connection && isConnectionRouted(flow)) {
      const record = ask(flow, 'route');
      flow.fuel += record.fuel;
      takeRoute(flow, record, 'connection', manifest);
    }
    if (routes.request && flow.request !== null && flow.end === null) {
      const record = ask(flow, 'routeRequest');
      flow.fuel += record.fuel;
      takeRoute(flow, record, 'request', manifest);
    }
  };
  const authorize = (flow: Flow, level: Level): void => {
    if (isDenied(flow) || !isAsked(manifest, flow, level)) return;
    const isRequest = level === 'request';
    const isClient = flow.source !== null;
    const isServer = flow.destination !== null && (!isRequest || isForwarded(flow));
    let said: RecordFields | null = null;
    const judge = (side: Flow['side'], replaces: boolean): void => {
      if (takeLetBe(manifest, flow, side)) return;
      said ??= ask(flow, isRequest ? 'authorizeRequest' : 'authorize');
      flow.fuel += said.fuel;
      takeVerdict(flow, said, side, replaces);
    };
    if (isClient) judge('client', isRequest);
    if (isServer && !isDenied(flow)) judge('server', isRequest && !isClient);
  };

  const decide = (input: DecideInput): Flow => {
    const flow = startFlow(input, indexFor(input), parseRequest);
    if (flow.request?.ok === true) writeHead(flow);
    route(flow);
    chooseEndpoint(flow);
    if (!isDenied(flow)) write(flow);
    authorize(flow, 'connection');
    if (flow.request !== null) authorize(flow, 'request');
    return flow;
  };
  const readsClock = [...bundle.wasm.values()].some((bytes) => importsName(bytes, 'now'));
  return {
    plan: base.plan,
    readsClock,
    decide,
    describe: (flow) => describeOutcome(flow, manifest),
  };
}
