/** `weft keeper`: keeps an agent running and its connections open, where no systemd does. */
import type { CommandSpec } from '../command-spec.js';
import { EXIT } from '../exit.js';
import { usageFault } from '../usage-fault.js';

/** What the system says of a program that is not there or may not be run (spawn(2), errno). */
function isSpawnFault(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && 'syscall' in error && /^spawn/.test(String(error.syscall));
}

export const KEEPER_COMMAND: CommandSpec = {
  name: 'keeper',
  serves: true,
  summary: 'keep an agent running, and its pooled connections open while it is away',
  description:
    'Starts the command and starts it again whenever it fails. What the agent has in\nits pools is kept here meanwhile, so that exchanges which the kernel has under way\nlive on. Speaks the protocol of systemd (FDSTORE), which needs no keeper.',
  example: '$ sudo weft keeper -- weft agent --world world.yaml --enrol all',
  arguments: [{ syntax: '<COMMAND...>', description: 'the agent and its arguments, behind --' }],
  options: [],
  formats: ['text'],
  async run(env, input) {
    const kernel = await env.openKernel({ unprivileged: true });
    const { run } = await env.nodePaths();
    const { runKeeper } = await import('../../agent/keeper.js');
    const { jsonLog } = await import('../../agent/log.js');
    const [program = ''] = input.arguments;
    const code = await runKeeper({
      ...{ kernel, run, env: env.env, command: input.arguments, signal: env.untilTold() },
      log: jsonLog(
        (text) => env.stderr.write(text),
        () => env.now(),
      ),
      kill: (pid, signal) => env.kill(pid, signal),
    }).catch((error: unknown) => {
      if (!isSpawnFault(error)) throw error;
      const help = 'give the agent and its arguments: `weft keeper -- weft agent --world FILE`';
      throw usageFault(`\`${program}\` cannot be started: ${error.code}`, help);
    });
    return { exit: code === 0 ? EXIT.ok : EXIT.failure };
  },
};
