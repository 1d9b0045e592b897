import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_REPLY } from '../../compiler/abi/index.js';
import type { Diagnostic } from '../../compiler/diagnostic/index.js';
import { readProject } from '../../runtime/config/index.js';
import { readWorld } from '../../runtime/discovery/index.js';
import { MAX_DOCUMENT_CHARACTERS, readDocument } from '../../runtime/schema/index.js';

/** `code line:column message; help`, as far as the row wants it. */
function brief(diagnostics: readonly Diagnostic[]): string[] {
  return diagnostics.map((d) => `${d.code} ${d.line}:${d.column} ${d.message}`);
}

const documents = suite('schema: documents');

const laughs = [
  'a: &a [x, x, x, x, x, x, x, x, x, x]',
  'b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]',
  'c: [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]',
].join('\n');

const rows: { name: string; text: string; want: string[]; help?: string | null }[] = [
  { name: 'syntax', text: 'cases: [', want: ['W001 1:9'] },
  { name: 'duplicate key', text: 'seed: 1\nseed: 2\ncases: []', want: ['W002 2:1'] },
  { name: 'empty', text: '# nothing\n', want: ['W005 1:1 the document is empty'] },
  { name: 'alias bomb', text: laughs, want: ['W004 1:1'] },
  { name: 'two documents', text: 'seed: 1\n---\nseed: 2\n', want: ['W001 2:1'] },
  {
    name: 'unknown key with a near one',
    text: 'cases:\n  - id: a\n    conect: { from: a, to: b }\n',
    want: ['W010 3:5 unknown key `conect`'],
    help: 'did you mean `connect`?',
  },
  {
    name: 'unknown key with none near',
    text: 'cases: [{ id: a }]\ncompletelyother: 1\n',
    want: ['W010 2:1 unknown key `completelyother`'],
    help: 'known keys: world, seed, cases',
  },
  {
    name: 'missing key',
    text: 'cases:\n  - connect: { from: a, to: b }\n',
    want: ['W011 2:5 `cases[0]` lacks the key `id`'],
  },
  {
    name: 'wrong type',
    text: 'seed: seven\ncases: [{ id: a }]',
    want: ['W012 1:7 `seed` must be a whole number, not `"seven"`'],
  },
  {
    name: 'enum',
    text: 'cases: [{ id: a, expect: { verdict: alow } }]',
    want: ['W013 1:37 `cases[0].expect.verdict` must be one of allow, deny, not `"alow"`'],
    help: 'did you mean `allow`?',
  },
  {
    name: 'range',
    text: 'seed: -1\ncases: [{ id: a }]',
    want: ['W013 1:7 `seed` must be at least 0, not `-1`'],
  },
  { name: 'empty list', text: 'cases: []', want: ['W013 1:8 `cases` must not be empty'] },
];
for (const { name, text, want, help } of rows) {
  documents(name, () => {
    const read = readDocument(text, 'scenario.yaml', 'scenario');
    assert.is(read.value, null);
    const have = brief(read.diagnostics);
    assert.is(have.length, want.length, have.join('\n'));
    for (const [index, start] of want.entries()) {
      assert.ok(have[index]?.startsWith(start), `${have[index]} starts with ${start}`);
    }
    if (help !== undefined) assert.is(read.diagnostics[0]?.help, help);
  });
}

documents('too large', () => {
  const read = readDocument(' '.repeat(MAX_DOCUMENT_CHARACTERS + 1), 'x', 'world');
  assert.ok(brief(read.diagnostics)[0]?.startsWith('W003'));
});

documents('nested too deeply', () => {
  const nested = (depth: number): string => `a:\n  ${'['.repeat(depth)}${']'.repeat(depth)}`;
  for (const text of [nested(101), nested(9000), `a:\n  ${'['.repeat(100_000)}`]) {
    const read = readDocument(text, 'x', 'world');
    assert.is(read.value, null);
    const [{ code, line, column, message }] = read.diagnostics as [Diagnostic];
    assert.equal([code, line, column], ['W001', 2, 102]);
    assert.is(message, 'lists and maps are nested more than 100 deep');
  }
  assert.not.match(
    readDocument(nested(99), 'x', 'world')
      .diagnostics.map(({ message }) => message)
      .join(),
    /nested/,
  );
});

documents('JSON is read as well, and aliases in measure', () => {
  assert.ok(readDocument('{ "cases": [{ "id": "a" }] }', 'x', 'scenario').value);
  const aliases = 'cases: [{ id: a, connect: &c { from: a, to: b } }, { id: b, connect: *c }]';
  assert.ok(readDocument(aliases, 'x', 'scenario').value);
});

documents('a key named __proto__ is unknown, not magic', () => {
  const read = readDocument('{ "cases": [{ "id": "a" }], "__proto__": {} }', 'x', 'scenario');
  assert.is(read.diagnostics[0]?.code, 'W010');
});
documents.run();

