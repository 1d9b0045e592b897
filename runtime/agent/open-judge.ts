/** Opens the judge of requests of one generation, from what was kept of it. */
import type { Bundle } from '../../compiler/bundle/manifest.js';
import { createSimulator, type Simulator } from '../simulate/index.js';
import { type JudgedNode, openAccount } from './account.js';
import { readSource } from './read-source.js';
import { openRequestJudge, type RequestJudge } from './request-judge.js';
import { nodeCgroups } from './stage.js';

export type Refusals = Bundle['manifest']['refusals'];

export interface OpenedJudge extends AsyncDisposable {
  readonly judge: RequestJudge;
  readonly refusals: Refusals;
}

/** Null where nothing was kept of the generation. Rejects with SimulateError, KernelError. */
export async function openJudge(node: JudgedNode, generation: number): Promise<OpenedJudge | null> {
  const { paths } = node;
  const source = readSource(paths, generation);
  if (source === null) return null;
  const { bundle, world } = source;
  const account = openAccount(node, generation);
  let simulator: Simulator;
  try {
    simulator = await createSimulator(bundle, { world });
  } catch (error) {
    account[Symbol.dispose]();
    throw error;
  }
  let workloads = new Map<bigint, number>();
  const judge = openRequestJudge({
    ...{ bundle, world, simulator, account },
    workloadOf: (cgroup) => {
      if (!workloads.has(cgroup)) {
        workloads = new Map([...nodeCgroups(paths, world)].map(([index, id]) => [id, index]));
      }
      return workloads.get(cgroup) ?? null;
    },
  });
  return {
    judge,
    refusals: bundle.manifest.refusals,
    [Symbol.asyncDispose]: async () => {
      account[Symbol.dispose]();
      await simulator[Symbol.asyncDispose]();
    },
  };
}
