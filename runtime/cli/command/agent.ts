/** `weft agent`: what `weft-agent` does, as a verb; both read one table of options. */
import { diagnostic } from '../../../compiler/diagnostic/index.js';
import {
  AGENT_DESCRIPTION,
  AGENT_EXAMPLE,
  AGENT_OPTIONS,
  readAgentOptions,
} from '../../agent/agent-options.js';
import type { CommandSpec } from '../command-spec.js';
import { EXIT, type ExitCode } from '../exit.js';
import { VERSION } from '../version.js';

function exitCode(code: number): ExitCode {
  return Object.values(EXIT).find((known) => known === code) ?? EXIT.failure;
}

/** commander names what has a dash in camel case. */
function camel(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

export const AGENT_COMMAND: CommandSpec = {
  name: 'agent',
  summary: 'serve this node: load, enrol, tell verdicts, answer the local API',
  description: AGENT_DESCRIPTION,
  example: AGENT_EXAMPLE.replace('weft-agent', 'sudo weft agent'),
  arguments: [],
  options: AGENT_OPTIONS,
  serves: true,
  formats: ['ndjson'],
  async run(env, input) {
    const named = AGENT_OPTIONS.map(({ flags }) => (flags.split(' ')[0] ?? '').slice(2));
    const values = Object.fromEntries(named.map((name) => [name, input.options[camel(name)]]));
    const read = readAgentOptions(values);
    if (!read.ok) return { exit: EXIT.usage, diagnostics: [diagnostic('U004', read.message)] };
    const { runAgentWith } = await import('../../agent/run-agent.js');
    const { stagerFile } = await import('../../agent/staged-bundles.js');
    const { smallHeap } = await import('../../agent/small-memory.js');
    const code = await runAgentWith(values, {
      stdout: (text) => env.stdout.write(text),
      stderr: (text) => env.stderr.write(text),
      signal: env.untilTold(),
      version: VERSION,
      channel: env.channel(),
      command: env.command,
      stager: [env.command[0] ?? '', stagerFile()],
      onHandOver: (handler) => env.onHangUp(handler),
      started: { env: env.env, pid: env.pid },
      now: () => env.now(),
      clockOffset: () => env.clockOffset(),
      usage: () => env.usage(),
      collect: smallHeap(),
      openKernel: () => env.openKernel(),
      nodePaths: () => env.nodePaths(),
    });
    return { exit: exitCode(code) };
  },
};
