/** What an explanation says of each kind of predicate and look-up, and that it tells of what the engine did. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readWorld } from '../../runtime/discovery/index.js';
import {
  type Explanation,
  explain,
  printExplanation,
  type Step,
  Tracer,
} from '../../runtime/explain/index.js';
import { readScenario } from '../../runtime/simulate/index.js';
import { CoverageCounter } from '../../runtime/testing/coverage.js';
import { ANSWER_POLICIES, ANSWER_SCENARIO } from '../support/answer-scenario.js';
import { BOOKINFO } from '../support/bookinfo-world.js';
import { mustCompile } from '../support/compile-texts.js';
import { REQUEST_CONFIG, REQUEST_POLICIES, REQUEST_SCENARIO } from '../support/request-scenario.js';

const test = suite('explain');
const world = mustRead(readWorld(BOOKINFO, 'world.yaml').world);

function mustRead<T>(read: T | null): T {
  if (read === null) throw new Error('the sample world is broken');
  return read;
}

async function explainAll(
  policies: ReadonlyMap<string, string>,
  scenarioText: string,
  config: Parameters<typeof mustCompile>[1] = {},
): Promise<ReadonlyMap<string, Explanation>> {
  const bundle = await mustCompile(policies, config);
  const { scenario, diagnostics } = readScenario(scenarioText, 'scenario.yaml', world);
  assert.equal(diagnostics, []);
  const told = new Map<string, Explanation>();
  for (const { id, input } of scenario?.cases ?? []) {
    told.set(id, await explain(bundle, { world, input }));
  }
  return told;
}

const POLICY = `import { CidrSet, PathTable, pattern, PortSet, Request, Table, Verdict } from "weft";
const plans = new Table<u32>("plans").set("gold", 2).set("silver", 1);
const levels = new PathTable<u32>("levels").set("/**", 1).set("/users/{id}/**", 2);
const office = new CidrSet("office").add("10.0.0.0/8").add("10.1.0.0/16");
const web = new PortSet("web").add(9000, 9100);
const files = pattern("/files/**");

export function authorizeRequest(request: Request): Verdict {
  if (files.matches(request.path)) return Verdict.Deny;
  if (!office.contains(request.source.address) || !web.contains(request.connection.destination.port)) return Verdict.Deny;
  if (request.cookie("session").is("abc")) return Verdict.Allow;
  if (levels.get(request.path) < 2) return Verdict.Pass;
  return plans.get(request.header("x-plan")) == 2 ? Verdict.Allow : Verdict.Pass;
}
`;
const ENDS = 'from: productpage-v1.prod, to: "reviews.prod:80"';
const SCENARIO = `cases:
  - { id: silver, request: { ${ENDS}, path: /users/7, headers: { x-plan: silver, cookie: "a=b; session=abd" } } }
  - { id: other, request: { ${ENDS}, path: /x } }
  - { id: file, request: { ${ENDS}, path: /files/a } }
  - { id: twice, request: { ${ENDS}, path: /users/7, headers: { x-plan: gold, X-Plan: gold } } }
`;

const told = explainAll(new Map([['api.ts', POLICY]]), SCENARIO);

/** A step as one line. */
function line({ text, holds, value, seen, lookUp }: Step): string {
  const parts = seen.map((part) => `${part.name} ${part.value}`);
  const hit = lookUp === null ? [] : [`entry ${lookUp.entry}`];
  return [text, holds ?? value, ...parts, ...hit].join(' | ');
}

test('each look-up names its key, its entry and what it gave', async () => {
  const steps = (await told).get('silver')?.questions.at(-1)?.steps.map(line) ?? [];
  assert.ok(
    steps.includes(
      'office.contains(source.address) | true | source.address 10.1.0.1 | entry 10.1.0.0/16',
    ) ||
      steps.some((s) =>
        /^office\.contains\(source\.address\) \| true .* entry 10\.1\.0\.0\/16$/.test(s),
      ),
  );
  assert.ok(
    steps.some((s) => /^web\.contains\(destination\.port\) \| true .* entry 9000-9100$/.test(s)),
  );
  assert.ok(
    steps.includes('levels.get(request.path) | 2 | request.path "/users/7" | entry /users/{id}/**'),
  );
  assert.ok(
    steps.includes(
      'plans.get(request.header("x-plan")) | 1 | request.header("x-plan") "silver" | entry silver',
    ),
  );
  // The cookie is found by a search that nobody wrote: what is told is the comparison.
  assert.ok(
    steps.includes(
      'part of request.header("cookie").is("abc") | false | part of request.header("cookie") "abd"',
    ),
  );
});

