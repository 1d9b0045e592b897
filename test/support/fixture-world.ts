/** A small world for tests that compile policies from texts: reviews.prod with five versions. */
import { readWorld, type World } from '../../runtime/discovery/index.js';

const VERSIONS = ['v1', 'v2', 'v3', 'v4', 'v5'];
const TEXT = `
services:
  - name: reviews.prod
    addresses: [10.96.0.1, "fd00:96::1"]
    ports: [{ port: 80, target: 9080, protocol: http }]
    clusters:
${VERSIONS.map((v) => `      - { name: reviews/${v}, selector: { app: reviews, version: ${v} } }`).join('\n')}
    balance: round-robin
workloads:
${VERSIONS.map((v, i) => `  - { name: reviews-${v}.prod, addresses: [10.1.0.${i + 4}, "fd00:1::${i + 4}"], labels: { app: reviews, version: ${v} }, serviceAccount: reviews }`).join('\n')}
`;

/** The world, fresh. */
export function fixtureWorld(): World {
  const { world, diagnostics } = readWorld(TEXT, 'fixture.yaml');
  if (world === null) throw new Error(JSON.stringify(diagnostics));
  return world;
}
