/**
 * The kernel's answers in the simulator's shape: the bundle joined with the test harness, loaded
 * beside whatever runs, and asked by test-run. Nothing is pinned or attached; closing it removes
 * all. Fuel is not reported by the kernel and is 0 here.
 */
import {
  CONNECTION,
  DECISION,
  NO_POLICY,
  REASON,
  REQUEST,
  type ReasonName,
  VERDICT,
} from '../../compiler/abi/index.js';
import type { Bundle, Manifest } from '../../compiler/bundle/manifest.js';
import { BugError } from '../../compiler/diagnostic/index.js';
import { formatAddress, type Plan, type World } from '../discovery/index.js';
import type { Kernel, KernelObject, KernelProgram } from '../kernel/index.js';
import {
  ASKED,
  type Ask,
  type ConnectionAsk,
  type DecideInput,
  decidePath,
  type EngineAnswer,
  indexPlan,
  type Outcome,
  type PlanIndex,
  RECORD,
  requestParser,
  type Simulator,
  withHealth,
} from '../simulate/index.js';
import { type DecideResult, decodeResult, encodeInput, encodeU32, LAYOUT, NONE } from './layout.js';
import { readObject } from './objects.js';
import { policyObject } from './policy-object.js';
import { type Staged, stage } from './stage.js';

/** Test-run wants room for an Ethernet header (WEFT_HARNESS_HEAD). */
const HEAD = 16;
const MODE: Readonly<Record<ConnectionAsk, number>> = { route: 1, authorize: 2, both: 3 };
/** struct weft_policy_packet, after the head. */
const POLICY = {
  mode: 0,
  route: 4,
  connection: 8,
  decision: 8 + CONNECTION.size,
  size: 8 + CONNECTION.size + DECISION.size + 8,
} as const;
/** struct weft_request_packet, after the head. */
const REQUEST_PACKET = {
  mode: 0,
  route: 4,
  decision: 8,
  size: 8 + DECISION.size + 8,
} as const;
const INPUT_SIZE = LAYOUT.weft_input.size;
const RESULT_SIZE = LAYOUT.weft_result.size;

const REASON_NAMES = new Map<number, ReasonName>(
  Object.entries(REASON).map(([name, number]) => [number, name as ReasonName]),
);

function run(program: KernelProgram, packet: Uint8Array, repeat = 1): Uint8Array {
  const { retval, dataOut } = program.testRun(packet, { repeat, outSize: packet.length });
  if (retval !== 0) throw new BugError(`\`${program.name}\` answered ${retval}`);
  return dataOut;
}

function decide(program: KernelProgram, input: Uint8Array): DecideResult {
  const packet = new Uint8Array(HEAD + INPUT_SIZE + RESULT_SIZE);
  packet.set(input, HEAD);
  return decodeResult(run(program, packet).subarray(HEAD + INPUT_SIZE));
}

/** Client side, then server side, as the two hooks would see one connection. */
function decideBothEnds(
  staged: Staged,
  input: DecideInput,
): { client: DecideResult | null; server: DecideResult | null } {
  const { workload, address } = input.source;
  const { random, pick, now, protocol } = input;
  const common = { now, random, pick, protocol };
  let client: DecideResult | null = null;
  let place = {
    destination: input.destination.address.bytes,
    port: input.destination.port,
    workload: staged.plan.workloads.findIndex((w) =>
      w.addresses.some((a) => a.text === input.destination.address.text),
    ),
  };
  if (workload !== null) {
    const packet = encodeInput({
      ...common,
      destination: place.destination,
      workload,
      port: place.port,
    });
    client = decide(staged.object.program('weft_test_connect'), packet);
    if (client.verdict !== VERDICT.allow || client.destination === NONE)
      return { client, server: null };
    place = {
      destination: client.endpoint,
      port: client.endpointPort,
      workload: client.destination,
    };
  }
  const family = input.destination.address.family;
  const known = workload === null ? undefined : staged.plan.workloads[workload];
  const from = known === undefined ? address : family === 4 ? known.v4 : known.v6;
  const packet = encodeInput({
    ...common,
    ...place,
    source: (from ?? input.destination.address).bytes,
  });
  return { client, server: decide(staged.object.program('weft_test_ingress'), packet) };
}

function endpointText(result: DecideResult): string {
  const text = formatAddress(result.endpoint);
  return `${text.includes(':') ? `[${text}]` : text}:${result.endpointPort}`;
}

function siteText(manifest: Manifest, site: number): string | null {
  const found = manifest.sites.find((s) => s.site === site);
  return found === undefined ? null : `${found.file.split('/').at(-1) ?? ''}:${found.line}`;
}

