/**
 * Bundles of more policies than a word has bits: V8, Wasmtime and the kernel agree on the same structs, with policies
 * attached on both sides of each word's end; and on whole ways in a world where each policy has its own targets, so
 * that one of the second word holds where it is attached and nowhere else. The projects grow, and what was compiled is kept.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Attachment } from '../../compiler/bundle/manifest.js';
import { type Bundle, compileProject, PolicyCache } from '../../compiler/index.js';
import { createKernelSimulator } from '../../runtime/agent/index.js';
import { openKernel } from '../../runtime/kernel/index.js';
import {
  COLUMN,
  createBlockDecider,
  createRecordDecider,
  lineBlocks,
  parseLines,
} from '../../runtime/record/index.js';
import {
  createSimulator,
  DEFAULT_NOW,
  type DecideInput,
  resolveConnect,
} from '../../runtime/simulate/index.js';
import { v8Snapshot } from '../../runtime/snapshot/index.js';
import { projectOf } from '../support/compile-texts.js';
import { encodeAll, type Facts, Interner } from '../support/encode-connection.js';
import { kernelEngine, type TestEngine, wasmEngine, wasmtimeEngine } from '../support/engines.js';
import { fixtureWorld } from '../support/fixture-world.js';
import { generateConnection } from '../support/generate-connection.js';
import { POOLS } from '../support/generate-pools.js';
import { Prng } from '../support/prng.js';
import { sameAnswer } from '../support/same-answer.js';

/** Each policy takes a quarter of a second to compile: the whole is WEFT_POLICY_COUNTS=65,100,128. */
const COUNTS = (process.env['WEFT_POLICY_COUNTS'] ?? '65,70').split(',').map(Number);
const MOST = Math.max(...COUNTS);
const DECISIONS = 1500;
const VERSIONS = 5;
/** Where a word or a group ends or begins. */
const EDGES = [0, 7, 8, 31, 32, 62, 63, 64, 65, 71, 72, 99, 126, 127];

/** Each asks about its own version's port or source; every seventh routes too, every fifth is a shadow. */
function textOf(index: number): string {
  const port = POOLS.ports[index % POOLS.ports.length] ?? 443;
  const namespace = POOLS.namespaces[index % POOLS.namespaces.length] ?? 'prod';
  const route = `const to = cluster("reviews.prod/v${(index % VERSIONS) + 1}");
export function routeConnection(connection: Connection): Route {
  return connection.destination.port == ${index} || connection.source.serviceAccount.is("reviews") ? to : Route.None;
}
`;
  return `import { cluster, Connection, Route, Verdict } from "weft";
${index % 7 === 1 ? route : ''}export function authorizeConnection(connection: Connection): Verdict {
  if (connection.destination.port == ${port}) return Verdict.${index % 2 === 0 ? 'Allow' : 'Audit'};
  if (connection.source.namespace.is("${namespace}")) return Verdict.${index % 3 === 0 ? 'Deny' : 'Pass'};
  return Verdict.${index % 4 === 0 ? 'Allow' : 'Pass'};
}
`;
}

const cache = new PolicyCache();

async function compile(count: number): Promise<Bundle> {
  const names = Array.from({ length: count }, (_, i) => `p${i}.ts`);
  const texts = new Map(names.map((file, i) => [file, textOf(i)]));
  const project = projectOf(texts);
  const attach = (i: number): readonly Attachment[] => [
    { workload: { version: `v${(i % VERSIONS) + 1}` } },
    { service: 'reviews', namespace: 'prod' },
  ];
  const policies = project.policies.map((policy, i) => ({
    ...policy,
    mode: i % 5 === 3 ? ('shadow' as const) : ('enforce' as const),
    attach: i % 7 === 1 ? attach(i) : attach(i).slice(0, 1),
  }));
  const outcome = await compileProject({
    project: { ...project, policies },
    read: (path) => texts.get(path) ?? null,
    snapshot: v8Snapshot,
    checkCluster: null,
    cache,
  });
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.diagnostics.slice(0, 3)));
  return outcome.bundle;
}

/** Some policies, about as often few as many; each edge alone, and with its neighbour. */
function attached(random: Prng, count: number, i: number): readonly number[] {
  const edge = EDGES[i % EDGES.length] ?? 0;
  if (i < EDGES.length) return edge < count ? [edge] : [];
  if (i < 2 * EDGES.length) return [edge, edge + 1].filter((p) => p < count);
  const one = random.pick([1, 2, 10, 50]);
  return Array.from({ length: count }, (_, p) => p).filter(() => random.oneIn(one));
}

