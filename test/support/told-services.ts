/** Services of a world, as cases of imports tell them: `clusters` by service, and `ports` where they matter. */
import type { KnownCluster, KnownPort, Services } from '../../runtime/import/index.js';

type Selector = Readonly<Record<string, string>>;

/** Names of clusters alone, or with their selectors. */
type ToldClusters = readonly string[] | Readonly<Record<string, Selector>>;

function clustersOf(told: ToldClusters): readonly KnownCluster[] {
  if (Array.isArray(told)) return told.map((name: string) => ({ name, selector: {} }));
  return Object.entries(told as Readonly<Record<string, Selector>>).map(([name, selector]) => ({
    name,
    selector,
  }));
}

/** `http:80`, `tcp:9000`, `http:80:8080` with the port of the workloads. */
function portOf(text: string): KnownPort {
  const [protocol, port, target] = text.split(':');
  return { port: Number(port), target: Number(target ?? port), http: protocol === 'http' };
}

export function servicesOf(told: Readonly<Record<string, unknown>>): Services {
  const clusters = (told['clusters'] ?? {}) as Record<string, ToldClusters>;
  const ports = (told['ports'] ?? {}) as Record<string, readonly string[]>;
  return new Map(
    Object.entries(clusters).map(([service, own]) => [
      service,
      {
        clusters: clustersOf(own),
        ports: (ports[service] ?? []).map(portOf),
        balance: 'round-robin',
      },
    ]),
  );
}
