/** `weft prove`: claims beside a policy, each proved, refuted by what was really decided, or undecided with its line. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Transcript, weft } from './harness.js';

const test = suite('cli prove');
let cwd = '';
const run = (...args: string[]): Promise<Transcript> => weft(args, { cwd });
const write = (name: string, text: string): void => writeFileSync(join(cwd, name), text);

const claims = (body: string): string => `import { Connection, Request, Verdict } from "weft";
export function authorizeConnection(c: Connection): Verdict {
  ${body}
  return Verdict.Pass;
}
`;

test.before(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'weft-prove-'));
  await run('init', 'shop');
  write(
    'shop/policies/pay.ts',
    `import { Request, Verdict } from "weft";
export function authorizeRequest(r: Request): Verdict {
  if (r.path.startsWith("/admin/")) return Verdict.Deny;
  if (r.path.find(0x7e) == 5) return Verdict.Deny;
  return r.method.is("GET") ? Verdict.Allow : Verdict.Pass;
}
`,
  );
  write(
    'shop/weft.json',
    JSON.stringify({
      name: 'shop',
      policies: [
        { file: 'policies/isolation.ts', attach: [{ namespace: 'prod' }] },
        { file: 'policies/pay.ts', attach: [{ workload: { app: 'payments' } }] },
      ],
      default: 'deny',
    }),
  );
  const built = await run('build', 'shop', '--out', 'shop.weft');
  assert.is(built.exit, 0, built.stderr);
});
test.after(() => rmSync(cwd, { recursive: true, force: true }));

test('a bundle may be a file or lie in a layout: its claims, tests and cases are named', async () => {
  write('deny.prove.ts', claims('if (!c.source.namespace.is("prod")) return Verdict.Deny;'));
  assert.is((await run('push', 'shop.weft', 'oci:layout:one')).exit, 0);
  for (const bundle of ['shop.weft', 'oci:layout:one']) {
    const { exit, stdout, stderr } = await run('prove', bundle, 'deny.prove.ts');
    assert.is(exit, 2, stderr);
    assert.match(stdout, /^refuted +deny\.prove\.ts:3 /);
    for (const [verb, code] of [
      ['prove', 'U018'],
      ['test', 'U003'],
      ['bench', 'U003'],
    ] as const) {
      const bare = await run(
        verb,
        bundle,
        ...(verb === 'prove' ? [] : ['--world', 'shop/world.yaml']),
      );
      assert.is(bare.exit, 64, bare.stderr);
      assert.match(bare.stderr, `error[${code}]`);
    }
  }
  const policy = await run('test', 'shop', 'shop/policies/pay.ts');
  assert.is(policy.exit, 64);
  assert.match(policy.stderr, '`shop/policies/pay.ts` is no file of tests');
});

test('rules of a list are looked into: blocks, ports, texts, and which comes first', async () => {
  await run('init', 'rules');
  write(
    'rules/policies/rules.ts',
    `import { Connection, RuleList, Verdict } from "weft";
const rules = new RuleList<Verdict>("rules")
  .add(Verdict.Deny, 5).source("0.0.0.0/0").source("::/0")
  .add(Verdict.Allow).source("10.0.0.0/8").port(80, 90).sourceNamespace("prod").sourceNamespace("stage")
  .add(Verdict.Deny, -1).port(85);
export function authorizeConnection(c: Connection): Verdict { return rules.get(c, Verdict.Deny); }
`,
  );
  const policies = [{ file: 'policies/rules.ts', attach: [{ namespace: 'prod' }] }];
  write('rules/weft.json', JSON.stringify({ name: 'rules', policies, default: 'deny' }));
  const port = (first: number, last: number): string =>
    `if (c.destination.namespace.is("prod") && c.destination.port >= ${first} && c.destination.port <= ${last}) return Verdict.Deny;`;
  write('port.prove.ts', claims(port(85, 85)));
  write('wider.prove.ts', claims(port(85, 86)));
  const stage =
    'if (c.destination.namespace.is("prod") && !c.source.namespace.is("prod") && !c.source.namespace.is("stage")) return Verdict.Deny;';
  write('stage.prove.ts', claims(stage));
  for (const [file, exit] of [
    ['port.prove.ts', 0],
    ['wider.prove.ts', 2],
    ['stage.prove.ts', 0],
  ] as const) {
    const told = await run('prove', 'rules', file);
    assert.is(told.exit, exit, `${file}: ${told.stdout}${told.stderr}`);
  }
});

test('a claim that holds is proved, its near miss is refuted with what was decided', async () => {
  const rule = (namespace: string): string =>
    `if (c.destination.namespace.is("prod") && !c.source.namespace.is("${namespace}")) return Verdict.Deny;`;
  write('good.prove.ts', claims(rule('prod')));
  write('bad.prove.ts', claims(rule('dev')));
  const good = await run('prove', 'shop.weft', 'good.prove.ts');
  assert.is(good.exit, 0, good.stderr + good.stdout);
  assert.is(
    good.stdout,
    'proved     good.prove.ts:3  never let in\n1 proved, 0 refuted, 0 undecided, 0 empty\n',
  );
  const bad = await run('prove', 'shop.weft', 'bad.prove.ts');
  assert.is(bad.exit, 2, bad.stderr);
  assert.match(
    bad.stdout,
    /^refuted {4}bad\.prove\.ts:3 {2}never let in, but where\n +source\.namespace is "prod"/,
  );
  assert.match(
    bad.stdout,
    /as {2}client\.prod \([\d.]+\) -> server\.prod [\d.]+:80\n +allow \(policies\/isolation\.ts:10\)/,
  );
});

test('what must be let in, and what nothing meets', async () => {
  write(
    'allow.prove.ts',
    claims(`if (c.destination.namespace.is("prod") && c.source.namespace.is("prod")) return Verdict.Allow;
  if (c.source.namespace.is("a") && c.source.namespace.is("b")) return Verdict.Deny;`),
  );
  const { exit, stdout } = await run('prove', 'shop.weft', 'allow.prove.ts', '-o', 'json');
  assert.is(exit, 2);
  const { claims: found, summary } = JSON.parse(stdout);
  assert.equal(summary, { proved: 0, refuted: 1, undecided: 0, empty: 1 });
  // Blocked addresses are refused whoever they say they are.
  assert.is(found[0].outcome.line, 9);
  assert.match(JSON.stringify(found[0].where), /203\.0\.113\.0\/24/);
});

test('claims about requests; a part that is not looked into is named where it matters', async () => {
  const about = (path: string, verdict: string): string => `import { Request, Verdict } from "weft";
export function authorizeRequest(r: Request): Verdict {
  const isPaid = r.destination.label("app").is("payments");
  return isPaid && r.path.startsWith("${path}") ? Verdict.${verdict} : Verdict.Pass;
}
`;
  write('admin.prove.ts', about('/admin/', 'Deny'));
  const proved = await run('prove', 'shop.weft', 'admin.prove.ts');
  assert.is(proved.exit, 0, proved.stdout + proved.stderr);
  write('near.prove.ts', about('/admi', 'Deny'));
  const refuted = await run('prove', 'shop.weft', 'near.prove.ts');
  assert.is(refuted.exit, 4, refuted.stdout);
  assert.match(
    refuted.stdout,
    /^undecided {2}near\.prove\.ts:4 {2}never let in: policies\/pay\.ts:4 is not looked into/,
  );
});

test('a connection that is let be, for its requests to be judged, is let in', async () => {
  await run('init', 'web');
  write(
    'web/policies/web.ts',
    `import { Request, Verdict } from "weft";
export function authorizeRequest(r: Request): Verdict {
  return r.source.namespace.is("prod") ? Verdict.Allow : Verdict.Deny;
}
`,
  );
  const policies = [{ file: 'policies/web.ts', attach: [{ namespace: 'prod' }] }];
  write('web/weft.json', JSON.stringify({ name: 'web', policies, default: 'deny' }));
  const others = (c: string, more = ''): string =>
    `const isOther = ${c}.destination.namespace.is("prod") && !${c}.source.namespace.is("prod")${more};
  if (isOther) return Verdict.Deny;`;
  write('connection.prove.ts', claims(others('c')));
  const refuted = await run('prove', 'web', 'connection.prove.ts', '-o', 'json');
  assert.is(refuted.exit, 2, refuted.stdout + refuted.stderr);
  const [{ where, example, outcome }] = JSON.parse(refuted.stdout).claims;
  const http = { field: 'destination.port', says: 'is a port with HTTP' };
  assert.ok(
    where.some((one: typeof http) => one.says === http.says && one.field === http.field),
    refuted.stdout,
  );
  assert.equal([outcome.verdict, outcome.reason], ['allow', 'requests']);
  assert.is(example.world.services.length, 1);
  // Its near misses: what speaks of requests, which are judged, and datagrams, which have none.
  write(
    'request.prove.ts',
    `import { Request, Verdict } from "weft";
export function authorizeRequest(r: Request): Verdict {
  ${others('r')}
  return Verdict.Pass;
}
`,
  );
  write('datagram.prove.ts', claims(others('c', ' && c.protocol == 17')));
  for (const file of ['request.prove.ts', 'datagram.prove.ts']) {
    const proved = await run('prove', 'web', file);
    assert.is(proved.exit, 0, proved.stdout + proved.stderr);
  }
  // And where one policy speaks of connections, it is asked.
  await run('init', 'both');
  write('both/policies/web.ts', readFileSync(join(cwd, 'web/policies/web.ts'), 'utf8'));
  const both = [{ file: 'policies/isolation.ts', attach: [{ namespace: 'prod' }] }, ...policies];
  write('both/weft.json', JSON.stringify({ name: 'both', policies: both, default: 'deny' }));
  const asked = await run('prove', 'both', 'connection.prove.ts');
  assert.is(asked.exit, 0, asked.stdout + asked.stderr);
});

test('without claims there is nothing to prove; faults of claims are told', async () => {
  const none = await run('prove', 'shop');
  assert.is(none.exit, 64);
  assert.match(none.stderr, /U018[\s\S]*\.prove\.ts/);
  const alone = await run('prove', 'good.prove.ts');
  assert.is(alone.exit, 64);
  assert.match(alone.stderr, /U013[\s\S]*name the project first, as `\. good\.prove\.ts`/);
  write('broken.prove.ts', claims('return Verdict.Never;'));
  const broken = await run('prove', 'shop.weft', 'broken.prove.ts');
  assert.is(broken.exit, 3);
  assert.match(broken.stderr, /broken\.prove\.ts:3/);
});

test.run();
