/**
 * What `weft bench` measures of a case: how long it takes to decide, under V8 or in the kernel, and what its
 * policies do meanwhile. A sample is many decisions in a row, since one is shorter than a clock can tell.
 */
import type { Bundle } from '../../compiler/bundle/manifest.js';
import type { World } from '../discovery/index.js';
import type { Kernel } from '../kernel/types.js';
import { batchDecider, recordLine, type TrafficRecord, timeText } from '../record/index.js';
import {
  type Ask,
  createInlineDecider,
  decidePath,
  type EngineAnswer,
  indexPlan,
  openSimulator,
  requestParser,
  type ScenarioCase,
  withHealth,
} from '../simulate/index.js';

export interface CaseFacts {
  readonly verdict: 'allow' | 'deny';
  readonly fuel: number;
  /** Values that the policies computed, and tables and sets that they looked up. */
  readonly steps: number;
  readonly lookups: number;
}
export interface CaseTimes {
  /** ns a decision: the median of the samples, and the one that a hundredth of them exceeds. */
  readonly p50: number;
  readonly p99: number;
  readonly samples: number;
}

/** Decisions of a sample. */
const TOGETHER = 256;
/** Decisions of a sample where each is taken in the plain way, which is slow. */
const TOGETHER_PLAINLY = 16;
const REPEAT_IN_KERNEL = 20_000;
const MOST_SAMPLES = 2000;
const NS_PER_MS = 1e6;

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

/** Samples until the time is up, after some that do not count. */
function sample(ms: number, together: number, decide: () => void): CaseTimes {
  const warm = performance.now() + ms / 4;
  while (performance.now() < warm) decide();
  const until = performance.now() + ms;
  const found: number[] = [];
  do {
    const from = performance.now();
    decide();
    found.push(((performance.now() - from) * NS_PER_MS) / together);
  } while (performance.now() < until && found.length < MOST_SAMPLES);
  found.sort((a, b) => a - b);
  const round = (ns: number): number => Math.round(ns * 10) / 10;
  return {
    p50: round(quantile(found, 0.5)),
    p99: round(quantile(found, 0.99)),
    samples: found.length,
  };
}

/** The case as a record; its ends by address, since a case may choose their family. */
function recordOf({ input }: ScenarioCase, world: World): TrafficRecord {
  const { source, destination, protocol, random, pick, now, request } = input;
  const workload = source.workload === null ? undefined : world.workloads[source.workload];
  const { text } = destination.address;
  return {
    time: timeText(now),
    from: workload?.name ?? source.address?.text ?? '',
    to: `${text.includes(':') ? `[${text}]` : text}:${destination.port}`,
    ...(protocol === 17 ? { protocol: 'udp' } : {}),
    random,
    pick,
    ...(request === undefined
      ? {}
      : {
          request: {
            method: request.method,
            path: request.target,
            ...(request.version === undefined ? {} : { version: request.version }),
            headers: request.headers,
          },
        }),
  };
}

/** Times cases under V8. */
export class WasmTimer {
  private readonly bundle: Bundle;
  private readonly world: World;
  private readonly deciders = new Map<string, ReturnType<typeof batchDecider>>();
  private plain: ReturnType<typeof createInlineDecider> | null = null;

  constructor(bundle: Bundle, world: World) {
    this.bundle = bundle;
    this.world = world;
  }

  time(one: ScenarioCase, ms: number): CaseTimes {
    const { healthy = {} } = one.input;
    const key = JSON.stringify(Object.entries(healthy).sort());
    const decider =
      this.deciders.get(key) ??
      batchDecider(this.bundle, { world: withHealth(this.world, healthy), seed: 0 });
    this.deciders.set(key, decider);
    const line = recordLine(recordOf(one, this.world));
    try {
      const held = decider.hold(Buffer.from(line.repeat(TOGETHER)), 1);
      if (held.decide()) return sample(ms, TOGETHER, held.decide);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
    // A decision that stops, or a request in unusual bytes.
    this.plain ??= createInlineDecider(this.bundle, this.world);
    const { decide } = this.plain;
    return sample(ms, TOGETHER_PLAINLY, () => {
      for (let i = 0; i < TOGETHER_PLAINLY; i += 1) decide(one.input);
    });
  }
}

interface Questions {
  readonly structs: Uint8Array;
  readonly ask: Ask;
}

/** Times the joined policies in the kernel: every question of a case by test-runs, without the hooks around. */
export async function kernelTimer(
  kernel: Kernel,
  bundle: Bundle,
  world: World,
): Promise<Disposable & { time(one: ScenarioCase, ms: number): Promise<CaseTimes> }> {
  const { createKernelSimulator } = await import('../agent/kernel-simulator.js');
  const simulator = createKernelSimulator(kernel, bundle, world);
  const index = indexPlan(simulator.plan);
  const parseRequest = requestParser(bundle.manifest.headers);
  const questionsOf = async ({ input }: ScenarioCase): Promise<readonly Questions[]> => {
    const asked: Questions[] = [];
    const decide = async (structs: Uint8Array, ask: Ask): Promise<EngineAnswer> => {
      asked.push({ structs, ask });
      return simulator.decidePolicy(structs, ask);
    };
    const { manifest } = bundle;
    await decidePath([input], {
      manifest,
      engine: { decide },
      indexFor: () => index,
      parseRequest,
    });
    return asked;
  };
  return {
    time: async (one, ms) => {
      const asked = await questionsOf(one);
      return sample(ms, REPEAT_IN_KERNEL, () => {
        for (const { structs, ask } of asked)
          simulator.repeatPolicy(structs, ask, REPEAT_IN_KERNEL);
      });
    },
    [Symbol.dispose]: () => simulator[Symbol.dispose](),
  };
}

/** What the policies of a bundle do to decide cases, by the run that tells. */
export async function caseFacts(
  bundle: Bundle,
  world: World,
  cases: readonly ScenarioCase[],
): Promise<readonly CaseFacts[]> {
  const { Tracer } = await import('../explain/index.js');
  const tracer = new Tracer(bundle);
  await using simulator = await openSimulator(bundle, { world, startEngine: tracer.startEngine });
  const found: CaseFacts[] = [];
  for (const { input } of cases) {
    tracer.reset();
    const before = tracer.work;
    const { verdict, fuel } = await simulator.simulate(input);
    const steps = tracer.questions.flatMap((question) => question.steps);
    const lookups = steps.filter((step) => step.lookUp !== null).length;
    found.push({ verdict, fuel, steps: tracer.work - before, lookups });
  }
  return found;
}