const projects = suite('config: weft.json');
projects('fills in the defaults', () => {
  const { project } = readProject(
    '{ "name": "a", "policies": [{ "file": "policies/a.ts", "attach": [{ "namespace": "prod" }] }], "budget": { "fuel": 5 } }',
    'weft.json',
  );
  assert.ok(project);
  assert.is(project.default, 'deny');
  assert.equal(project.failure, {
    trap: 'deny',
    fuel: 'deny',
    unknownIdentity: 'deny',
    parse: 'deny',
  });
  assert.equal(project.budget, {
    instructions: 4096,
    verified: 250_000,
    tableBytes: 67_108_864,
    fuel: 5,
  });
  assert.is(project.policies[0]?.mode, 'enforce');
  assert.is(project.policies[0]?.at?.line, 1);
  assert.is(project.world, null);
});

projects('replies of refusals: what is given, else the defaults', () => {
  const policies = '[{ "file": "a.ts", "attach": [{ "namespace": "prod" }] }]';
  const read = (refusals: string): ReturnType<typeof readProject> =>
    readProject(`{ "name": "a", "policies": ${policies}, "refusals": ${refusals} }`, 'weft.json');
  const { project } = read('{ "deny": { "body": "no" }, "noRoute": { "status": 421 } }');
  assert.equal(project?.refusals.deny, { status: 403, body: 'no', type: 'text/plain' });
  assert.equal(project?.refusals.noRoute, { status: 421, body: '', type: 'text/plain' });
  assert.is(project?.refusals.tooLarge.status, 431);

  const refused = (refusals: string): readonly string[] =>
    read(refusals).diagnostics.map((d) => d.code);
  const fits = 'x'.repeat(
    MAX_REPLY - 'HTTP/1.1 403 Forbidden\r\ncontent-length: 940\r\n'.length - 28,
  );
  assert.equal(refused(`{ "deny": { "body": "${fits}" } }`), []);
  assert.equal(refused(`{ "deny": { "body": "${fits}x" } }`), ['W205']);
  assert.equal(refused('{ "deny": { "status": 200 } }'), ['W013']);
  assert.equal(refused('{ "deny": { "type": "a\\r\\nb: c" } }').length, 1);
  assert.equal(refused('{ "denied": { "status": 403 } }').length, 1);
});

const POLICY = '"attach": [{ "namespace": "prod" }]';
const projectRows: { name: string; policies: string; want: string }[] = [
  { name: 'outside', policies: `[{ "file": "../a.ts", ${POLICY} }]`, want: 'W201' },
  { name: 'no .ts', policies: `[{ "file": "a.js", ${POLICY} }]`, want: 'W201' },
  {
    name: 'twice',
    policies: `[{ "file": "a.ts", ${POLICY} }, { "file": "a.ts", ${POLICY} }]`,
    want: 'W202',
  },
  {
    name: 'one name',
    policies: `[{ "file": "a.ts", ${POLICY} }, { "file": "b/a.ts", ${POLICY} }]`,
    want: 'W203',
  },
  {
    name: 'service',
    policies: '[{ "file": "a.ts", "attach": [{ "service": "x" }] }]',
    want: 'W204',
  },
  { name: 'no attach', policies: '[{ "file": "a.ts", "attach": [] }]', want: 'W013' },
  { name: 'empty item', policies: '[{ "file": "a.ts", "attach": [{}] }]', want: 'W013' },
];
for (const { name, policies, want } of projectRows) {
  projects(`refuses: ${name}`, () => {
    const read = readProject(`{ "name": "a", "policies": ${policies} }`, 'weft.json');
    assert.is(read.project, null);
    assert.equal(
      read.diagnostics.map((d) => d.code),
      [want],
    );
  });
}
projects.run();

const worlds = suite('discovery: world.yaml');
const workload = (more: string): string => `workloads:\n  - name: a.prod\n${more}`;
const service = (more: string): string =>
  `workloads: [{ name: a.prod, addresses: [10.1.0.1], labels: { app: a } }]\nservices:\n  - name: s.prod\n${more}`;
