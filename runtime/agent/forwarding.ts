/**
 * Runs the agent's part in exchanges (runtime/forward) for the active generation, whoever loaded it:
 * its maps, its bundle and world, which endpoints are still led to.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  type DescriptorStore,
  type Forward,
  NO_STORE,
  type PoolKey,
  type Predecessor,
  startForward,
} from '../forward/index.js';
import { openFraming, openHeadParser, readHttpModule } from '../http/index.js';
import { cgroupWithId, type Kernel, ownCgroup, viewOf } from '../kernel/index.js';
import { readActive } from './active.js';
import { openActiveJudge } from './active-judge.js';
import { AgentError } from './agent-error.js';
import { CODES } from './codes.js';
import { LAYOUT } from './layout.js';
import { type NodeMaps, openNode } from './node.js';
import { readObject } from './objects.js';
import { type Paths, pinsOf } from './paths.js';

export interface ForwardingOptions {
  /** A fault in one exchange; the others go on. */
  readonly onFault: (error: unknown) => void;
  /** Where pooled connections outlive this process; absent: nowhere. */
  readonly store?: DescriptorStore;
  /** The agent that hands over to this one; absent: nobody does. */
  readonly predecessor?: Predecessor | undefined;
}

export interface Forwarding extends AsyncDisposable {
  readonly forward: Forward;
}

function endpointText(address: Uint8Array, port: number): string {
  return `${Buffer.from(address).toString('hex')}:${port}`;
}

/** Endpoints of the active generation; read again when that changes. */
function endpointFinder(kernel: Kernel, paths: Paths, node: NodeMaps): (key: PoolKey) => boolean {
  let generation: number | null = null;
  let known = new Set<string>();
  const read = (active: number): Set<string> => {
    const pin = join(pinsOf.generation(paths, active), 'maps', 'weft_endpoints');
    if (!existsSync(pin)) return new Set();
    using endpoints = kernel.openMap(pin);
    const at = LAYOUT.weft_endpoint;
    const texts = endpoints.keys().flatMap((key) => {
      const value = endpoints.lookup(key);
      if (value === null) return [];
      const view = viewOf(value);
      const address = value.subarray(at.address, at.address + 16);
      return [endpointText(address, view.getUint16(at.port, true))];
    });
    return new Set(texts);
  };
  return ({ endpoint }) => {
    const active = readActive(node.map('weft_active'));
    if (active === null) return false;
    if (active !== generation) known = read(active);
    generation = active;
    return known.has(endpointText(endpoint.address, endpoint.port));
  };
}

/** It opens connections in the namespaces of workloads, and ends theirs. */
function requireReach(kernel: Kernel): void {
  if (kernel.canReachProcesses()) return;
  const message = 'this process may not look into those of workloads (CAP_SYS_PTRACE)';
  throw new AgentError('A026', message, CODES['A026']?.help ?? null);
}

/**
 * Starts it, for whatever generation is active and will be. Rejects with AgentError (A026), KernelError,
 * VerifierError or SimulateError; then nothing is left.
 */
export async function startForwarding(
  kernel: Kernel,
  paths: Paths,
  { onFault, store = NO_STORE, predecessor }: ForwardingOptions,
): Promise<Forwarding> {
  requireReach(kernel);
  const node = openNode(kernel, paths);
  const judged = { kernel, paths, map: node.map };
  const judges = openActiveJudge(judged, () => readActive(node.map('weft_active')));
  const release = async (): Promise<void> => {
    await judges[Symbol.asyncDispose]();
    node[Symbol.dispose]();
  };
  try {
    const forward = await startForward({
      ...{ kernel, object: readObject('agent'), map: node.map, onFault, store, predecessor },
      framing: openFraming(readHttpModule('frame')),
      // Names of headers are for policies: the judge reads its requests itself.
      parser: openHeadParser(readHttpModule('head')),
      ownCgroup: ownCgroup(paths.cgroups),
      cgroupPath: (id) => cgroupWithId(paths.cgroups, id),
      isWanted: endpointFinder(kernel, paths, node),
      judge: judges.judge,
      unavailable: judges.unavailable,
      unreadable: judges.unreadable,
    });
    return {
      forward,
      [Symbol.asyncDispose]: async () => {
        forward.close();
        await release();
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}
