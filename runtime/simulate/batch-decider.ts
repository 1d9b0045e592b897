/**
 * Decides blocks of lines of the record format in WASM, for streams of millions: whatever is usual in one
 * call for a block. The lines that are left, and those whose decision stopped, are named to the caller, who
 * has them decided by createInlineDecider: both ways answer the same (test/differential/batch).
 */
import { CONNECTION, encodeHeaderNames, PARTY, policyWords } from '../../compiler/abi/index.js';
import type { Bundle } from '../../compiler/bundle/manifest.js';
import { BugError } from '../../compiler/diagnostic/index.js';
import {
  NO_CLUSTER,
  type PlanEndpoint,
  PROTOCOL,
  planGeneration,
  type World,
} from '../discovery/index.js';
import { BatchModule } from './batch-module.js';
import { BatchPolicies } from './batch-policies.js';
import { encodeConnections } from './connection.js';
import { DEFAULT_NOW } from './draws.js';
import { connectionOf, startFlow } from './flow-steps.js';
import type { BoundPlace, DecideInput } from './outcome.js';
import { indexPlan } from './plan-index.js';
import type { ConnectEnds } from './resolve-connect.js';

/** The texts of a line that say where a connection comes from and goes to. */
export interface EndsText {
  readonly from: string;
  readonly to: string;
  readonly protocol: 'tcp' | 'udp';
  /** JSON of `bound`; null without one. */
  readonly bound: string | null;
}
export interface FoundEnds {
  readonly ends: ConnectEnds;
  /** Where the connection went; null where that is not told. */
  readonly bound: BoundPlace | null;
}

export interface BatchOptions {
  readonly world: World;
  readonly seed: number;
  /** Finds the ends of a line in the world; null where it does not know one. */
  readonly endsOf: (text: EndsText) => FoundEnds | null;
  /** Numbers of the kinds of routes, as rows have them. */
  readonly routeKinds: readonly string[];
}

/** What became of a block. */
export interface BatchAnswer {
  /** Lines of the block. */
  readonly count: number;
  /** As many words a line as the module writes; 0 where nothing was decided. */
  readonly rows: Int32Array<ArrayBuffer>;
  /** Lines, from 0 and in order, that are to be read and decided in the plain way. */
  readonly plain: readonly number[];
  /** Offset of each line in the block. */
  readonly starts: ArrayLike<number>;
}

export interface BatchDecider {
  /** Reads and decides a block of whole lines. */
  readonly decideBlock: (block: Uint8Array, firstLine: number) => BatchAnswer;
  /**
   * Reads a block to be decided any number of times: what was read is kept until the next block. Throws
   * RangeError where the block is too large, or a line of it is not read by the block.
   */
  readonly hold: (block: Uint8Array, firstLine: number) => HeldBlock;
}

/** Records that were read. */
export interface HeldBlock {
  readonly count: number;
  /** Decides them all; false where the decision of one stops. The rows hold until the next call. */
  readonly decide: () => boolean;
  readonly rows: () => Int32Array;
}

const MOST_LINES = 16_384;
const ARENA_BYTES = 8 * 1024 * 1024;
const LINE_WORDS = 2;

