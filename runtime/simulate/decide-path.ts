/**
 * Takes connections through both ends (see flow-steps.ts) with an engine that is asked in batches, so
 * that a scenario crosses the thread boundary a few times.
 */
import { REQUEST } from '../../compiler/abi/index.js';
import { BugError } from '../../compiler/diagnostic/index.js';
import { encodeConnections } from './connection.js';
import { describeOutcome, type OutcomeManifest } from './describe-outcome.js';
import type { Flow } from './flow.js';
import {
  chooseEndpoint,
  connectionOf,
  describeStop,
  isAsked,
  isConnectionRouted,
  isForwarded,
  startFlow,
  takeLetBe,
  takeRoute,
  takeVerdict,
} from './flow-steps.js';
import type { DecideInput, Outcome } from './outcome.js';
import type { PlanIndex } from './plan-index.js';
import { ASKED, type Ask, type RecordFields, readRecord } from './record.js';
import { encodeRequests, type RequestFields, type RequestParser } from './request.js';
import type { WorkerEngine } from './worker-engine.js';

function requestOf(flow: Flow): RequestFields[] {
  const { request } = flow;
  if (request === null || !request.ok) throw new BugError('a connection is asked about a request');
  return [{ connection: connectionOf(flow), head: request.head, bytes: request.bytes }];
}

/** Asks the same question of some flows and hands each its record. */
async function askAll(
  engine: Pick<WorkerEngine, 'decide'>,
  flows: readonly Flow[],
  ask: Ask,
  take: (flow: Flow, record: RecordFields) => void,
): Promise<void> {
  if (flows.length === 0) return;
  const isRequest = ASKED[ask].size === REQUEST.size;
  const structs = isRequest
    ? encodeRequests(flows.flatMap(requestOf))
    : encodeConnections(flows.map(connectionOf));
  const { records, stops } = await engine.decide(structs, ask);
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
  for (const [index, flow] of flows.entries()) {
    const record = readRecord(view, index);
    const stop = stops.find((s) => s.index === index);
    flow.fuel += record.fuel;
    if (stop !== undefined) flow.trap ??= describeStop(stop);
    take(flow, record);
  }
}

export interface DecidePathOptions {
  readonly manifest: OutcomeManifest;
  readonly engine: Pick<WorkerEngine, 'decide'>;
  /** The plan for an input's health. */
  readonly indexFor: (input: DecideInput) => PlanIndex;
  readonly parseRequest: RequestParser;
}

/** Takes connections through both ends, in order. */
export async function decideFlows(
  inputs: readonly DecideInput[],
  { manifest, engine, indexFor, parseRequest }: DecidePathOptions,
): Promise<readonly Flow[]> {
  const flows = inputs.map((input) => startFlow(input, indexFor(input), parseRequest));
  const routed = flows.filter(
    (flow) => flow.service !== null && flow.policies !== 0n && flow.end === null,
  );
  await askAll(engine, routed.filter(isConnectionRouted), 'route', (flow, record) =>
    takeRoute(flow, record, 'connection', manifest),
  );
  // A request goes where its own route says, else where its connection goes.
  const requests = routed.filter((flow) => flow.request !== null && flow.end === null);
  await askAll(engine, requests, 'routeRequest', (flow, record) =>
    takeRoute(flow, record, 'request', manifest),
  );
  for (const flow of flows) chooseEndpoint(flow);
  for (const level of ['connection', 'request'] as const) {
    const ask = level === 'connection' ? 'authorize' : 'authorizeRequest';
    const isOpen = (flow: Flow): boolean =>
      flow.end?.verdict !== 'deny' && isAsked(manifest, flow, level);
    const clients = flows.filter(
      (flow) => flow.source !== null && isOpen(flow) && !takeLetBe(manifest, flow, 'client'),
    );
    await askAll(engine, clients, ask, (flow, record) =>
      takeVerdict(flow, record, 'client', level === 'request'),
    );
    const servers = flows.filter(
      (flow) =>
        flow.destination !== null &&
        isOpen(flow) &&
        (level === 'connection' || isForwarded(flow)) &&
        !takeLetBe(manifest, flow, 'server'),
    );
    await askAll(engine, servers, ask, (flow, record) =>
      takeVerdict(flow, record, 'server', level === 'request' && flow.source === null),
    );
  }
  return flows;
}

/** The same, told in words; an input between two strangers is a BugError. */
export async function decidePath(
  inputs: readonly DecideInput[],
  options: DecidePathOptions,
): Promise<Outcome[]> {
  const flows = await decideFlows(inputs, options);
  return flows.map((flow) => describeOutcome(flow, options.manifest));
}
