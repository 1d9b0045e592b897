/** `weft events`: the verdicts of live connections, each with the line that decided it. */
import { diagnostic } from '../../../compiler/diagnostic/index.js';
import type { AgentApi } from '../../agent/api/client.js';
import { jsonLine } from '../../agent/api/json.js';
import type { EventRecord } from '../../probe/index.js';
import type { AdminPlace, EventFilter } from '../../rollout/index.js';
import {
  type CommandSpec,
  flagOption,
  type Input,
  type Result,
  textOption,
} from '../command-spec.js';
import { CONTROL_OPTIONS, controlOf, withAdmin } from '../control-place.js';
import type { Env } from '../env.js';
import { EXIT } from '../exit.js';

function side(party: EventRecord['source']): string {
  return party.workload === null ? party.address : `${party.workload} (${party.address})`;
}

function asked(e: EventRecord): string {
  if (e.method === null) return '';
  return `  ${e.method === '' ? '(no HTTP)' : `${e.method} ${e.path}`}${e.status === null ? '' : ` ${e.status}`}`;
}

function line(e: EventRecord): string {
  const lost = e.lost === 0 ? '' : `  (${e.lost} lost before)`;
  return `${e.time} ${e.hook.padEnd(8)} ${e.verdict.padEnd(5)} ${e.rule}  ${side(e.source)} -> ${side(e.destination)} ${e.protocol}${asked(e)}${lost}\n`;
}

function count(text: string | null): number | null {
  if (text === null) return null;
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : Number.NaN;
}

function write(env: Env, format: string): (event: EventRecord) => void {
  return (event) => env.stdout.write(format === 'ndjson' ? jsonLine(event) : line(event));
}

/** Of a cluster: as long as wanted, from those nodes that are wanted. */
async function clusterEvents(
  env: Env,
  input: Input,
  { place, limit }: { readonly place: AdminPlace; readonly limit: number | null },
): Promise<Result> {
  const [node, workload] = [textOption(input, 'node'), textOption(input, 'workload')];
  const verdict = textOption(input, 'verdict');
  const filter: EventFilter = {
    ...(node === null ? {} : { node }),
    ...(workload === null ? {} : { workload }),
    ...(verdict === 'allow' || verdict === 'deny' ? { verdict } : {}),
  };
  const tell = write(env, input.format);
  let told = 0;
  return withAdmin(env, place, async (admin) => {
    for await (const event of admin.events(filter, env.signal)) {
      tell(event);
      told += 1;
      if (limit !== null && told >= limit) return { exit: EXIT.ok };
    }
    return { exit: EXIT.interrupted };
  });
}

/** Where an agent runs, from it: as they come, without taking them from it. */
async function agentEvents(
  env: Env,
  input: Input,
  { api, limit }: { readonly api: AgentApi; readonly limit: number | null },
): Promise<Result> {
  if (!flagOption(input, 'follow') && limit === null) {
    env.stderr.write('the agent reads the events of this node; --follow shows them as they come\n');
    return { exit: EXIT.ok };
  }
  const tell = write(env, input.format);
  const query = `passing=true${limit === null ? '' : `&limit=${limit}`}`;
  for await (const text of api.lines(`/v1/events?${query}`, env.signal)) {
    tell(JSON.parse(text) as EventRecord);
  }
  return { exit: env.signal.aborted ? EXIT.interrupted : EXIT.ok };
}

export const EVENTS_COMMAND: CommandSpec = {
  name: 'events',
  summary: 'print the verdicts of live connections',
  description:
    'Prints what waits and ends; with --follow goes on until Ctrl-C, with --count until so many came.\nWhere an agent runs they come from it, from now on; else they are taken from the kernel, by one reader.\nWith --control those of all nodes, as they come; --node, --workload and --verdict choose.',
  example:
    '$ sudo weft events --count 1\n2026-01-02T03:04:05.123Z connect4 deny  isolation.ts:9  batch.dev (10.2.0.9) …',
  arguments: [],
  options: [
    { flags: '--follow', description: 'go on until interrupted' },
    { flags: '--count <N>', description: 'end after N events, waiting for them' },
    { flags: '--node <NAME>', description: 'with --control: of this node alone' },
    { flags: '--workload <NAME>', description: 'with --control: from or to this workload' },
    {
      flags: '--verdict <VERDICT>',
      description: 'with --control: of this verdict',
      choices: ['allow', 'deny'],
    },
    ...CONTROL_OPTIONS,
  ],
  formats: ['text', 'ndjson'],
  async run(env, input) {
    const limit = count(textOption(input, 'count'));
    if (Number.isNaN(limit)) {
      const message = `\`${textOption(input, 'count')}\` is not a count`;
      return { exit: EXIT.usage, diagnostics: [diagnostic('U004', message)] };
    }
    const place = controlOf(env, input);
    if (place !== null) return clusterEvents(env, input, { place, limit });
    const chosen = ['node', 'workload', 'verdict'].find(
      (name) => input.options[name] !== undefined,
    );
    if (chosen !== undefined) {
      const message = `\`--${chosen}\` chooses among the nodes of \`--control\``;
      return { exit: EXIT.usage, diagnostics: [diagnostic('U004', message)] };
    }
    const { agentHere } = await import('../agent-here.js');
    const api = await agentHere(env);
    if (api !== null) return agentEvents(env, input, { api, limit });
    const kernel = await env.openKernel();
    const paths = await env.nodePaths();
    const { readEvents } = await import('../../agent/events.js');
    const follow = flagOption(input, 'follow') || limit !== null;
    const done = await readEvents(kernel, paths, {
      onEvent: write(env, input.format),
      follow,
      passing: follow,
      limit,
      signal: env.signal,
    });
    return { exit: done.interrupted ? EXIT.interrupted : EXIT.ok };
  },
};