function reasonOf(result: DecideResult): ReasonName {
  const reason = REASON_NAMES.get(result.reason);
  if (reason === undefined) throw new BugError(`the kernel gave no known reason: ${result.reason}`);
  return reason;
}

/** Reasons that end a decision before any verdict of a policy. */
const EARLY: readonly ReasonName[] = ['noEndpoint', 'noRoute', 'unknownIdentity', 'noGeneration'];

/** In the words of the simulator; the first answer stands unless the second denies. */
function outcomeOf(
  manifest: Manifest,
  plan: Plan,
  ends: { client: DecideResult | null; server: DecideResult | null },
): Outcome {
  const { client, server } = ends;
  const isServer = client === null || (server !== null && server.verdict !== VERDICT.allow);
  const spoken = isServer ? server : client;
  if (spoken === null) throw new BugError('neither end was asked');
  const reason = reasonOf(spoken);
  const routed = client ?? spoken;
  const masks = (field: 'audited' | 'shadowAllow' | 'shadowDeny'): bigint =>
    (client?.[field] ?? 0n) | (server?.[field] ?? 0n);
  const site = manifest.sites.find((s) => s.site === spoken.site) ?? null;
  const routeStopped = reason === 'trap' || reason === 'fuel' ? routed.route >= 0xfff0 : false;
  const hasEndpoint =
    !EARLY.includes(reason) && !(routeStopped && spoken.verdict !== VERDICT.allow);
  return {
    verdict: spoken.verdict === VERDICT.allow ? 'allow' : 'deny',
    cluster: routeStopped && !hasEndpoint ? null : (plan.clusters[routed.cluster]?.name ?? null),
    endpoint: hasEndpoint ? endpointText(routed) : null,
    rule:
      siteText(manifest, spoken.site) ??
      (reason === 'default' || reason === 'noAllow' ? 'default' : reason),
    site: site?.site ?? null,
    file: site?.file ?? null,
    line: site?.line ?? null,
    column: site?.column ?? null,
    audit: masks('audited') !== 0n,
    shadow: manifest.policies.flatMap(({ index, name }): Outcome['shadow'] => {
      const bit = 1n << BigInt(index);
      if ((masks('shadowDeny') & bit) !== 0n) return [{ policy: name, verdict: 'deny' }];
      return (masks('shadowAllow') & bit) !== 0n ? [{ policy: name, verdict: 'allow' }] : [];
    }),
    status: null,
    edits: [],
    location: null,
    trap: null,
    fuel: 0,
    reason,
    side: isServer ? 'server' : 'client',
    service: plan.services[routed.service]?.name ?? null,
    route: routed.routeSite === 0 ? null : siteText(manifest, routed.routeSite),
    routeKind: null,
    policy: spoken.policy === NO_POLICY ? null : (manifest.policies[spoken.policy]?.name ?? null),
  };
}

function decidePolicies(
  staged: Staged,
  connections: Uint8Array,
  ask: ConnectionAsk,
  repeat: number,
): EngineAnswer {
  const count = connections.byteLength / CONNECTION.size;
  if (!Number.isInteger(count)) {
    throw new BugError(`${connections.byteLength} bytes are no whole number of connections`);
  }
  const program = staged.object.program('weft_test_policy');
  const records = new Uint8Array(count * RECORD.size);
  const packet = new Uint8Array(HEAD + POLICY.size);
  for (let i = 0; i < count; i += 1) {
    packet.fill(0);
    packet[HEAD + POLICY.mode] = MODE[ask];
    const connection = connections.subarray(i * CONNECTION.size, (i + 1) * CONNECTION.size);
    packet.set(connection, HEAD + POLICY.connection);
    const out = run(program, packet, repeat);
    const decision = HEAD + POLICY.decision;
    if (ask !== 'route') {
      records.set(out.subarray(decision, decision + DECISION.size), i * RECORD.size);
    }
    const route = out.subarray(HEAD + POLICY.route, HEAD + POLICY.route + 4);
    records.set(route, i * RECORD.size + RECORD.route);
  }
  return { records, stops: [] };
}

/** The request policies alone, joined with the harness that is made for them. */
function loadRequests(kernel: Kernel, bundle: Bundle): KernelObject {
  const joined = kernel.link([
    { name: 'request-harness', bytes: readObject('request-harness') },
    { name: 'policy', bytes: policyObject(kernel, bundle) },
  ]);
  return kernel.load({ name: 'weft_requests', bytes: joined });
}

