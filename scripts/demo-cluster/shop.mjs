// What the cluster runs: eight nodes with a `web` and an `api` each, and two versions of a policy
// between them.

/** A test runs it with fewer. */
export const NODES = Array.from(
  { length: Number(process.env.WEFT_DEMO_NODES ?? 8) },
  (_, i) => `n${i + 1}`,
);
export const SERVICE = { address: '10.96.0.40', port: 80, target: 8080 };

/** Addresses of a node's workloads. */
export const addressOf = (node, app) => `10.77.${node.slice(1)}.${app === 'web' ? 1 : 2}`;
/** Where the kernel knows a workload by, below the cgroup2 root. */
export const cgroupOf = (node, app) => `weft-demo/${node}/${app}`;

/** The world as one node has it: only its own workloads have cgroups there. */
export function worldOf(own) {
  const workloads = NODES.flatMap((node) =>
    ['web', 'api'].map((app) => ({
      name: `${app}-${node}.shop`,
      addresses: [addressOf(node, app)],
      labels: { app },
      serviceAccount: app,
      node,
      ...(node === own ? { cgroup: `/${cgroupOf(node, app)}` } : {}),
    })),
  );
  const { address, port, target } = SERVICE;
  return {
    services: [
      {
        name: 'api.shop',
        addresses: [address],
        ports: [{ port, target, protocol: 'http' }],
        clusters: [{ name: 'api/all', selector: { app: 'api' } }],
      },
    ],
    workloads,
  };
}

export const PROJECT = {
  name: 'shop',
  policies: [{ file: 'policy.ts', attach: [{ service: 'api.shop' }] }],
  default: 'deny',
  world: 'world.yaml',
};

/** The policy; version 2 also keeps everybody out of what is internal. */
export const policyOf = (version) => `import { Request, Verdict } from "weft";

export function authorizeRequest(request: Request): Verdict {
  if (!request.source.serviceAccount.is("web")) return Verdict.Deny;
${version === 2 ? '  if (request.path.startsWith("/orders/internal/")) return Verdict.Deny;\n' : ''}  return request.path.startsWith("/orders/") ? Verdict.Allow : Verdict.Deny;
}
`;