const PORTS = '    ports: [{ port: 80 }]\n';
const CLUSTERS = '    clusters: [{ name: s/v1, selector: { app: a } }]\n';
const worldRows: { name: string; text: string; want: string[] }[] = [
  {
    name: 'name without namespace',
    text: 'workloads:\n  - name: a\n    addresses: [10.0.0.1]',
    want: ['W101 2:11 `a` is not of the form name.namespace'],
  },
  {
    name: 'bad address',
    text: workload('    addresses: [10.0.0.256]'),
    want: ['W102 3:17 `10.0.0.256` is not an IPv4 or IPv6 address'],
  },
  {
    name: 'zone id',
    text: workload('    addresses: ["fe80::1%eth0"]'),
    want: ['W102 3:17 `fe80::1%eth0` is not an IPv4 or IPv6 address without a zone'],
  },
  {
    name: 'unspecified address',
    text: workload('    addresses: ["::"]'),
    want: ['W102 3:17 `::` is the unspecified address'],
  },
  {
    name: 'cgroup of two workloads',
    text: `${workload('    addresses: [10.0.0.1]\n    cgroup: /a\n')}  - { name: b.prod, addresses: [10.0.0.2], cgroup: /a }`,
    want: ['W110 5:52 `/a` is the cgroup of `a.prod` already'],
  },
  {
    name: 'duplicate name',
    text: `${workload('    addresses: [10.0.0.1]\n')}  - { name: a.prod, addresses: [10.0.0.2] }`,
    want: ['W103 4:13 a workload `a.prod` exists already'],
  },
  {
    name: 'duplicate address in another spelling',
    text: workload('    addresses: [10.0.0.1, "::ffff:10.0.0.1"]'),
    want: ['W104 3:27 `10.0.0.1` is an address of `a.prod` already'],
  },
  {
    name: 'relative cgroup',
    text: workload('    addresses: [10.0.0.1]\n    cgroup: demo/a'),
    want: ['W106 4:13 `demo/a` is not an absolute path of a cgroup below the root'],
  },
  {
    name: 'cgroup that climbs',
    text: workload('    addresses: [10.0.0.1]\n    cgroup: /demo/../..'),
    want: ['W106 4:13 `/demo/../..` is not an absolute path of a cgroup below the root'],
  },
  {
    name: 'weight out of range',
    text: workload('    addresses: [10.0.0.1]\n    weight: 1001'),
    want: ['W013 4:13 `workloads[0].weight` must be at most 1000, not `1001`'],
  },
  {
    name: 'port 0',
    text: service(`    addresses: [10.9.0.1]\n    ports: [{ port: 0 }]\n${CLUSTERS}`),
    want: ['W013 5:21 `services[0].ports[0].port` must be at least 1, not `0`'],
  },
  {
    name: 'port twice for one transport',
    text: service(
      `    addresses: [10.9.0.1]\n    ports: [{ port: 80 }, { port: 80, protocol: http }]\n${CLUSTERS}`,
    ),
    want: ['W109 5:35 the tcp port 80 is given twice'],
  },
  {
    name: 'no clusters',
    text: service(`    addresses: [10.9.0.1]\n${PORTS}    clusters: []\n`),
    want: ['W013 6:15 `services[0].clusters` must not be empty'],
  },
  {
    name: 'cluster of another service',
    text: service(
      `    addresses: [10.9.0.1]\n${PORTS}    clusters: [{ name: t/v1, selector: { app: a } }]\n`,
    ),
    want: ['W107 6:24 the cluster `t/v1` is not named `s/...`'],
  },
  {
    name: 'cluster with the name of the default one',
    text: service(
      `    addresses: [10.9.0.1]\n${PORTS}    clusters: [{ name: s/*, selector: { app: a } }]\n`,
    ),
    want: ['W107 6:24 the cluster `s/*` is not named `s/...`'],
  },
];
for (const { name, text, want } of worldRows) {
  worlds(`refuses: ${name}`, () => {
    const read = readWorld(text, 'world.yaml');
    assert.is(read.world, null);
    assert.equal(brief(read.diagnostics), want);
  });
}

worlds('one port for tcp and udp is no duplicate', () => {
  const ports = '    ports: [{ port: 53 }, { port: 53, protocol: udp }]\n';
  const read = readWorld(service(`    addresses: [10.9.0.1]\n${ports}${CLUSTERS}`), 'w');
  assert.equal(read.diagnostics, []);
  assert.is(read.world?.services[0]?.ports[1]?.target, 53);
});

worlds('a selector that matches nothing is a warning', () => {
  const clusters = '    clusters: [{ name: s/v1, selector: { app: b } }]\n';
  const read = readWorld(service(`    addresses: [10.9.0.1]\n${PORTS}${clusters}`), 'w');
  assert.ok(read.world);
  assert.equal(brief(read.diagnostics), [
    'W105 6:40 the selector of `s/v1` matches no workload of `prod`',
  ]);
  assert.is(read.diagnostics[0]?.severity, 'warning');
});

worlds('fills in what is left out', () => {
  const { world } = readWorld(workload('    addresses: ["FD00:0::1"]'), 'w');
  const [first] = world?.workloads ?? [];
  assert.ok(first);
  assert.is(first.addresses[0]?.text, 'fd00::1');
  assert.is(first.trustDomain, 'cluster.local');
  assert.is(first.serviceAccount, null);
  assert.is(first.weight, 1);
  assert.is(first.healthy, true);
  assert.is(first.at?.line, 2);
});
worlds.run();