test('a look-up that misses, and a part that is absent', async () => {
  const steps = (await told).get('other')?.questions.at(-1)?.steps.map(line) ?? [];
  assert.ok(steps.includes('levels.get(request.path) | 1 | request.path "/x" | entry /**'));
  assert.not.ok(steps.some((s) => s.startsWith('plans.get')));
});

const KEYS = `import { address, KeyTable, RegexTable, Request, Verdict } from "weft";
const peers = new KeyTable<u32>("peers").set2(address("10.1.0.2"), 9080, 1).set2(address("fd00:0:1::0:9"), 9080, 2);
const grants = new KeyTable<u32>("grants").set3("productpage", "GET, all", 7, 3).set3("reviews", "POST", 7, 4);
const shapes = new RegexTable<u32>("shapes").set("/v[0-9]+/.*", 1).set("/users/[a-z]+", 2);

export function authorizeRequest(request: Request): Verdict {
  const peer = peers.get2(request.source.address, request.destination.port);
  const grant = grants.get3(request.source.serviceAccount, "GET, all", peer + 6);
  return shapes.get(request.path) + grant == 5 ? Verdict.Allow : Verdict.Deny;
}
`;

test('keys of several parts and regular expressions name the entry that was hit', async () => {
  const bundle = await mustCompile(new Map([['keys.ts', KEYS]]));
  const text = `cases:
  - { id: hit, request: { ${ENDS}, path: /users/ann } }
  - { id: miss, request: { from: "203.0.113.9", to: "10.1.0.4:9080", path: /x } }
`;
  const { scenario } = readScenario(text, 'scenario.yaml', world);
  const tracer = new Tracer(bundle);
  const counter = new CoverageCounter(bundle.manifest, tracer.irs);
  const lookUps = new Map<string, readonly (string | null | undefined)[][]>();
  for (const { id, input } of scenario?.cases ?? []) {
    const { questions } = await explain(bundle, { world, input });
    counter.add(questions);
    const steps = questions.at(-1)?.steps.filter((s) => s.lookUp !== null) ?? [];
    lookUps.set(
      id,
      steps.map((s) => [s.text, s.lookUp?.key, s.lookUp?.entry]),
    );
  }
  assert.equal(lookUps.get('hit'), [
    ['peers.get2(source.address, destination.port)', '(10.1.0.2, 9080)', '(10.1.0.2, 9080)'],
    [
      'grants.get3(source.serviceAccount, "GET, all", peers.get2(source.address, destination.port) + 6)',
      '("productpage", "GET, all", 7)',
      '("productpage", "GET, all", 7)',
    ],
    ['shapes.get(request.path)', '"/users/ann"', '/users/[a-z]+'],
  ]);
  // The near misses: another address, an account that is absent, a path that fits neither.
  assert.equal(
    lookUps.get('miss')?.map(([, key, entry]) => [key, entry]),
    [
      ['(203.0.113.9, 9080)', null],
      ['(absent, "GET, all", 6)', null],
      ['"/x"', null],
    ],
  );
  assert.equal(
    counter.coverage().tables.map(({ name, hit, missed }) => [name, hit, missed]),
    [
      ['peers', 1, ['(fd00:0:1::9, 9080)']],
      ['grants', 1, ['("reviews", "POST", 7)']],
      ['shapes', 1, ['/v[0-9]+/.*']],
    ],
  );
});

test('the nearest way in turns the fewest predicates, the last of them', async () => {
  const turned = async (id: string) => (await told).get(id)?.nearest?.turned.map((s) => s.text);
  assert.equal(await turned('silver'), ['plans.get(request.header("x-plan")) == 2']);
  // Two are needed: it must be no file, and then one of those who may.
  assert.is((await turned('file'))?.length, 2);
});

