/**
 * tables/<kind>-<count>: what rules of each kind cost at 10 to 100,000 of them: a decision with another
 * random key in each run (all in a rule, then half of them), the whole build, and the memory of the images against the rules as written
 * in binary.
 */
import { join } from 'node:path';
import { DECISION, REQUEST } from '../../compiler/abi/index.js';
import { type Bundle, compileProject } from '../../compiler/index.js';
import { encodePolicyPacket, TEST_MODE } from '../../runtime/agent/harness-codec.js';
import type { Kernel, KernelObject } from '../../runtime/kernel/index.js';
import { v8Snapshot } from '../../runtime/snapshot/index.js';
import { projectOf } from '../support/compile-texts.js';
import { encodeConnection, type Facts, Interner } from '../support/encode-connection.js';
import { encodeRequest, headText, type RequestFacts } from '../support/encode-request.js';
import { benchFile, compileBpf } from './clang.js';
import { benchExactPeers } from './exact-peers.js';
import { type BenchResult, measurePairs } from './pairs.js';
import { DIGITS, type Head, KINDS, STEP, type TableKind } from './tables-kinds.js';
import { timeProgram } from './time-program.js';

const COUNTS = [10, 1_000, 10_000, 100_000];
/** Seconds of CPU that a build may take, and times the raw rules that its images may have, at the most rules. */
const MOST_SECONDS = 20;
const MOST_TIMES = 3;
/** Short slices, so that the best of many is one in which nobody else took the CPU, and with it the caches. */
const REPEAT_SHORT = 100_000;
/** Images of few rules are as large as a page is: their ratio says nothing. */
const JUDGED_FROM = 100_000;

function u32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

export async function benchTables(
  kernel: Kernel,
  folder: string,
  { part, tell }: { readonly part: string; readonly tell: (found: readonly BenchResult[]) => void },
): Promise<readonly BenchResult[]> {
  const harness = {
    connection: compileBpf(benchFile('random-key.bpf.c'), join(folder, 'random-key.o')),
    request: compileBpf(benchFile('random-request.bpf.c'), join(folder, 'random-request.o')),
  };
  const results: BenchResult[] = [];
  const add = (found: readonly BenchResult[]): void => {
    tell(found);
    results.push(...found);
  };
  if (isPart('tables/exact-peers', part)) add(benchExactPeers(kernel, folder));
  for (const kind of KINDS) {
    for (const count of kind.counts ?? COUNTS) {
      if (!isPart(`tables/${kind.name}-${count}`, part)) continue;
      const about = kind.head === null ? 'connection' : 'request';
      add(await benchKind(kernel, harness[about], kind, count));
    }
  }
  return results;
}

/** `tables/exact` is the part of all that begin so, `tables/exact-10` that one. */
function isPart(bench: string, part: string): boolean {
  return /\d$/.test(part) ? bench === part : bench.startsWith(part);
}

/** A figure without a peer beside it: it is compared with what it may be. */
function plain(
  bench: string,
  figure: { readonly metric: string; readonly unit: string; readonly value: number },
  { most, judged }: { readonly most: number; readonly judged: boolean },
): BenchResult {
  const ratio = figure.value / most;
  return {
    bench,
    ...figure,
    peer: 'what it may be',
    peerValue: most,
    ratio,
    low: ratio,
    high: ratio,
    pairs: 1,
    limit: judged ? { kind: 'ratio-at-most', value: 1 } : null,
    held: judged ? (ratio <= 1 ? 'yes' : 'no') : null,
  };
}

