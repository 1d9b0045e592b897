import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_POLICIES } from '../../compiler/abi/index.js';
import { diagnostic } from '../../compiler/diagnostic/index.js';
import {
  type ClusterCheck,
  type CompileOutcome,
  compileProject,
  type ProjectConfig,
} from '../../compiler/index.js';
import { PROJECT_DEFAULTS } from '../../runtime/config/index.js';
import { v8Snapshot } from '../../runtime/snapshot/index.js';
import { clusterRoute } from '../support/wat-bundle.js';

const test = suite('compile-project');

type Options = Partial<ProjectConfig> & { readonly checkCluster?: ClusterCheck };

/** Compiles policies given as texts: `a.ts`, `b.ts`, ... */
async function compile(texts: readonly string[], options: Options = {}): Promise<CompileOutcome> {
  const files = new Map(texts.map((text, i) => [`${'abcdefgh'[i]}.ts`, text]));
  const policies = [...files.keys()].map((file) => ({
    file,
    attach: [{ namespace: 'prod' }],
    mode: 'enforce' as const,
    at: { file: 'weft.json', line: 4, column: 7 },
  }));
  const { checkCluster = null, ...rest } = options;
  const project = { ...PROJECT_DEFAULTS, name: 'test', policies, ...rest };
  const read = (path: string): string | null => files.get(path) ?? null;
  return compileProject({ project, read, snapshot: v8Snapshot, checkCluster });
}

const IMPORT = 'import { Connection, Verdict, Table, CidrSet, Route, cluster } from "weft";\n';
const authorize = (body: string, top = ''): string =>
  `${IMPORT}${top}\nexport function authorizeConnection(connection: Connection): Verdict {\n${body}\n}\n`;
const codes = (outcome: CompileOutcome): string[] => outcome.diagnostics.map((d) => d.code);

/** Rules over few facts, whose comparisons come again. */
const manyRules = (count: number): string =>
  Array.from({ length: count }, (_, i) => {
    const port = `connection.destination.port == ${1000 + 3 * i}`;
    const from = `connection.source.namespace.is("ns-${(7 * i) % 97}")`;
    const app = `connection.destination.label("app").is("app-${i % 53}")`;
    const facts = [`${from} && ${port}`, `${app} && ${port} && ${from}`];
    return `if (${facts[i % 2]}) return Verdict.${i % 2 === 0 ? 'Allow' : 'Deny'};`;
  }).join('\n');

test('many rules with the same comparisons need no stack', async () => {
  const budget = { ...PROJECT_DEFAULTS.budget, instructions: 20_000 };
  const outcome = await compile([authorize(`${manyRules(400)}\nreturn Verdict.Pass;`)], { budget });
  assert.ok(outcome.ok, codes(outcome).join());
  const { functions } = outcome.bundle.manifest.cost;
  assert.is(functions.find(({ name }) => name === 'p0_authorize')?.stackBytes, 0);
});

test('what a long text does wrong is told once', async () => {
  const long = `${'// a line that says nothing of what is asked or answered\n'.repeat(800)}`;
  assert.equal(codes(await compile([`${long}${authorize('return Verdict.Nothing;')}`])), [
    'TS2339',
  ]);
  const outcome = await compile([`${long}${authorize('return Verdict.Allow;')}`]);
  assert.ok(outcome.ok, codes(outcome).join());
});

test('the loops that policies share to scan views are guarded once', async () => {
  const asking = `import { Request, Verdict } from "weft";
export function authorizeRequest(request: Request): Verdict { return request.query("a").is("b") ? Verdict.Allow : Verdict.Deny; }
`;
  const { stages } = await compile([asking], { kernels: ['6.12'] });
  const [, shared = ''] = /^func \w+ weft_view_find\(.*?\n(.*?)^}/ms.exec(stages.ir ?? '') ?? [];
  assert.is(shared.match(/= may_goto/g)?.length, 1);
});

test('what a policy can answer is derived from its code', async () => {
  const outcome = await compile([
    authorize('return connection.source.namespace.is("x") ? Verdict.Allow : Verdict.Pass;'),
    authorize('return connection.source.namespace.is("x") ? Verdict.Deny : Verdict.Pass;'),
    authorize('if (connection.destination.port == 1) return Verdict.Audit;\nreturn Verdict.Deny;'),
  ]);
  assert.equal(outcome.diagnostics, []);
  assert.ok(outcome.ok);
  if (!outcome.ok) return;
  const { policies, sites, symbols } = outcome.bundle.manifest;
  assert.equal(
    policies.map((p) => p.canAllow),
    [true, false, false],
  );
  assert.equal(
    sites.map((s) => s.site),
    [1, 2, 3, 4, 5, 6],
  );
  assert.equal(
    sites.map((s) => s.file),
    ['a.ts', 'a.ts', 'b.ts', 'b.ts', 'c.ts', 'c.ts'],
  );
  assert.equal(symbols, ['x']);
});

