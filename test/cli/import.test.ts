/** `weft import`: what it writes, what it refuses, and that what it writes builds. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeBundle } from '../../compiler/bundle/index.js';
import { weft, withFolder } from './harness.js';

const POLICY = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ratings, namespace: prod }
spec:
  selector: { matchLabels: { app: ratings } }
  rules:
    - from: [{ source: { principals: [cluster.local/ns/prod/sa/reviews] } }]
      to: [{ operation: { methods: [GET], paths: ["/ratings/*"] } }]
`;
const SERVICE = `apiVersion: v1
kind: Service
metadata: { name: ratings, namespace: prod }
spec: { ports: [{ name: http, port: 80, targetPort: 9080 }] }
`;
const WORLD = `services:
  - name: ratings.prod
    addresses: [10.96.0.20]
    ports: [{ port: 80, target: 9080, protocol: http }]
    clusters: [{ name: ratings/v1, selector: { app: ratings } }]
workloads:
  - { name: ratings-v1.prod, addresses: [10.1.0.6], labels: { app: ratings } }
`;
const test = suite('cli import');

function put(cwd: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(join(cwd, 'mesh/more'), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text);
}

test('a folder of YAML becomes a project, whose ports come from Services', () =>
  withFolder(async (cwd) => {
    put(cwd, { 'mesh/a.yaml': POLICY, 'mesh/more/b.yml': SERVICE, 'mesh/readme.txt': 'x: [' });
    const { exit, stdout, stderr } = await weft(['import', 'istio', 'mesh', '--out', 'shop'], {
      cwd,
    });
    assert.is(exit, 0, stderr);
    assert.is(stdout, 'created shop/policies/prod-app-ratings.ts\ncreated shop/weft.json\n');
    const text = readFileSync(join(cwd, 'shop/policies/prod-app-ratings.ts'), 'utf8');
    assert.match(text, '// ns[prod]-policy[ratings]-rule[0], mesh/a.yaml:7\n');
    assert.match(text, 'request.path.startsWith("/ratings/")');
    assert.equal(JSON.parse(readFileSync(join(cwd, 'shop/weft.json'), 'utf8')), {
      name: 'shop',
      policies: [
        {
          file: 'policies/prod-app-ratings.ts',
          attach: [{ namespace: 'prod', workload: { app: 'ratings' } }],
          mode: 'enforce',
        },
      ],
      default: 'allow',
    });
    const again = await weft(['import', 'istio', 'mesh', '--out', 'shop', '-o', 'json'], { cwd });
    assert.is(again.exit, 1);
    assert.is(JSON.parse(again.stdout).diagnostics[0].code, 'U012');
  }));

test('straight to a bundle, with the ports of a world', () =>
  withFolder(async (cwd) => {
    put(cwd, { 'a.yaml': POLICY, 'world.yaml': WORLD });
    const args = [
      'import',
      'istio',
      'a.yaml',
      '--world',
      'world.yaml',
      '--direct',
      '--out',
      'm.weft',
    ];
    const { exit, stdout, stderr } = await weft([...args, '-o', 'json'], { cwd });
    assert.is(exit, 0, stderr);
    assert.is(JSON.parse(stdout).file, 'm.weft');
    const decoded = decodeBundle(readFileSync(join(cwd, 'm.weft')));
    assert.ok(decoded.ok && decoded.bundle.manifest.policies.length === 1);
  }));

test('what cannot be kept is shown in the YAML, and nothing is written', () =>
  withFolder(async (cwd) => {
    put(cwd, { 'a.yaml': POLICY.replace('rules:', 'action: CUSTOM\n  rules:') });
    const args = ['import', 'istio', 'a.yaml', '--http-port', '9080', '--out', 'shop'];
    const { exit, stderr } = await weft(args, { cwd });
    assert.is(exit, 3);
    assert.match(stderr, 'error[W504]: CUSTOM asks a provider');
    assert.match(stderr, '--> a.yaml:6:11');
    assert.not(existsSync(join(cwd, 'shop')));
    const json = await weft([...args, '-o', 'json'], { cwd });
    assert.is(JSON.parse(json.stdout).diagnostics.length, 1);
  }));

test('a narrower rule is a warning with an example', () =>
  withFolder(async (cwd) => {
    const when = 'when: [{ key: "request.headers[x-a]", values: [b] }]';
    put(cwd, { 'a.yaml': `${POLICY}      ${when}\n` });
    const args = ['import', 'istio', 'a.yaml', '--http-port', '9080', '--out', 'shop'];
    const { exit, stderr } = await weft(args, { cwd });
    assert.is(exit, 0, stderr);
    assert.match(stderr, 'warning[W505]');
    assert.match(stderr, 'for example: GET / with `x-a: a` and `x-a: b`');
  }));

test('HTTPRoutes go to the clusters of the world', () =>
  withFolder(async (cwd) => {
    const route = `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: r, namespace: prod }
spec:
  parentRefs: [{ group: "", kind: Service, name: ratings }]
  rules: [{ matches: [{ path: { value: /x } }], backendRefs: [{ name: ratings, port: 80 }] }]
`;
    put(cwd, { 'r.yaml': route, 'world.yaml': WORLD });
    const args = ['import', 'gateway-api', 'r.yaml', '--world', 'world.yaml', '--out', 'shop'];
    const { exit, stderr } = await weft(args, { cwd });
    assert.is(exit, 0, stderr);
    const text = readFileSync(join(cwd, 'shop/policies/routes-ratings-prod.ts'), 'utf8');
    assert.match(text, 'const route = cluster("ratings.prod/v1");');
    const unknown = await weft(['import', 'gateway-api', 'r.yaml', '--out', 'other'], { cwd });
    assert.is(unknown.exit, 3);
    assert.match(unknown.stderr, 'no cluster in the world');
  }));

test('GRPCRoutes judge what HTTP/1.1 carries, and say what becomes of HTTP/2', () =>
  withFolder(async (cwd) => {
    const route = `apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: { name: r, namespace: prod }
spec:
  parentRefs: [{ group: "", kind: Service, name: ratings, port: 80 }]
  rules: [{ matches: [{ method: { service: shop.Cart } }], backendRefs: [{ name: ratings, port: 80 }] }]
`;
    put(cwd, { 'r.yaml': route, 'world.yaml': WORLD });
    const args = ['import', 'gateway-api', 'r.yaml', '--world', 'world.yaml', '--out'];
    const { exit, stderr } = await weft([...args, 'shop'], { cwd });
    assert.is(exit, 0, stderr);
    assert.match(stderr, 'warning[W505]: gRPC over HTTP/2 is refused');
    const ask = async (line: string): Promise<unknown> => {
      const said = ['-H', 'content-type: application/grpc-web+proto', '-o', 'json'];
      const from = ['simulate', 'shop', '--from', 'ratings-v1.prod', '--to', 'ratings.prod:80'];
      const out = await weft([...from, '--request', line, ...said], { cwd });
      const [{ status, cluster }] = JSON.parse(out.stdout).results;
      return [status, cluster];
    };
    assert.equal(await ask('POST /shop.Cart/Add'), [200, 'ratings/v1']);
    assert.equal(await ask('POST /shop.Carts/Add'), [200, null]);
    assert.equal(await ask('GET /shop.Cart/Add'), [404, null]);
    put(cwd, { 'world.yaml': WORLD.replace('protocol: http', 'protocol: tcp') });
    const refused = await weft([...args, 'other'], { cwd });
    assert.is(refused.exit, 3);
    assert.match(refused.stderr, 'port 80 of `ratings.prod` is not HTTP in the world');
    assert.match(refused.stderr, '= help: write `protocol: http` at the port');
  }));

test('VirtualServices go to the clusters of the world that are their subsets', () =>
  withFolder(async (cwd) => {
    const objects = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: r, namespace: prod }
spec: { hosts: [ratings], http: [{ match: [{ uri: { prefix: /x } }], route: [{ destination: { host: ratings, subset: one } }] }] }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: r, namespace: prod }
spec: { host: ratings, subsets: [{ name: one, labels: { app: ratings } }] }
`;
    put(cwd, { 'r.yaml': objects, 'world.yaml': WORLD });
    const args = ['import', 'istio', 'r.yaml', '--world', 'world.yaml', '--out'];
    const { exit, stderr } = await weft([...args, 'shop'], { cwd });
    assert.is(exit, 0, stderr);
    const text = readFileSync(join(cwd, 'shop/policies/routes-ratings-prod.ts'), 'utf8');
    assert.match(text, '// prod/r http[0] match[0], r.yaml:4\n');
    assert.match(text, 'if (request.path.startsWith("/x")) return route;');
    const check = await weft(['check', 'shop'], { cwd });
    assert.is(check.exit, 0, check.stderr);
    put(cwd, { 'r.yaml': objects.replace('app: ratings', 'app: other') });
    const unknown = await weft([...args, 'other', '-o', 'json'], { cwd });
    assert.is(unknown.exit, 3);
    const [found] = JSON.parse(unknown.stdout).diagnostics;
    assert.equal([found.code, found.file, found.line], ['W504', 'r.yaml', 4]);
    assert.not(existsSync(join(cwd, 'other')));
  }));

test('STRICT peers: what is written has no rule that decides nothing', () =>
  withFolder(async (cwd) => {
    const peers = `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: p, namespace: prod }
spec: { mtls: { mode: STRICT } }
`;
    const known = WORLD.replace('ratings } }\n', 'ratings }, serviceAccount: r }\n');
    put(cwd, { 'p.yaml': peers, 'world.yaml': known });
    const args = ['import', 'istio', 'p.yaml', '--world', 'world.yaml', '--out', 'shop'];
    assert.is((await weft(args, { cwd })).exit, 0);
    const lint = await weft(['lint', 'shop'], { cwd });
    assert.is(lint.exit, 0, lint.stderr);
    const ask = async (): Promise<string> => {
      const asked = ['simulate', 'shop', '--from', 'ratings-v1.prod', '--to', 'ratings.prod:80'];
      return JSON.parse((await weft([...asked, '-o', 'json'], { cwd })).stdout).results[0].verdict;
    };
    assert.is(await ask(), 'allow');
    // Without a service account a workload is nobody.
    put(cwd, { 'shop/world.yaml': WORLD });
    assert.is(await ask(), 'deny');
  }));

test('blocks of CiliumNetworkPolicies need to know which addresses are nodes', () =>
  withFolder(async (cwd) => {
    const policy = `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: { name: c, namespace: prod }
spec: { endpointSelector: {}, ingress: [{ fromCIDR: [192.0.2.0/24] }] }
`;
    put(cwd, { 'c.yaml': policy });
    const args = ['import', 'cilium', 'c.yaml', '--out', 'net'];
    const refused = await weft(args, { cwd });
    assert.is(refused.exit, 3);
    assert.match(refused.stderr, 'say the blocks of their addresses: `--nodes BLOCK`');
    const { exit, stderr } = await weft([...args, '--nodes', '10.9.0.0/24'], { cwd });
    assert.is(exit, 0, stderr);
    assert.match(stderr, 'warning[W505]: what a node itself sends');
    const text = readFileSync(join(cwd, 'net/policies/prod.ts'), 'utf8');
    assert.match(text, 'new CidrSet("nodes").add("10.9.0.0/24")');
    const wrong = await weft([...args, '--nodes', 'x'], { cwd });
    assert.is(wrong.exit, 3);
  }));

test('files that cannot be read, or hold nothing, are told', () =>
  withFolder(async (cwd) => {
    put(cwd, { 'a.yaml': 'kind: Deployment\napiVersion: apps/v1\nmetadata: { name: a }\n' });
    writeFileSync(join(cwd, 'bytes.yaml'), Buffer.from([0x6b, 0x3a, 0xff]));
    const run = async (...files: string[]): Promise<unknown> => {
      const out = await weft(['import', 'istio', ...files, '--out', 'x', '-o', 'json'], { cwd });
      const { diagnostics } = JSON.parse(out.stdout) as { diagnostics: { code: string }[] };
      return [out.exit, ...diagnostics.map(({ code }) => code)];
    };
    assert.equal(await run('a.yaml'), [3, 'W509']);
    assert.equal(await run('none.yaml'), [1, 'U010']);
    assert.equal(await run('bytes.yaml'), [3, 'W001']);
    for (const port of ['x', '0', '65536']) {
      const bad = await weft(['import', 'istio', 'a.yaml', '--http-port', port, '--out', 'x'], {
        cwd,
      });
      assert.is(bad.exit, 64, port);
    }
    const claim = await weft(['import', 'istio', 'a.yaml', '--claim', 'x', '--out', 'x'], { cwd });
    assert.is(claim.exit, 64);
    const dialect = await weft(['import', 'linkerd', 'a.yaml', '--out', 'x'], { cwd });
    assert.is(dialect.exit, 64);
  }));

test('an option of another dialect is refused, and nothing is written', async () => {
  const foreign: readonly (readonly [dialect: string, ...option: string[]])[] = [
    ['istio', '--nodes', '10.0.0.0/24'],
    ['gateway-api', '--http-port', '8080'],
    ['cilium', '--trust-domain', 'td'],
    ['gateway-api', '--path-normalization', 'BASE'],
  ];
  await withFolder(async (cwd) => {
    for (const [dialect, ...option] of foreign) {
      const args = ['import', dialect, 'a.yaml', ...option, '--out', 'x'];
      const { exit, stderr } = await weft(args, { cwd });
      assert.is(exit, 64, stderr);
      assert.match(stderr, `error[U003]: \`${option[0]}\` says nothing to \`${dialect}\``);
      assert.match(stderr, 'help: it is an option of `');
      assert.not.ok(existsSync(join(cwd, 'x')));
    }
  });
});

test.run();