async function compareStructs(bundle: Bundle, count: number): Promise<void> {
  const random = new Prng(count);
  const facts = Array.from({ length: DECISIONS }, (_, i): Facts => {
    const policies = attached(random, count, i);
    return { ...generateConnection(random), policies };
  });
  const interner = new Interner(bundle.manifest);
  const bytes = encodeAll(facts, bundle.manifest, interner);
  using v8 = wasmEngine(bundle, interner.added);
  const answers = await v8.decide(bytes, 'both');
  const others: readonly (() => TestEngine)[] = [
    () => wasmtimeEngine(bundle, interner.added),
    () => kernelEngine(bundle),
  ];
  for (const open of others) {
    using engine = open();
    for (const [i, answer] of (await engine.decide(bytes, 'both')).entries()) {
      const want = answers[i];
      if (want === undefined || !sameAnswer(want, answer))
        assert.equal(answer, want, `${engine.name}, policies ${facts[i]?.policies}`);
    }
  }
  const above = 1n << 64n;
  assert.ok(
    answers.some(({ policy }) => policy >= 64 && policy < count),
    'decided above 63',
  );
  assert.ok(answers.some(({ audited }) => audited >= above) || count === 65, 'audited above 63');
  assert.ok(answers.some(({ shadowAllow }) => shadowAllow !== 0n));
  assert.ok(answers.some(({ shadowAllow: a, shadowDeny: d }) => (a | d) >= above) || count === 65);
  assert.ok(answers.some(({ route }) => (route & 0xffff) !== 0));
}

const world = fixtureWorld();

function inputs(): DecideInput[] {
  const ports = [9080, ...POOLS.ports.slice(0, 6)];
  const places = [0, 1, 2, 3, 4].flatMap((v) => ports.map((port) => `10.1.0.${v + 4}:${port}`));
  return [1, 3].flatMap((from) =>
    [...places, 'reviews.prod:80'].map((to, i): DecideInput => {
      const found = resolveConnect(world, { from: `reviews-v${from}.prod`, to, family: 4 });
      if (!found.ok) throw new Error(found.fault.message);
      return { ...found.ends, random: 0, pick: i, now: DEFAULT_NOW };
    }),
  );
}

/** Whole ways: the masks of workloads and services as maps and plans have them. */
async function compareWays(bundle: Bundle): Promise<void> {
  const all = inputs();
  await using simulator = await createSimulator(bundle, { world });
  const wasm = await simulator.simulateAll(all);
  using both = createKernelSimulator(openKernel(), bundle, world);
  const kernel = await both.simulateAll(all);
  const version = new Map(bundle.manifest.policies.map((p) => [p.name, (p.index % VERSIONS) + 4]));
  for (const [i, outcome] of wasm.entries()) {
    assert.equal({ ...kernel[i], fuel: 0 }, { ...outcome, fuel: 0 }, `${i}: ${outcome.endpoint}`);
    const named = [outcome.policy, ...outcome.shadow.map(({ policy }) => policy)];
    for (const name of named) {
      if (name === null) continue;
      const own = `10.1.0.${version.get(name)}:`;
      assert.ok(outcome.endpoint?.startsWith(own), `${name} spoke of ${outcome.endpoint}`);
    }
  }
  assert.ok(wasm.some(({ shadow }) => shadow.some(({ policy }) => Number(policy.slice(1)) > 63)));
  assert.ok(new Set(wasm.map(({ policy }) => policy)).size > VERSIONS);
}

/** The same ways as records: by the block, and one after the other. */
async function compareRecords(bundle: Bundle): Promise<void> {
  const lines = inputs().flatMap(({ destination }, i) => {
    const to = `${destination.address.text}:${destination.port}`;
    return [`{"from":"reviews-v${(i % VERSIONS) + 1}.prod","to":"${to}"}\n`];
  });
  const options = { seed: 3, file: 'r.ndjson', world };
  const decide = createBlockDecider([bundle], options);
  const plain = createRecordDecider(bundle, options);
  let marked = 0;
  for await (const block of lineBlocks([Buffer.from(lines.join(''), 'latin1')])) {
    const have = decide(block);
    const { records, lines: numbers } = parseLines(block, options.file);
    const want = plain.decideAll({ records, lines: numbers });
    assert.equal([...(have.columns[0] ?? [])], [...want]);
    assert.is(have.byBlock, records.length, 'all by the block');
    for (let row = 0; row < records.length; row += 1) {
      const high = row * COLUMN.size + COLUMN.shadowAllow + 2;
      if (want[high] !== 0 || want[high + 1] !== 0) marked += 1;
    }
  }
  assert.ok(marked > 0, 'a shadow policy above 63 spoke');
}

const test = suite('many policies');
for (const count of COUNTS) {
  test(`${count} policies: the engines agree`, async () => {
    const bundle = await compile(count);
    assert.is(bundle.manifest.policies.length, count);
    await compareStructs(bundle, count);
    if (count < MOST) return;
    await compareWays(bundle);
    await compareRecords(bundle);
  });
}

test.run();