function decideRequests(
  object: KernelObject,
  requests: Uint8Array,
  ask: Ask,
  repeat: number,
): EngineAnswer {
  const count = requests.byteLength / REQUEST.size;
  if (!Number.isInteger(count)) {
    throw new BugError(`${requests.byteLength} bytes are no whole number of requests`);
  }
  const program = object.program('weft_test_request');
  const map = object.map('weft_test_input');
  const { authorize, route } = ASKED[ask];
  const records = new Uint8Array(count * RECORD.size);
  const packet = new Uint8Array(HEAD + REQUEST_PACKET.size);
  packet[HEAD + REQUEST_PACKET.mode] = (route === null ? 0 : 1) + (authorize === null ? 0 : 2);
  const value = new Uint8Array(REQUEST.size + DECISION.size);
  for (let i = 0; i < count; i += 1) {
    value.set(requests.subarray(i * REQUEST.size, (i + 1) * REQUEST.size));
    map.update(encodeU32(0), value);
    const out = run(program, packet, repeat);
    const decision = HEAD + REQUEST_PACKET.decision;
    if (authorize !== null) {
      records.set(out.subarray(decision, decision + DECISION.size), i * RECORD.size);
    }
    const answer = out.subarray(HEAD + REQUEST_PACKET.route, HEAD + REQUEST_PACKET.route + 4);
    records.set(answer, i * RECORD.size + RECORD.route);
  }
  return { records, stops: [] };
}

export interface KernelSimulator
  extends Omit<Simulator, keyof AsyncDisposable | 'decide'>,
    Disposable {
  /** The harness programs, for measurements. */
  readonly staged: Staged;
  /** Asks about one struct again and again within the kernel; the answer is thrown away. */
  readonly repeatPolicy: (struct: Uint8Array, ask: Ask, repeat: number) => void;
}

/**
 * Loads a bundle with the harness. Throws PlanError, KernelError or VerifierError with nothing left
 * behind.
 */
export function createKernelSimulator(
  kernel: Kernel,
  bundle: Bundle,
  world: World,
): KernelSimulator {
  const load = (of: World): Staged =>
    stage(kernel, bundle, of, {
      generation: 0,
      nodeMaps: {},
      cgroups: new Map(),
      clockOffset: 0n,
      part: 'harness',
    });
  const base = load(world);
  const others = new Map<string, Staged>();
  const stagedFor = ({ healthy }: DecideInput): Staged => {
    if (healthy === undefined) return base;
    const key = JSON.stringify(Object.entries(healthy).sort());
    const staged = others.get(key) ?? load(withHealth(world, healthy));
    others.set(key, staged);
    return staged;
  };
  let requests: KernelObject | null = null;
  const decidePolicy = (structs: Uint8Array, ask: Ask, repeat = 1): EngineAnswer => {
    if (ask === 'route' || ask === 'authorize' || ask === 'both') {
      return decidePolicies(base, structs, ask, repeat);
    }
    requests ??= loadRequests(kernel, bundle);
    return decideRequests(requests, structs, ask, repeat);
  };
  const parseRequest = requestParser(bundle.manifest.headers);
  /** The path as the simulator takes it, with the kernel's policies: no hook does it for requests yet. */
  const simulateRequest = async (input: DecideInput): Promise<Outcome> => {
    const { manifest } = bundle;
    const decide = async (structs: Uint8Array, ask: Ask): Promise<EngineAnswer> =>
      decidePolicy(structs, ask);
    const indexFor = (of: DecideInput): PlanIndex => indexPlan(stagedFor(of).plan);
    const [outcome] = await decidePath([input], {
      manifest,
      engine: { decide },
      indexFor,
      parseRequest,
    });
    if (outcome === undefined) throw new BugError('one input, no outcome');
    return outcome;
  };
  const simulate = async (input: DecideInput): Promise<Outcome> => {
    if (input.request !== undefined) return simulateRequest(input);
    const staged = stagedFor(input);
    return outcomeOf(bundle.manifest, staged.plan, decideBothEnds(staged, input));
  };
  return {
    world,
    plan: base.plan,
    staged: base,
    simulate,
    simulateAll: (inputs) => Promise.all(inputs.map(simulate)),
    decidePolicy: async (structs, ask) => decidePolicy(structs, ask),
    repeatPolicy: (struct, ask, repeat) => {
      decidePolicy(struct, ask, repeat);
    },
    [Symbol.dispose]: () => {
      requests?.[Symbol.dispose]();
      for (const staged of [...others.values(), base]) staged[Symbol.dispose]();
    },
  };
}