test('routes of later policies are numbered behind those of earlier ones', async () => {
  const route = (top: string, body: string): string =>
    `${IMPORT}${top}\nexport function routeConnection(connection: Connection): Route { ${body} }\n`;
  const outcome = await compile([
    route(
      'const a = cluster("s", "v1"), b = cluster("s", "v2");',
      'return connection.protocol == 6 ? a : b;',
    ),
    route('const c = cluster("s", "v3");', 'return c;'),
  ]);
  assert.equal(outcome.diagnostics, []);
  if (!outcome.ok) return;
  const { policies, routes } = outcome.bundle.manifest;
  assert.equal(
    policies.map((p) => [p.firstRoute, p.routes]),
    [
      [0, 2],
      [2, 1],
    ],
  );
  assert.equal(routes, [clusterRoute('s/v1', 0), clusterRoute('s/v2', 0), clusterRoute('s/v3', 1)]);
});

test('a route that a connection cannot take is a finding where it is answered', async () => {
  const text = `import { cluster, Connection, edit, redirect, Request, respond, Route, split, Verdict, waypoint } from "weft";
const plain = cluster("s", "v1"), marked = edit(plain).host("h");
const no = respond(403), go = redirect(), slow = waypoint(), unused = respond(404);
function choose(connection: Connection): Route {
  let i: u32 = 0;
  while (i < connection.destination.port) i += 7;
  return i == 443 ? go : plain;
}
export function routeConnection(connection: Connection): Route {
  if (connection.destination.port == 1) return no;
  if (connection.destination.port == 2) return split(plain, 1, marked, 1);
  if (connection.destination.port == 3) return choose(connection);
  return plain == unused ? slow : Route.None;
}
export function routeRequest(request: Request): Route {
  return request.path.is("/") ? slow : unused;
}
`;
  const outcome = await compile([text]);
  assert.equal(outcome.diagnostics.map((d) => `${d.code} ${d.line} ${d.message}`).sort(), [
    'B208 10 `routeConnection` answers with `reply 403`',
    'B208 11 `routeConnection` answers with `s/v1, host h`',
    'B208 7 `routeConnection` answers with `redirect 302`',
  ]);
  const without = text.replace(/return (no|split.*|choose.*);/g, 'return plain;');
  assert.equal((await compile([without])).diagnostics, []);
});

test('a cluster that the world lacks is a finding at its declaration; a known one is none', async () => {
  const text = `${IMPORT}const a = cluster("s", "v1");\nconst b = cluster("s", "gone");
export function routeConnection(connection: Connection): Route { return connection.protocol == 6 ? a : b; }\n`;
  const outcome = await compile([text], {
    checkCluster: (name, _, at) =>
      name === 's/gone' ? diagnostic('W120', `no cluster \`${name}\``, { at }) : null,
  });
  assert.equal(codes(outcome), ['W120']);
  assert.is(outcome.diagnostics[0]?.line, 3);
  assert.is(outcome.diagnostics[0]?.file, 'a.ts');
});

test('an operand that an optimiser merged is taken apart again', async () => {
  const outcome = await compile([
    authorize(`
  const wanted = connection.destination.port == 80 ? "web" : "db";
  const party = connection.protocol == 6 ? connection.source.namespace : connection.source.workload;
  if (party.startsWith("a")) return Verdict.Deny;
  const side = connection.protocol == 6 ? connection.source : connection.destination;
  if (side.region.endsWith("z")) return Verdict.Deny;
  return connection.source.namespace.is(wanted) ? Verdict.Allow : Verdict.Deny;`),
  ]);
  assert.equal(outcome.diagnostics, []);
  assert.ok(outcome.ok);
  if (outcome.ok) assert.equal(outcome.bundle.manifest.predicates.length, 4);
});

test('a table of texts is not asked for integers', async () => {
  const top = 'const plans = new Table<u32>("plans");\nplans.set("a", 1);';
  const wrong = await compile([
    authorize(
      'return plans.get<u32>(connection.destination.port) == 1 ? Verdict.Allow : Verdict.Deny;',
      top,
    ),
  ]);
  assert.equal(codes(wrong), ['I208']);
  const right = await compile([
    authorize(
      'return plans.get(connection.source.namespace) == 1 ? Verdict.Allow : Verdict.Deny;',
      top,
    ),
  ]);
  assert.equal(codes(right), []);
});

