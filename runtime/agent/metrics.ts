/** What this node counts, in the text format of Prometheus: the kernel's own counters at each scrape. */
import { Counter, Gauge, Registry } from 'prom-client';
import type { Checked } from './api/index.js';
import type { NodeStatus } from './status.js';

export interface MetricsWorld {
  status(): NodeStatus;
  ready(): Checked;
  /** Clients in the agent's hands, and replies that it forwards. */
  sessions(): { readonly sessions: number; readonly replies: number };
  readonly version: string;
  usage(): Usage;
}

/** What this process has used. */
export interface Usage {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

type Labels = Readonly<Record<string, string>>;

/** One metric of a scrape: its registry lives as long as the scrape, so totals are set, not added up. */
class Scrape {
  readonly registry = new Registry();

  total(name: string, help: string, values: readonly (readonly [Labels, number | bigint])[]): void {
    const [first] = values;
    if (first === undefined) return; // else it would be there, without labels
    const labelNames = Object.keys(first[0]);
    const counter = new Counter({ name, help, labelNames, registers: [this.registry] });
    for (const [labels, value] of values) counter.inc(labels, Number(value));
  }

  now(name: string, help: string, values: readonly (readonly [Labels, number | bigint])[]): void {
    const [first] = values;
    if (first === undefined) return;
    const labelNames = Object.keys(first[0]);
    const gauge = new Gauge({ name, help, labelNames, registers: [this.registry] });
    for (const [labels, value] of values) gauge.set(labels, Number(value));
  }
}

function ofRules({ policies }: NodeStatus): readonly (readonly [Labels, bigint])[] {
  return policies.flatMap(({ name, mode, sites }) =>
    sites.map(
      ({ rule, verdict, count }) => [{ policy: name, mode, rule, verdict }, count] as const,
    ),
  );
}

/** Prints all of it. Throws what the world throws. */
export async function printMetrics(world: MetricsWorld): Promise<string> {
  const status = world.status();
  const { exchanges, enrolled, reasons, generations, active, lost } = status;
  const scrape = new Scrape();
  const { checks, ok } = world.ready();
  const { sessions, replies } = world.sessions();
  const current = generations.find((g) => g.active);
  scrape.total(
    'weft_verdicts_total',
    'Verdicts of this node since its first load, by reason.',
    Object.entries(reasons).flatMap(([reason, { allow, deny }]) => [
      [{ reason, verdict: 'allow' }, allow] as const,
      [{ reason, verdict: 'deny' }, deny] as const,
    ]),
  );
  scrape.total('weft_rule_hits_total', 'Decisions by the line that decided.', ofRules(status));
  scrape.total('weft_events_lost_total', 'Verdicts whose event found no room.', [[{}, lost]]);
  scrape.now('weft_generation', 'The active generation; 0: none.', [[{}, active ?? 0]]);
  scrape.now('weft_bundle_info', 'The bundle of the active generation.', [
    [{ name: current?.name ?? '', digest: current?.bundle ?? '', agent: world.version }, 1],
  ]);
  scrape.now('weft_enrolled_workloads', 'Cgroups in the mesh.', [[{}, enrolled.length]]);
  const pools = exchanges.pools.map((pool) => {
    const known = enrolled.find((e) => e.cgroupId === pool.cgroup)?.workload;
    return { pool, labels: { workload: known ?? pool.cgroup, endpoint: pool.endpoint } };
  });
  const ofPools = (value: (pool: (typeof pools)[number]['pool']) => number | bigint) =>
    pools.map(({ pool, labels }) => [labels, value(pool)] as const);
  scrape.now(
    'weft_pool_connections',
    'Pooled connections.',
    ofPools((pool) => pool.size),
  );
  scrape.now(
    'weft_pool_idle',
    'Pooled connections that nobody uses.',
    ofPools((pool) => pool.idle),
  );
  scrape.total(
    'weft_pool_misses_total',
    'Requests that found no pooled connection idle.',
    ofPools((pool) => pool.misses),
  );
  scrape.now('weft_leases', 'Exchanges on pooled connections.', [[{}, exchanges.leases]]);
  scrape.now('weft_doors', "Clients in the agent's hands, as the kernel has it.", [
    [{}, exchanges.doors],
  ]);
  scrape.now('weft_sessions', 'Clients that the agent serves.', [[{}, sessions]]);
  scrape.now('weft_replies', 'Replies that the agent forwards.', [[{}, replies]]);
  scrape.now('weft_ready', '1 where every check holds.', [[{}, ok ? 1 : 0]]);
  scrape.now(
    'weft_check',
    '1 where the check holds.',
    checks.map((c) => [{ check: c.name }, c.ok ? 1 : 0] as const),
  );
  const { cpuSeconds, residentBytes } = world.usage();
  scrape.total('process_cpu_seconds_total', 'User and system CPU time spent in seconds.', [
    [{}, cpuSeconds],
  ]);
  scrape.now('process_resident_memory_bytes', 'Resident memory size in bytes.', [
    [{}, residentBytes],
  ]);
  return scrape.registry.metrics();
}
