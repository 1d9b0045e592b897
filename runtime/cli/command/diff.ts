/** `weft diff`: what a new version of a project decides otherwise than the old one. */
import { diagnostic } from '../../../compiler/diagnostic/index.js';
import { type CommandSpec, type Input, type Result, textOption } from '../command-spec.js';
import type { Env } from '../env.js';
import { EXIT } from '../exit.js';
import { CliError } from '../failure.js';
import { TRAFFIC_FORMAT_OPTION } from '../traffic-options.js';
import { usageFault } from '../usage-fault.js';

const USUAL_LIMIT = 100;

function limitOption(input: Input): number {
  const text = textOption(input, 'limit');
  if (text === null) return USUAL_LIMIT;
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  const help = 'write a whole number from 1 to 99999';
  throw new CliError([diagnostic('U003', `\`${text}\` is no limit`, { help })], EXIT.usage);
}

async function diff(env: Env, input: Input): Promise<Result> {
  const [shownOld = '.', shownNew = '.'] = input.arguments;
  const ofTraffic = ['format', 'world', 'from', 'seed'].find(
    (name) => textOption(input, name) !== null,
  );
  if (ofTraffic !== undefined && textOption(input, 'traffic') === null) {
    const help =
      'name a recording, or leave it out: without traffic all that there could be counts';
    throw usageFault(`\`--${ofTraffic}\` goes with \`--traffic\``, help);
  }
  const { openSubject } = await import('../subject.js');
  const [old, now] = [await openSubject(env, shownOld), await openSubject(env, shownNew)];
  const traffic = textOption(input, 'traffic');
  if (traffic !== null) {
    const { runTrafficDiff } = await import('../traffic-diff.js');
    return runTrafficDiff(env, input, old, now, traffic);
  }
  const { compareBundles } = await import('../../prove/index.js');
  const { formalResult } = await import('../formal-diff.js');
  const comparison = compareBundles(old.bundle, now.bundle, { most: limitOption(input) });
  const bundles = { old: old.digest, new: now.digest };
  return formalResult(comparison, [...old.diagnostics, ...now.diagnostics], bundles);
}

export const DIFF_COMMAND: CommandSpec = {
  name: 'diff',
  summary: 'say what a new version decides otherwise',
  description:
    'Without traffic: all connections and requests that are newly allowed, newly denied or routed otherwise, as few sets, each with an\nexample that both versions really decided. It knows no world: every workload that there could be counts. What it\ncannot tell is named with its line.\n\nWith --traffic: recorded traffic of any length (records, HAR, Envoy access logs, pcap) decided by both, changed\nverdicts and routes counted by the rules that decide.\n\nExit code 5 where anything changes, 4 where nothing is known to change and a part is undecided,\nor no record could be compared.',
  example:
    '$ weft diff shop.weft shop\nconnections newly allowed, in 1 set:\n  1. source.namespace is "dev"\n     destination.namespace is "prod"\n     destination.port 9000-9499\n     as  client.dev (10.0.0.1) -> server.prod 10.0.0.2:9000\n         deny (default) before, now allow (policies/isolation.ts:9)\n\n$ weft diff shop.weft shop --traffic seen.ndjson\n84  allow policies/a.ts:9  ->  deny default  as seen.ndjson:17 …\n9204 records: 9204 compared, 84 verdicts and 0 routes change, …',
  arguments: [
    { syntax: '<OLD>', description: 'a bundle file or a project folder' },
    { syntax: '<NEW>', description: 'a bundle file or a project folder' },
  ],
  options: [
    { flags: '--traffic <FILE>', description: 'recorded traffic to decide by both; `-` for stdin' },
    TRAFFIC_FORMAT_OPTION,
    {
      flags: '--world <FILE>',
      description: 'the world of the traffic (default: that of the new project)',
    },
    { flags: '--from <WORKLOAD>', description: 'the client of a HAR' },
    { flags: '--seed <N>', description: 'of the draws that traffic does not have (default: 0)' },
    { flags: '--limit <N>', description: `most sets of one kind (default: ${USUAL_LIMIT})` },
  ],
  formats: ['text', 'json'],
  run: diff,
};