test('a helper that stays a function passes the kind of its key on', async () => {
  const top = (key: string, value: string): string => `import { Attribute } from "weft";
const levels = new Table<u32>("levels");
levels.set(${key}, 1);
// @ts-ignore: a decorator of AssemblyScript
@noinline function level(key: ${value}, rounds: u32): u32 {
  let sum = rounds;
  for (let i: u32 = 0; i < (rounds & 7); i++) {
    sum = sum * 31 + (i ^ rounds);
    if (sum > 77777) sum -= 12345;
    if ((sum & 3) == 1) sum ^= 0x5555;
  }
  return levels.get(key) + sum % 97;
}`;
  const body = (first: string, second: string): string => `
  const port = connection.destination.port;
  if (level(${first}, port) == 4) return Verdict.Allow;
  return level(${second}, port + 1) == 4 ? Verdict.Allow : Verdict.Deny;`;
  const texts = body('connection.source.namespace', 'connection.source.region');
  const wrong = await compile([authorize(texts, top('<u32>7', 'Attribute'))]);
  assert.equal(codes(wrong), ['I208']);
  assert.equal(codes(await compile([authorize(texts, top('"a"', 'Attribute'))])), []);
  const integers = body('port', '<u32>connection.protocol');
  assert.equal(codes(await compile([authorize(integers, top('"a"', 'u32'))])), ['I208']);
  assert.equal(codes(await compile([authorize(integers, top('<u32>7', 'u32'))])), []);
});

test('a text with half a surrogate pair is refused, a whole pair is a text', async () => {
  const asks = (text: string): string =>
    authorize(`return connection.source.namespace.is("${text}") ? Verdict.Allow : Verdict.Deny;`);
  assert.equal(codes(await compile([asks('\\ud83d')])), ['I213']);
  const whole = await compile([asks('\\ud83d\\ude00')]);
  assert.ok(whole.ok);
  if (whole.ok) assert.equal(whole.bundle.manifest.symbols, ['\u{1f600}']);
});

test('findings of all policies come in one run', async () => {
  const faulty = authorize('return connection.source.nonsense ? Verdict.Allow : Verdict.Deny;');
  const outcome = await compile([faulty, authorize('return Verdict.Deny;'), faulty]);
  assert.not(outcome.ok);
  assert.equal([...new Set(outcome.diagnostics.map((d) => d.file))], ['a.ts', 'c.ts']);
});

test('over the instruction budget, and just within it', async () => {
  const text = authorize(
    'return connection.source.namespace.is("x") ? Verdict.Allow : Verdict.Pass;',
  );
  const free = await compile([text]);
  assert.ok(free.ok);
  if (!free.ok) return;
  const { functions } = free.bundle.manifest.cost;
  const needed = functions.find((f) => f.name === 'p0_authorize')?.instructions ?? 0;
  const budget = { ...PROJECT_DEFAULTS.budget, instructions: needed };
  assert.ok((await compile([text], { budget })).ok);
  const over = await compile([text], { budget: { ...budget, instructions: needed - 1 } });
  assert.equal(codes(over), ['B206']);
  assert.is(over.diagnostics[0]?.file, 'weft.json');
});

test('over the table budget; a table that nobody asks costs nothing', async () => {
  const top = `const plans = new Table<u32>("plans");
for (let i: u64 = 0; i < 100; i++) plans.set(i * 1000003, 1);`;
  const budget = { ...PROJECT_DEFAULTS.budget, tableBytes: 100 };
  const used = authorize('return plans.has(connection.now) ? Verdict.Allow : Verdict.Deny;', top);
  const over = await compile([used], { budget });
  assert.equal(codes(over), ['B207']);
  assert.equal(
    over.diagnostics.map(({ line, notes }) => [line, notes]),
    [[2, ['`plans` of a: 544 for 100 entries']]],
  );
  const unused = await compile([authorize('return Verdict.Deny;', top)], { budget });
  assert.equal(codes(unused), []);
});

test('more policies than bits, and two of one name', async () => {
  const policy = (file: string): ProjectConfig['policies'][number] => ({
    file,
    attach: [],
    mode: 'enforce',
    at: null,
  });
  const many = Array.from({ length: MAX_POLICIES + 1 }, (_, i) => policy(`p${i}.ts`));
  assert.equal(codes(await compile([], { policies: many })), ['B201']);
  const twins = [policy('x/a.ts'), policy('y/a.ts')];
  assert.equal(codes(await compile([], { policies: twins })), ['B202']);
});

test.run();
