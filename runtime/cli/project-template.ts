/** The files of a new project. They are kept green by a test that builds and simulates them. */
import { basename } from 'node:path';

const POLICY = `import { CidrSet, Connection, Verdict } from "weft";

// Configure phase: runs once, at build time.
const blocked = new CidrSet("blocked");
blocked.add("203.0.113.0/24");

// Decide phase: runs for each connection, in the simulator and in the kernel.
export function authorizeConnection(connection: Connection): Verdict {
  if (blocked.contains(connection.source.address)) return Verdict.Deny;
  if (connection.source.namespace.is("prod")) return Verdict.Allow;
  return Verdict.Pass;
}
`;

const WORLD = `services:
  - name: ratings.prod
    addresses: [10.96.0.20, "fd00:96::20"]
    ports: [{ port: 80, target: 9080, protocol: tcp }]
    clusters:
      - { name: ratings/v1, selector: { app: ratings, version: v1 } }
workloads:
  - name: reviews.prod
    addresses: [10.1.0.4, "fd00:1::4"]
    labels: { app: reviews }
    serviceAccount: reviews
    cgroup: /weft/reviews
  - name: ratings-v1.prod
    addresses: [10.1.0.6, "fd00:1::6"]
    labels: { app: ratings, version: v1 }
    serviceAccount: ratings
    cgroup: /weft/ratings-v1
  - name: batch.dev
    addresses: [10.2.0.9]
    labels: { app: batch }
    serviceAccount: batch
    cgroup: /weft/batch
`;

const SCENARIO = `world: world.yaml
seed: 7
cases:
  - id: ratings-from-reviews
    connect: { from: reviews.prod, to: "ratings.prod:80", protocol: tcp }
    expect: { verdict: allow, rule: "isolation.ts:10" }
  - id: ratings-from-another-namespace
    connect: { from: batch.dev, to: "ratings.prod:80", protocol: tcp }
    expect: { verdict: deny }
  - id: ratings-from-blocked-address
    connect: { from: 203.0.113.9, to: "10.1.0.6:9080", protocol: tcp }
    expect: { verdict: deny, rule: "isolation.ts:9" }
`;

function projectName(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return name === '' ? 'policies' : name;
}

/** Text by path of a new project in `folder`. */
export function projectTemplate(folder: string): Readonly<Record<string, string>> {
  const project = {
    name: projectName(folder),
    policies: [{ file: 'policies/isolation.ts', attach: [{ namespace: 'prod' }], mode: 'enforce' }],
    default: 'deny',
    world: 'world.yaml',
  };
  return {
    'weft.json': `${JSON.stringify(project, null, 2)}\n`,
    'policies/isolation.ts': POLICY,
    'world.yaml': WORLD,
    'scenario.yaml': SCENARIO,
  };
}
