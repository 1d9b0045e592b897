/** `weft lint`: each finding with its near miss, suppressions, and the report for code hosts. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Transcript, weft } from './harness.js';

const test = suite('cli lint');
let cwd = '';
const run = (...args: string[]): Promise<Transcript> => weft(args, { cwd });
const write = (name: string, text: string): void => writeFileSync(join(cwd, name), text);

const RULES = `import { Connection, Table, Verdict } from "weft";
const plans = new Table<u32>("plans").set("acme", 1);
const unused = new Table<u32>("unused").set("acme", 1);

export function authorizeConnection(c: Connection): Verdict {
  if (c.source.namespace.startsWith("prod")) return Verdict.Allow;
  if (c.source.namespace.is("prod-eu")) return Verdict.Deny;
  if (c.destination.port > 9000 && c.destination.port < 8000) return Verdict.Deny;
  if (c.source.namespace.is("stagin")) return Verdict.Allow;
  if (c.source.namespace.is("batch")) return Verdict.Allow;
  return plans.get(c.source.label("tenant")) == 1 ? Verdict.Allow : Verdict.Pass;
}
`;
const BLOCK = `import { Connection, Verdict } from "weft";
export function authorizeConnection(c: Connection): Verdict {
  return c.source.namespace.startsWith("bat") ? Verdict.Deny : Verdict.Pass;
}
`;
const WORLD = `workloads:
  - { name: web.prod, addresses: [10.0.0.1] }
  - { name: job.batch, addresses: [10.0.0.2] }
  - { name: eu.prod-eu, addresses: [10.0.0.3], labels: { tenant: acme } }
  - { name: ci.tools, addresses: [10.0.0.4], labels: { tenant: acme } }
`;

test.before(() => {
  cwd = mkdtempSync(join(tmpdir(), 'weft-lint-'));
  mkdirSync(join(cwd, 'shop', 'policies'), { recursive: true });
  write('shop/policies/rules.ts', RULES);
  write('shop/policies/block.ts', BLOCK);
  write('shop/world.yaml', WORLD);
  const policies = ['rules', 'block'].map((name) => ({
    file: `policies/${name}.ts`,
    attach: [{ namespace: 'prod' }],
  }));
  write('shop/weft.json', JSON.stringify({ name: 'shop', policies, world: 'world.yaml' }));
});
test.after(() => rmSync(cwd, { recursive: true, force: true }));

interface Found {
  readonly code: string;
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

test('rules that decide nothing, tables that nothing asks', async () => {
  const { exit, stdout, stderr } = await run('lint', 'shop', '-o', 'json');
  assert.is(exit, 3, stderr);
  const { diagnostics, summary } = JSON.parse(stdout);
  const found = (diagnostics as Found[])
    .map(({ code, file, line }) => `${code} ${file}:${line}`)
    .sort();
  assert.equal(found, [
    'F101 shop/policies/rules.ts:8',
    'F102 shop/policies/rules.ts:7',
    'F103 shop/policies/rules.ts:9',
    'F104 shop/policies/rules.ts:10',
    'F105 shop/policies/rules.ts:3',
  ]);
  const message = (code: string): string =>
    (diagnostics as Found[]).find((one) => one.code === code)?.message ?? '';
  assert.match(message('F102'), /policies\/rules\.ts:6/);
  assert.match(message('F104'), /policies\/block\.ts:3/);
  assert.is(summary.findings, 5);
});

test('suppressions with reasons take findings away, others are findings', async () => {
  const ignored = RULES.replace(
    '  if (c.source.namespace.is("prod-eu"',
    '  // weft-lint-ignore F102: the region moves here next week\n$&',
  )
    .replace(
      'return Verdict.Deny;\n  if (c.source.namespace.is("stagin',
      'return Verdict.Deny; // weft-lint-ignore F101\n  if (c.source.namespace.is("stagin',
    )
    .replace('export function', '// weft-lint-ignore F104: nobody\nexport function');
  write('shop/policies/rules.ts', ignored);
  const { exit, stdout } = await run('lint', 'shop', '-o', 'json');
  write('shop/policies/rules.ts', RULES);
  assert.is(exit, 3);
  const { diagnostics, suppressed } = JSON.parse(stdout);
  assert.equal(suppressed, [
    {
      code: 'F102',
      file: 'shop/policies/rules.ts',
      line: 9,
      reason: 'the region moves here next week',
    },
  ]);
  const codes = (diagnostics as Found[]).map(({ code }) => code).sort();
  assert.equal(codes, ['F101', 'F103', 'F104', 'F105', 'F191', 'F192']);
});

test('SARIF 2.1.0', async () => {
  const { exit, stdout } = await run('lint', 'shop', '-o', 'sarif');
  assert.is(exit, 3);
  const { version, runs } = JSON.parse(stdout);
  assert.is(version, '2.1.0');
  const [{ tool, results }] = runs;
  assert.is(tool.driver.name, 'weft');
  assert.is(results.length, 5);
  for (const result of results) {
    assert.ok(tool.driver.rules.some((rule: { readonly id: string }) => rule.id === result.ruleId));
    const [{ physicalLocation }] = result.locations;
    assert.match(physicalLocation.artifactLocation.uri, /^shop\/policies\/rules\.ts$/);
    assert.ok(physicalLocation.region.startLine > 0);
  }
});

test('rules that are too large to be judged are named, and those of the other level too', async () => {
  const words = Array.from(
    { length: 22 },
    (_, i) => `r.path.contains("${String.fromCharCode(97 + i)}z")`,
  );
  const large = `import { Request, Verdict } from "weft";
export function authorizeRequest(r: Request): Verdict {
  if (${words.join(' && ')}) return Verdict.Deny;
  return Verdict.Allow;
}
`;
  write('shop/policies/rules.ts', large);
  const { exit, stdout, stderr } = await run('lint', 'shop');
  write('shop/policies/rules.ts', large.replace(/&& .*\)\) return/, ') return'));
  const small = await run('lint', 'shop');
  write('shop/policies/rules.ts', RULES);
  assert.is(exit, 3, stderr);
  assert.match(
    stdout,
    /F106.*rules about requests are not judged: the tests of texts have too many states/,
  );
  assert.not.match(small.stdout, /F106/, small.stderr);
});

test('what is in order has no findings', async () => {
  write('shop/policies/rules.ts', BLOCK.replace('"bat"', '"prod"').replace('Deny', 'Allow'));
  write('shop/policies/block.ts', BLOCK);
  const { exit, stdout, stderr } = await run('lint', 'shop');
  write('shop/policies/rules.ts', RULES);
  assert.is(exit, 0, stdout + stderr);
  assert.match(stdout, /no findings, 0 suppressed/);
});

const policy = (
  rule: string,
  rest = '',
  action = 'DENY',
): string => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: p, namespace: prod${rest} }
spec:
  action: ${action}
  rules:
    - ${rule}
`;

test('YAML that meshes read differently, each with an example, and what they read alike', async () => {
  const rows: readonly (readonly [string, string | null, string?])[] = [
    ['from: [{ source: { namespaces: ["*a"] } }]', 'W521'],
    ['from: [{ source: { namespaces: ["*ab"] } }]', null],
    ['from: [{ source: { namespaces: [sa] } }]', 'W521'],
    ['from: [{ source: { namespaces: ["a*b"] } }]', 'W521'],
    ['from: [{ source: { principals: ["spiffe://cluster.local/ns/a/sa/b"] } }]', 'W522'],
    ['from: [{ source: { principals: ["cluster.local/ns/a/sa/b"] } }]', null],
    ['when: [{ key: "request.headers[x-a]", values: ["*"] }]', 'W521'],
    ['when: [{ key: "request.headers[x-a]", values: ["a"] }]', 'W521'],
    ['when: [{ key: "request.headers[x-a]", values: ["a"] }]', null, 'ALLOW'],
    ['when: [{ key: "request.headers[x-a]", values: ["a,b"] }]', 'W521', 'ALLOW'],
    ['when: [{ key: "request.headers[x-a]", values: ["a,b"] }]', null],
    ['when: [{ key: "request.headers[x-a]", values: ["*a"] }]', 'W521', 'ALLOW'],
    ['to: [{ operation: { methods: [GET], ports: ["5432"] } }]', 'W521', 'ALLOW'],
    ['to: [{ operation: { methods: [GET], ports: ["8080"] } }]', null, 'ALLOW'],
    ['to: [{ operation: { ports: ["5432"] } }]', null, 'ALLOW'],
    ['when: [{ key: "request.headers[Host]", values: ["a"] }]', 'W522'],
  ];
  for (const [rule, code, action] of rows) {
    write('p.yaml', policy(rule, '', action));
    const { exit, stdout } = await run('lint', '--yaml', 'p.yaml', '-o', 'json');
    const found = JSON.parse(stdout).diagnostics;
    assert.equal(
      found.map((one: Found) => one.code),
      code === null ? [] : [code],
      rule,
    );
    if (code !== null) assert.match(found[0].notes[0], /^example: /);
    assert.is(exit, code === null ? 0 : 3, rule);
  }
  for (const [mode, exit] of [
    ['DISABLE', 3],
    ['PERMISSIVE', 0],
  ] as const) {
    const peers = `apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: { name: p, namespace: a }\nspec: { mtls: { mode: ${mode} }, portLevelMtls: { 80: { mode: STRICT } } }\n`;
    write('p.yaml', peers);
    const one = await run('lint', '--yaml', 'p.yaml');
    assert.is(one.exit, exit, one.stdout);
    if (exit === 3) assert.match(one.stdout, /Istio no, Weft yes/);
  }
  write(
    'p.yaml',
    policy('to: [{ operation: { hosts: [a.com] } }]', ', annotations: { istio.io/dry-run: "yes" }'),
  );
  const both = await run('lint', '--yaml', 'p.yaml');
  assert.is(both.exit, 3);
  assert.match(both.stdout, /`yes` is no truth value/);
  assert.match(both.stdout, /a\.com:\*/);
  assert.match(both.stdout, /ztunnel lets all in/);
  write(
    'p.yaml',
    policy(
      'from: [{ source: { namespaces: [sa] } }] # weft-lint-ignore W521: no namespace is called ns',
    ),
  );
  assert.is((await run('lint', '--yaml', 'p.yaml')).exit, 0);
});

test.run();
