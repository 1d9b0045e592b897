/** What `weft top` does: reads counters twice, and shows what grew. */
import { hostname } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { diagnostic } from '../../compiler/diagnostic/index.js';
import { jsonLine } from '../agent/api/json.js';
import { type NodeReport, readDuration, ruleTotals } from '../rollout/index.js';
import { agentHere } from './agent-here.js';
import { columns } from './columns.js';
import { type Input, type Result, textOption } from './command-spec.js';
import { controlOf, withAdmin } from './control-place.js';
import type { Env } from './env.js';
import { EXIT } from './exit.js';
import { CliError } from './failure.js';
import { type Counted, type Rate, ratesOf } from './rates.js';
import { timeText } from './rollout-text.js';

type By = 'rule' | 'policy' | 'node';

const SHOWN = 30;
const SHORTEST_MS = 100;
const CLEAR = '\u001b[H\u001b[J';

/** What of a node is counted. */
type Counting = Pick<NodeReport, 'node' | 'counters' | 'rules'>;

/** What of a node's status is counted; bigint from the kernel, numbers or text from an agent. */
type Count = bigint | number | string;
interface HereStatus {
  readonly policies: readonly {
    readonly name: string;
    readonly sites: readonly {
      readonly rule: string;
      readonly verdict: string;
      readonly count: Count;
    }[];
  }[];
  readonly reasons: Readonly<Record<string, { readonly allow: Count; readonly deny: Count }>>;
}

/** What counts at one moment. */
type Look = () => Promise<{ readonly now: number; readonly counted: readonly Counted[] }>;

interface TopOptions {
  readonly by: By;
  readonly intervalMs: number;
  /** Ends after so many looks at rates; null: goes on. */
  readonly limit: number | null;
}

function optionsOf(env: Env, input: Input): TopOptions {
  const [every = '', count] = [textOption(input, 'interval') ?? '1s', textOption(input, 'count')];
  const intervalMs = readDuration(every);
  if (intervalMs === null || intervalMs < SHORTEST_MS) {
    const found = diagnostic('U004', `\`${every}\` is no interval`, { help: 'at least 100ms' });
    throw new CliError([found], EXIT.usage);
  }
  if (count !== null && !/^[1-9]\d{0,8}$/.test(count)) {
    throw new CliError([diagnostic('U004', `\`${count}\` is not a count`)], EXIT.usage);
  }
  // What is no terminal gets one answer, unless more are asked for.
  const isOnce = input.format === 'json' || !env.stdout.isTTY;
  const limit = count === null ? (isOnce ? 1 : null) : Number(count);
  return { by: (textOption(input, 'by') ?? 'rule') as By, intervalMs, limit };
}

function byPolicy(rules: NodeReport['rules']): readonly Counted[] {
  const totals = new Map<string, { readonly cells: readonly string[]; count: number }>();
  for (const { policy, verdict, count } of rules) {
    const key = `${policy} ${verdict}`;
    const known = totals.get(key) ?? { cells: [policy, verdict], count: 0 };
    totals.set(key, { ...known, count: known.count + count });
  }
  return [...totals].map(([key, total]) => ({ key, ...total }));
}

function byNode(nodes: readonly Counting[]): readonly Counted[] {
  return nodes.flatMap(({ node, counters: { allowed, denied } }) => [
    { key: `${node} allow`, cells: [node, 'allow'], count: allowed },
    { key: `${node} deny`, cells: [node, 'deny'], count: denied },
  ]);
}

function countedOf(nodes: readonly Counting[], by: By): readonly Counted[] {
  if (by === 'node') return byNode(nodes);
  if (by === 'policy') return byPolicy(nodes.flatMap((n) => n.rules));
  return ruleTotals(nodes).map(({ rule, verdict, count }) => ({
    key: `${rule} ${verdict}`,
    cells: [rule, verdict],
    count,
  }));
}

/** Counts of this node, from its agent where one runs; there they are numbers of JSON. */
async function statusHere(env: Env): Promise<() => Promise<HereStatus>> {
  const api = await agentHere(env);
  if (api !== null) {
    return async () => JSON.parse((await api.get('/v1/status')).text) as HereStatus;
  }
  const kernel = await env.openKernel();
  const paths = await env.nodePaths();
  const { nodeStatus } = await import('../agent/status.js');
  return async () => nodeStatus(kernel, paths);
}

/** This node as one of a cluster: its name, its rules, its counts. */
async function lookHere(env: Env, by: By): Promise<Look> {
  const status = await statusHere(env);
  return async () => {
    const { policies, reasons } = await status();
    const rules = policies.flatMap(({ name, sites }) =>
      sites.map(({ rule, verdict, count }) => ({
        ...{ rule, policy: name, verdict },
        count: Number(count),
      })),
    );
    const sum = (key: 'allow' | 'deny'): number =>
      Object.values(reasons).reduce((all, counts) => all + Number(counts[key]), 0);
    const counters = { allowed: sum('allow'), denied: sum('deny'), lost: 0 };
    const counted = countedOf([{ node: hostname(), counters, rules }], by);
    return { now: env.now().getTime(), counted };
  };
}

function rateText(rate: number | null): string {
  return rate === null ? '' : `${rate.toFixed(rate < 10 ? 1 : 0)}/s`;
}

function table(rates: readonly Rate[]): string {
  const rows = rates.filter(({ count }) => count > 0).slice(0, SHOWN);
  if (rows.length === 0) return 'nothing has decided yet';
  return columns(rows.map((r) => [rateText(r.rate), String(r.count), ...r.cells]));
}

function json(rates: readonly Rate[], by: By): readonly Readonly<Record<string, unknown>>[] {
  return rates.map(({ cells: [what = '', verdict = ''], count, rate }) => ({
    ...{ [by]: what, verdict, count, rate },
  }));
}

async function show(env: Env, input: Input, options: TopOptions, look: Look): Promise<Result> {
  const { by, intervalMs, limit } = options;
  let last = await look();
  for (let shown = 1; !env.signal.aborted; shown += 1) {
    await wait(intervalMs, undefined, { signal: env.signal });
    const next = await look();
    const before = new Map(last.counted.map(({ key, count }) => [key, count]));
    const rates = ratesOf(next.counted, before, next.now - last.now);
    last = next;
    const isLast = limit !== null && shown >= limit;
    const time = timeText(next.now);
    if (input.format === 'ndjson') {
      env.stdout.write(jsonLine({ time, top: json(rates, by) }));
      if (isLast) return { exit: EXIT.ok };
    } else if (isLast) {
      return { exit: EXIT.ok, document: { time, top: json(rates, by) }, text: table(rates) };
    } else if (input.format === 'text') {
      env.stdout.write(`${env.stdout.isTTY ? CLEAR : ''}${table(rates)}\n`);
    }
  }
  return { exit: EXIT.interrupted };
}

/** Of this node, or with `--control` of all nodes of a cluster. Throws CliError. */
export async function topRun(env: Env, input: Input): Promise<Result> {
  const options = optionsOf(env, input);
  const place = controlOf(env, input);
  if (place === null) return show(env, input, options, await lookHere(env, options.by));
  return withAdmin(env, place, (admin) =>
    show(env, input, options, async () => {
      const { nodes, now } = await admin.state();
      return { now, counted: countedOf(nodes, options.by) };
    }),
  );
}
