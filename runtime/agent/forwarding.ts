/**
 * Runs the agent's part in exchanges (runtime/forward) for the generation that this process loaded:
 * its object, its maps, where the workloads are, which endpoints are still led to.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Bundle } from '../../compiler/bundle/manifest.js';
import type { World } from '../discovery/index.js';
import { type Forward, type PoolKey, startForward } from '../forward/index.js';
import { openFraming, openHeadParser, readHttpModule } from '../http/index.js';
import { cgroupWithId, type Kernel, ownCgroup } from '../kernel/index.js';
import { createSimulator } from '../simulate/index.js';
import { readActive } from './active.js';
import { LAYOUT } from './layout.js';
import { type NodeMaps, openNode } from './node.js';
import { readObject } from './objects.js';
import { type Paths, pinsOf } from './paths.js';
import { openRequestJudge } from './request-judge.js';
import { nodeCgroups } from './stage.js';

export interface ForwardingOptions {
  readonly bundle: Bundle;
  readonly world: World;
  readonly generation: number;
  /** A fault in one exchange; the others go on. */
  readonly onFault: (error: unknown) => void;
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
      const view = new DataView(value.buffer, value.byteOffset);
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

/** Starts it. Rejects with KernelError, VerifierError or SimulateError; then nothing is left. */
export async function startForwarding(
  kernel: Kernel,
  paths: Paths,
  options: ForwardingOptions,
): Promise<Forwarding> {
  const { bundle, world, generation, onFault } = options;
  const node = openNode(kernel, paths);
  const simulator = await createSimulator(bundle, { world });
  const release = async (): Promise<void> => {
    await simulator[Symbol.asyncDispose]();
    node[Symbol.dispose]();
  };
  try {
    const judge = openRequestJudge({
      ...{ bundle, world, simulator, generation },
      workloadOf: (cgroup) => {
        for (const [index, id] of nodeCgroups(paths, world)) if (id === cgroup) return index;
        return null;
      },
    });
    const forward = await startForward({
      ...{ kernel, object: readObject('agent'), map: node.map, onFault },
      framing: openFraming(readHttpModule('frame')),
      parser: openHeadParser(readHttpModule('head'), bundle.manifest.headers),
      ownCgroup: ownCgroup(paths.cgroups),
      cgroupPath: (id) => cgroupWithId(paths.cgroups, id),
      isWanted: endpointFinder(kernel, paths, node),
      judge: judge.judge,
      unavailable: (isHead) => judge.refusal('unavailable', isHead),
      unreadable: judge.unreadable,
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
