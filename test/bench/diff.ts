/**
 * project/diff-*: `weft diff` as users run it: a million records decided by two bundles, and all connections that
 * there can be by two policies of a thousand rules each. Bundles and the file are made before the clock runs.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { recordLine } from '../../runtime/record/index.js';
import { BOOKINFO } from '../support/bookinfo-world.js';
import { WEFT_RULES } from './simulate/rules.js';
import { generateTraffic } from './simulate/traffic.js';

const CLI = fileURLToPath(new URL('../../../dist/cli.mjs', import.meta.url));
const RECORDS = 1_000_000;
const LINES = 2000;
const RULES = 1000;
/** What `weft diff` answers where something changes, and where some of it is undecided. */
const [DIFFERENCES, UNDECIDED] = [5, 4] as const;

/** ms that a verb takes. Throws where it ends otherwise. */
function weft(args: readonly string[], cwd: string, exits: readonly (number | null)[]): number {
  const since = performance.now();
  const done = spawnSync(process.execPath, [CLI, ...args], { cwd, encoding: 'utf8' });
  if (!exits.includes(done.status)) {
    throw new Error(`weft ${args.join(' ')}: exit ${done.status}, ${done.stderr}`);
  }
  return performance.now() - since;
}

/** Builds a policy to `NAME.weft`. */
function build(folder: string, name: string, policy: string): void {
  mkdirSync(join(folder, name));
  writeFileSync(join(folder, name, 'rules.ts'), policy);
  const policies = [{ file: 'rules.ts', attach: [{ namespace: 'prod' }] }];
  const budget = { instructions: 60_000, verified: 1_000_000 };
  const config = { name: 'rules', policies, default: 'allow', budget };
  writeFileSync(join(folder, name, 'weft.json'), JSON.stringify(config));
  weft(['build', name, '--out', `${name}.weft`], folder, [0]);
}

/** Rules over six facts, as `if`s; the last and one in between are another version's. */
function thousandRules(version: number): string {
  const rules = Array.from({ length: RULES }, (_, i) => {
    const port = 1000 + 3 * i + (i === RULES / 2 || i === RULES - 1 ? version : 0);
    const from = `source.namespace.is("ns-${(7 * i) % 97}")`;
    const facts = [
      `${from} && destination.port == ${port}`,
      `destination.port >= ${port} && destination.port <= ${port + 9} && source.serviceAccount.is("sa-${i % 41}")`,
      `source.label("app").is("app-${i % 53}") && destination.port == ${port}`,
      `${from} && !source.serviceAccount.is("sa-${i % 41}") && destination.port == ${port}`,
      `destination.label("app").is("app-${i % 53}") && destination.port == ${port} && ${from}`,
    ];
    return `  if (${facts[i % facts.length]}) return Verdict.${i % 3 === 2 ? 'Deny' : 'Allow'};\n`;
  });
  return `import { Connection, Verdict } from "weft";

export function authorizeConnection(connection: Connection): Verdict {
  const source = connection.source, destination = connection.destination;
${rules.join('')}  return Verdict.Deny;
}
`;
}

export interface DiffTimes {
  /** ms of each run. */
  readonly traffic: readonly number[];
  readonly formal: readonly number[];
}

/** Measures both. */
export function timeDiff(folder: string, runs: number): DiffTimes {
  build(folder, 'old', WEFT_RULES);
  build(folder, 'new', WEFT_RULES.replace('"/ratings/"', '"/ratings/1"'));
  writeFileSync(join(folder, 'world.yaml'), BOOKINFO);
  const lines = generateTraffic(LINES).map(({ record }) => recordLine(record));
  const file = openSync(join(folder, 'seen.ndjson'), 'w');
  for (let i = 0; i < RECORDS / LINES; i++) writeSync(file, lines.join(''));
  closeSync(file);
  const times = (args: readonly string[], exits: readonly number[]): number[] =>
    Array.from({ length: runs }, () => weft(['diff', ...args], folder, exits));
  const seen = ['--traffic', 'seen.ndjson', '--world', 'world.yaml'];
  const traffic = times(['old.weft', 'new.weft', ...seen], [DIFFERENCES, UNDECIDED]);
  build(folder, 'rules-1', thousandRules(0));
  build(folder, 'rules-2', thousandRules(1));
  return { traffic, formal: times(['rules-1.weft', 'rules-2.weft'], [DIFFERENCES]) };
}
