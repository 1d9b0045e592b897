/** decision/ten-rules: our code against the same ten rules in C by clang -O2, in the same harness. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FIRST_SYMBOL } from '../../compiler/abi/index.js';
import type { Bundle } from '../../compiler/index.js';
import { encodePolicyPacket, TEST_MODE } from '../../runtime/agent/harness-codec.js';
import { createKernelSimulator } from '../../runtime/agent/index.js';
import type { Kernel } from '../../runtime/kernel/index.js';
import { readRecord } from '../../runtime/simulate/index.js';
import { mustCompile } from '../support/compile-texts.js';
import { encodeConnection, Interner } from '../support/encode-connection.js';
import { fixtureWorld } from '../support/fixture-world.js';
import { benchFile, compileBpf } from './clang.js';
import { type BenchResult, measurePairs } from './pairs.js';
import { timeProgram } from './time-program.js';

const TRIES = 9;
const SLOTS = {
  NAMESPACE: ['namespace', null],
  ACCOUNT: ['serviceAccount', null],
  APP: ['label', 'app'],
  TIER: ['label', 'tier'],
} as const;
const TEXTS = {
  KUBE_SYSTEM: 'kube-system',
  MONITORING: 'monitoring',
  BACKUP: 'backup',
  MIGRATE: 'migrate',
  BATCH: 'batch',
  CRON: 'cron',
  OPS: 'ops',
  EDGE: 'edge',
  LEGACY: 'legacy',
  PROD: 'prod',
  WEB: 'web',
} as const;

/** Slots and symbols of the bundle, as macros for the C peer. */
function macros({ manifest }: Bundle): Record<string, number> {
  const out: Record<string, number> = {};
  for (const [name, [attribute, key]] of Object.entries(SLOTS)) {
    const slot = manifest.attributes.find(
      (a) => a.side === 'source' && a.attribute === attribute && a.key === key,
    );
    if (slot === undefined) throw new Error(`no slot for ${name}`);
    out[name] = slot.slot;
  }
  for (const [name, text] of Object.entries(TEXTS))
    out[name] = manifest.symbols.indexOf(text) + FIRST_SYMBOL;
  return out;
}

/** The connection that only the last rule allows: every rule is looked at. */
function lastRule(bundle: Bundle): Uint8Array {
  const party = (
    texts: Record<string, string>,
  ): Parameters<typeof encodeConnection>[0]['source'] => ({
    address: null,
    family: 4,
    texts: new Map(Object.entries(texts)),
  });
  const facts = {
    source: party({
      namespace: 'prod',
      serviceAccount: 'web',
      'label:app': 'web',
      'label:tier': 'front',
    }),
    destination: party({}),
    port: 8080,
    protocol: 6 as const,
    random: 0,
    now: 0n,
    policies: null,
  };
  return encodeConnection(facts, bundle.manifest, new Interner(bundle.manifest));
}

export async function benchDecision(
  kernel: Kernel,
  folder: string,
): Promise<readonly BenchResult[]> {
  const text = readFileSync(benchFile('ten-rules.policy'), 'utf8');
  const bundle = await mustCompile(new Map([['ten-rules.ts', text]]));
  const peer = compileBpf(benchFile('ten-rules.c'), join(folder, 'ten-rules.o'), macros(bundle));
  const world = fixtureWorld();
  using ours = createKernelSimulator(kernel, bundle, world);
  using theirs = createKernelSimulator(
    kernel,
    { ...bundle, objects: { base: peer, mayGoto: peer } },
    world,
  );
  const connection = lastRule(bundle);
  for (const engine of [ours, theirs]) {
    const { records } = await engine.decidePolicy(connection, 'authorize');
    const { verdict } = readRecord(new DataView(records.buffer, records.byteOffset), 0);
    if (verdict !== 1) throw new Error(`the last rule does not allow: verdict ${verdict}`);
  }
  const packet = encodePolicyPacket(connection, TEST_MODE.authorize);
  const time = (engine: typeof ours, name: string): number =>
    timeProgram(engine.staged.object.program(name), packet);
  // One sample of both sides: four programs by turns, the best of each, so that a slow moment of the
  // machine hits neither side of a subtraction alone.
  const sample = (): { ours: number; theirs: number } => {
    const best = { op: Infinity, oe: Infinity, tp: Infinity, te: Infinity };
    for (let i = 0; i < TRIES; i++) {
      best.op = Math.min(best.op, time(ours, 'weft_test_policy'));
      best.tp = Math.min(best.tp, time(theirs, 'weft_test_policy'));
      best.oe = Math.min(best.oe, time(ours, 'weft_test_empty'));
      best.te = Math.min(best.te, time(theirs, 'weft_test_empty'));
    }
    return { ours: best.op - best.oe, theirs: best.tp - best.te };
  };
  let waiting: { ours: number | null; theirs: number | null } = { ours: null, theirs: null };
  const take = (side: 'ours' | 'theirs'): number => {
    if (waiting[side] === null) waiting = sample();
    const value = waiting[side] ?? Number.NaN;
    waiting = { ...waiting, [side]: null };
    return value;
  };
  return [
    measurePairs({
      bench: 'decision/ten-rules',
      metric: 'time_above_empty_harness',
      unit: 'ns',
      peer: 'clang -O2',
      pairs: 11,
      slices: 1,
      limit: { kind: 'ratio-at-most', value: 1.2 },
      ours: () => take('ours'),
      theirs: () => take('theirs'),
    }),
  ];
}
