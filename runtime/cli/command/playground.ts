/** `weft playground`: a page to try policies on, which compiles, decides and explains by itself. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { diagnostic, messageOf } from '../../../compiler/diagnostic/index.js';
import { builtPage } from '../built-page.js';
import { type CommandSpec, type Input, type Result, textOption } from '../command-spec.js';
import type { Env } from '../env.js';
import { EXIT } from '../exit.js';
import { CliError } from '../failure.js';

const DEFAULT_PORT = '7411';

function portOption(input: Input): number {
  const text = textOption(input, 'port') ?? DEFAULT_PORT;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65535) return port;
  throw new CliError([diagnostic('U004', `\`${text}\` is no port`)], EXIT.usage);
}

/** Resolves when the user has had enough. */
function interrupted({ signal }: Env): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function playground(env: Env, input: Input): Promise<Result> {
  const port = portOption(input);
  const [shown] = input.arguments;
  const folder = builtPage('playground');
  const { projectTexts } = await import('../project-texts.js');
  const { LOOPBACK, servePage } = await import('../../page/index.js');
  const own = shown === undefined ? [] : [projectTexts(env, shown)];
  const examples: readonly unknown[] = JSON.parse(
    readFileSync(join(folder, 'projects.json'), 'utf8'),
  );
  const replaced = { 'projects.json': JSON.stringify([...own, ...examples]) };
  try {
    await using server = await servePage({ folder, port, replaced, wasm: true });
    env.stderr.write(`${server.url} (Ctrl-C ends it)\n`);
    await interrupted(env);
    return { exit: EXIT.interrupted };
  } catch (error) {
    const message = `${LOOPBACK}:${port} cannot be listened on: ${messageOf(error)}`;
    const help = 'choose another with `--port`; 0 takes any that is free';
    return { exit: EXIT.failure, diagnostics: [diagnostic('U022', message, { help })] };
  }
}

export const PLAYGROUND_COMMAND: CommandSpec = {
  name: 'playground',
  summary: 'try policies on a page of this machine',
  description:
    'Serves a page on loopback: policies, world and scenario to edit, and beside them the verdicts and\nexplanations as one types, the tables and the lowered program. The page compiles by itself, with\nthe same bytes as `weft build`; nothing leaves this machine, and no file is changed. Ends by Ctrl-C.',
  example: '$ weft playground shop\nhttp://127.0.0.1:7411/ (Ctrl-C ends it)',
  arguments: [{ syntax: '[DIR]', description: 'a project to begin with (default: examples)' }],
  options: [
    {
      flags: '--port <N>',
      description: 'where to listen; 0: any free port',
      default: DEFAULT_PORT,
    },
  ],
  formats: ['text', 'json'],
  run: playground,
};