async function benchKind(
  kernel: Kernel,
  harness: Uint8Array,
  kind: TableKind,
  count: number,
): Promise<readonly BenchResult[]> {
  const bench = `tables/${kind.name}-${count}`;
  const from = process.cpuUsage();
  const bundle = await build(kind.policy(count));
  const used = process.cpuUsage(from);
  const seconds = (used.user + used.system) / 1e6;
  const bytes = kernel.link([
    { name: 'random-key', bytes: harness },
    { name: 'policy', bytes: bundle.objects.base },
  ]);
  const place = kind.head === null ? 0 : headText(requestOf(kind.head)).indexOf(DIGITS);
  const load = (keys: number): KernelObject => {
    const globals = { weft_bench_count: u32(keys), weft_bench_step: u32(STEP) };
    const where =
      kind.head === null
        ? {
            weft_bench_family: u32(kind.family),
            weft_bench_rules: u32(kind.name === 'rules' ? 1 : 0),
          }
        : { weft_bench_at: u32(place) };
    return kernel.load({ name: 'bench_tables', bytes, globals: { ...globals, ...where } });
  };
  using hits = load(count);
  // Half of so many keys are in no rule.
  using both = load(2 * count);
  const input = putInput(hits, kind, bundle);
  putInput(both, kind, bundle);
  mustFind(hits, input);
  const raw = count * kind.bytes;
  const time = (object: KernelObject, metric: string): BenchResult => {
    const random = object.program('weft_bench_random');
    const empty = object.program('weft_bench_empty');
    return measurePairs({
      bench,
      metric,
      unit: 'ns',
      peer: 'empty harness',
      pairs: 11,
      slices: 30,
      limit: { kind: 'difference-at-most', value: kind.mostNs },
      ours: () => timeProgram(random, input, REPEAT_SHORT),
      theirs: () => timeProgram(empty, input, REPEAT_SHORT),
    });
  };
  return [
    time(hits, 'time_with_random_keys'),
    time(both, 'time_with_hits_and_misses'),
    plain(
      bench,
      { metric: 'build', unit: 's of CPU', value: seconds },
      { most: MOST_SECONDS, judged: count >= JUDGED_FROM },
    ),
    plain(
      bench,
      { metric: 'memory', unit: 'bytes', value: bundle.manifest.cost.tableBytes },
      { most: MOST_TIMES * raw, judged: count >= JUDGED_FROM },
    ),
  ];
}

/** Builds in this process, so that its time can be told. */
async function build(text: string): Promise<Bundle> {
  const texts = new Map([['keys.ts', text]]);
  const outcome = await compileProject({
    project: projectOf(texts),
    read: (path) => texts.get(path) ?? null,
    snapshot: v8Snapshot,
    checkCluster: null,
  });
  if (!outcome.ok) throw new Error(outcome.diagnostics.map((d) => d.message).join('; '));
  return outcome.bundle;
}

const NOBODY = {
  address: new Uint8Array(16),
  family: 4,
  texts: new Map<string, string>(),
} as const;
const FACTS: Facts = {
  source: NOBODY,
  destination: NOBODY,
  port: 80,
  protocol: 6,
  random: 0,
  now: 0n,
  policies: null,
};

function requestOf(head: Head): RequestFacts {
  return { ...FACTS, method: 'GET', target: head.path, headers: [['host', head.host]] };
}

/** The packet of a run; a request goes into the harness's map. */
function putInput(object: KernelObject, { head }: TableKind, { manifest }: Bundle): Uint8Array {
  const interner = new Interner(manifest);
  const connection = encodeConnection(FACTS, manifest, interner);
  const packet = encodePolicyPacket(connection, TEST_MODE.authorize);
  // weft_bench_random reads the connection right behind the head, without the mode word.
  const input = new Uint8Array(packet.length);
  input.set(connection, 16);
  // Bytes 10 and 11 of an address say that it is a mapped IPv4 one.
  input.fill(0xff, 16 + 10, 16 + 12);
  if (head === null) return input;
  const value = new Uint8Array(REQUEST.size + DECISION.size);
  value.set(encodeRequest(requestOf(head), manifest, interner));
  object.map('weft_test_input').update(u32(0), value);
  return input;
}

/** What is timed must be hits, else it says nothing. */
function mustFind(object: KernelObject, input: Uint8Array): void {
  const random = object.program('weft_bench_random');
  for (let i = 0; i < 1000; i++) {
    const { retval } = random.testRun(input, { outSize: input.length });
    if (retval !== 1) throw new Error(`a rule of the table was not found: ${retval}`);
  }
}