test('the rule of a list that held is told with its line and what it saw; the verdict is its own', async () => {
  const policy = `import { Connection, RuleList, Verdict } from "weft";
const rules = new RuleList<Verdict>("rules")
  .add(Verdict.Deny).sourceNamespace("test")
  .add(Verdict.Allow).source("10.0.0.0/8").port(9000, 9100).sourceLabel("app", "productpage");
export function authorizeConnection(connection: Connection): Verdict {
  return rules.get(connection, Verdict.Pass);
}
`;
  const cases =
    'cases:\n  - { id: a, connect: { from: productpage-v1.prod, to: "reviews.prod:80" } }\n';
  const explanation = (await explainAll(new Map([['rules.ts', policy]]), cases)).get('a');
  assert.is(explanation?.outcome.verdict, 'allow');
  const [step = ''] = explanation?.questions.at(-1)?.steps.map(line) ?? [];
  assert.match(
    step,
    /^rules\.get\(connection\) \| \d+ \| source\.namespace "prod" \| source\.address 10\.1\.0\.2 \| destination\.port 9080/,
  );
  const entry =
    'rules.ts:4 source.address 10.0.0.0/8, destination.port 9000-9100, source.label app productpage';
  assert.match(step, `entry ${entry}`);
  // In words the verdict has its name; a number that is none stays one.
  const files = new Map([['rules.ts', policy]]);
  const { manifest } = await mustCompile(files);
  if (explanation === undefined) throw new Error('nothing was explained');
  assert.match(
    printExplanation('a', explanation, manifest),
    'app productpage, gives Verdict.Allow',
  );
  const numbers = policy
    .replace('<Verdict>', '<u32>')
    .replaceAll(/add\(Verdict\.\w+\)/g, 'add(513)')
    .replace(
      'rules.get(connection, Verdict.Pass)',
      'rules.get(connection, 0) == 513 ? Verdict.Allow : Verdict.Deny',
    );
  const plain = (await explainAll(new Map([['rules.ts', numbers]]), cases)).get('a');
  if (plain === undefined) throw new Error('nothing was explained');
  const said = printExplanation(
    'a',
    plain,
    (await mustCompile(new Map([['rules.ts', numbers]]))).manifest,
  );
  assert.not.match(said, 'gives Verdict');
});

test('a policy that stops says why', async () => {
  const explanation = (await told).get('twice');
  assert.is(explanation?.outcome.reason, 'trap');
  assert.match(explanation?.questions.at(-1)?.stop ?? '', /more than once/);
});

test('routes, answers and edits are told as the engine decides them', async () => {
  // `explain` throws where the run that it tells of comes to anything else than V8.
  const answers = await explainAll(ANSWER_POLICIES, ANSWER_SCENARIO);
  const requests = await explainAll(REQUEST_POLICIES, REQUEST_SCENARIO, REQUEST_CONFIG);
  assert.ok(answers.size > 5 && requests.size > 5);
  for (const { outcome, questions } of [...answers.values(), ...requests.values()]) {
    assert.ok(questions.length > 0 || outcome.policy === null);
  }
});

test('a connection whose requests are judged is said to be let be, and one elsewhere is not', async () => {
  const bundle = await mustCompile(new Map([['requests.ts', POLICY]]));
  const { scenario } = readScenario(
    `cases:
  - { id: http, pick: 0, connect: { ${ENDS} } }
  - { id: other, connect: { from: productpage-v1.prod, to: "10.1.0.4:22" } }
`,
    'scenario.yaml',
    world,
  );
  const told: string[] = [];
  for (const { id, input } of scenario?.cases ?? []) {
    const explanation = await explain(bundle, { world, input });
    told.push(printExplanation(id, explanation, bundle.manifest));
  }
  assert.equal(told, [
    `allow  http
let be at the client: its requests are judged one by one, and no policy speaks of connections
service reviews.prod, cluster reviews/* (no route: its own), endpoint 10.1.0.4:9080`,
    `deny  other
decided by default (default) at the client
endpoint 10.1.0.4:22

no change of a few predicates would let it in`,
  ]);
});

test.run();