/** Starts the policies of a bundle. Throws SimulateError SIMULATE_MODULE where one does not start. */
export function createBatchDecider(
  bundle: Pick<Bundle, 'manifest' | 'wasm'>,
  options: BatchOptions,
): BatchDecider {
  const { manifest } = bundle;
  const index = indexPlan(planGeneration(manifest, options.world));
  const { plan } = index;
  const policies = new BatchPolicies({
    manifest,
    wasm: [...bundle.wasm],
    symbols: plan.symbols,
  });
  const learnEnds = (
    number: number,
    ...[from = 0, fromLength = 0, to = 0, toLength = 0, isUdp = 0, at = 0, length = 0]: number[]
  ): void => {
    const found = options.endsOf({
      from: module.text(from, fromLength),
      to: module.text(to, toLength),
      protocol: isUdp === 1 ? 'udp' : 'tcp',
      bound: at === 0 ? null : module.text(at, length),
    });
    if (found !== null) writeEnds(number, found);
  };
  const module = new BatchModule({ ...policies.imports, learn_ends: learnEnds });
  const { call } = module;
  const writeEnds = (number: number, { ends, bound }: FoundEnds): void => {
    const input: DecideInput = {
      ...ends,
      ...{ random: 0, pick: 0, now: DEFAULT_NOW },
      ...(bound === null ? {} : { bound }),
    };
    const flow = startFlow(input, index, refuse);
    const request = startFlow({ ...input, request: NO_REQUEST }, index, refuse);
    const { source, service, cluster, destination, endpoint, family, policies: attached } = flow;
    call.set_ends(
      number,
      source?.index ?? -1,
      service?.index ?? -1,
      cluster?.index ?? -1,
      request.cluster?.index ?? -1,
      destination?.index ?? -1,
      endpoint.port,
      ends.protocol,
      family,
      Number(index.isHttp(ends.destination.address, ends.destination.port, ends.protocol)),
      ...policyWords(attached),
    );
    const bytes = encodeConnections([connectionOf(flow)]);
    const { destination: second } = CONNECTION;
    module.bytes.set(bytes.subarray(0, PARTY.size), call.ends_source(number));
    module.bytes.set(bytes.subarray(second, second + PARTY.predicates), call.ends_to(number));
    if (bound === null) return;
    call.set_bound(number, bound.port);
    module.bytes.set(bound.address.bytes, call.ends_bound(number));
  };

  const { fuel } = manifest;
  call.setup(options.seed | 0, DEFAULT_NOW, fuel, manifest.default === 'allow' ? 1 : 0);
  module.bytes.set(encodeHeaderNames(manifest.headers), call.names());
  policies.start(module);

  const endpoints: PlanEndpoint[] = [];
  const place = (list: readonly PlanEndpoint[]): readonly [number, number] => {
    const first = endpoints.length;
    endpoints.push(...list);
    return [first, list.length];
  };
  const ranges = plan.clusters.map(({ v4, v6 }) => [...place(v4), ...place(v6)]);
  const routes = plan.routes.length;
  call.set_plan(
    module.room(endpoints.length * call.endpoint_bytes()),
    module.room(ranges.length * call.cluster_bytes()),
    module.room(plan.workloads.length * call.workload_bytes()),
    module.room(routes * 4),
    module.room(routes),
    routes,
  );
  for (const [number, { address, port, workload }] of endpoints.entries()) {
    const isHttp = Number(index.isHttp(address, port, PROTOCOL.tcp));
    module.bytes.set(address.bytes, call.set_endpoint(number, port, workload, isHttp));
  }
  for (const [number, range] of ranges.entries()) call.set_cluster(number, ...range);
  for (const [number, { destination, policies: attached }] of plan.workloads.entries()) {
    const party = { address: null, identity: destination };
    const facts = { policies: 0n, now: 0n, random: 0, destinationPort: 0, protocol: 0 };
    const bytes = encodeConnections([{ source: party, destination: party, family: 4, ...facts }]);
    const identity = bytes.subarray(PARTY.predicates, PARTY.size);
    module.bytes.set(identity, call.set_workload(number, ...policyWords(attached)));
  }
  for (const [number, cluster] of plan.routes.entries()) {
    const kind = manifest.routes[number]?.kind ?? 'cluster';
    const known = plan.clusters[cluster] === undefined ? NO_CLUSTER : cluster;
    call.set_route(number, known, options.routeKinds.indexOf(kind));
  }

  const words = call.columns();
  const [lines, rows] = [module.room(MOST_LINES * 8), module.room(MOST_LINES * words * 4)];
  const [arena, stopped] = [module.room(ARENA_BYTES), module.room(4)];
  let [block, capacity] = [0, 0];

  /** Decides what was read; lines whose decision stops are added to `plain`. */
  const decideRead = (count: number, first: number, plain: number[]): void => {
    const stack = call.__stack_pointer.value;
    for (let from = 0; from < count; ) {
      try {
        call.decide(lines, from, count, rows);
        return;
      } catch (error) {
        if (error instanceof BugError) throw error;
        call.__stack_pointer.value = stack;
        const at = call.at();
        plain.push(first + at);
        from = at + 1;
      }
    }
  };
  const give = (bytes: Uint8Array): void => {
    if (bytes.length > capacity) {
      capacity = bytes.length * 2;
      block = module.room(capacity);
    }
    module.bytes.set(bytes, block);
    module.bytes.fill(0, block + bytes.length, block + bytes.length + 16);
  };
  const room = [lines, MOST_LINES, arena, ARENA_BYTES, stopped];
  return {
    hold: (bytes, firstLine) => {
      give(bytes);
      call.forget_ends();
      const count = call.read(block, bytes.length, 0, firstLine, ...room);
      const table = module.words(lines, count * LINE_WORDS);
      const isWhole = module.view.getUint32(stopped, true) === bytes.length;
      if (!isWhole || table.some((word, i) => i % LINE_WORDS === 0 && word === 0)) {
        throw new RangeError('the block cannot be held');
      }
      return {
        count,
        decide: () => {
          module.words(rows, count * words).fill(0);
          const stops: number[] = [];
          decideRead(count, 0, stops);
          return stops.length === 0;
        },
        rows: () => module.words(rows, count * words),
      };
    },
    decideBlock: (bytes, firstLine) => {
      give(bytes);
      const parts: { readonly rows: Int32Array; readonly starts: readonly number[] }[] = [];
      const plain: number[] = [];
      let count = 0;
      for (let offset = 0; offset < bytes.length; ) {
        if (call.ends_full() !== 0) call.forget_ends();
        const read = call.read(block, bytes.length, offset, firstLine + count, ...room);
        offset = module.view.getUint32(stopped, true);
        const table = module.words(lines, read * LINE_WORDS).slice();
        module.words(rows, read * words).fill(0);
        const stops: number[] = [];
        decideRead(read, count, stops);
        const starts: number[] = [];
        for (let i = 0; i < read; i += 1) {
          starts.push(table[i * LINE_WORDS + 1] ?? 0);
          if (table[i * LINE_WORDS] === 0) plain.push(count + i);
        }
        plain.push(...stops);
        parts.push({ rows: module.words(rows, read * words).slice(), starts });
        count += read;
      }
      plain.sort((a, b) => a - b);
      return {
        count,
        rows: joined(parts.map((p) => p.rows)),
        plain,
        starts: parts.flatMap((p) => p.starts),
      };
    },
  };
}

const NO_REQUEST = { method: 'GET', target: '/', headers: [] };
const refuse = (): { readonly ok: false; readonly status: number } => ({ ok: false, status: 0 });

function joined(parts: readonly Int32Array[]): Int32Array<ArrayBuffer> {
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return first as Int32Array<ArrayBuffer>;
  const out = new Int32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
