/**
 * Answers again whenever an input changed, until told to stop. Folders are watched, since editors replace
 * files; digests decide whether anything is different.
 */

import { type FSWatcher, watch as watchFolder } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { diagnostic } from '../../compiler/diagnostic/index.js';
import type { PolicyCache } from '../../compiler/index.js';
import { jsonLine } from '../agent/api/json.js';
import { flagOption, type Input, type OptionSpec, type Result } from './command-spec.js';
import { inputDigest } from './digest.js';
import { type Env, pathIn } from './env.js';
import { EXIT } from './exit.js';
import { failureResult } from './failure.js';
import { printResult } from './print-result.js';
import { remedied } from './remedied.js';

export const WATCH_OPTION: OptionSpec = {
  flags: '--watch',
  description: 'answer again whenever a file of the project changes, until Ctrl-C',
};

/** What one answer of a verb is made with and from. */
export interface Session {
  readonly cache: PolicyCache;
  /** Hears of every file that the answer depends on, with its digest; null where there is none. */
  readonly onInputs: (inputs: ReadonlyMap<string, string | null>) => void;
}

/** Editors write a file in several steps; this long after the last one, all are done. */
const QUIET_MS = 15;

/** Waits until a file says something else than it said. */
async function changed(
  folder: string,
  inputs: ReadonlyMap<string, string | null>,
  signal: AbortSignal,
): Promise<void> {
  const differs = (): boolean =>
    [...inputs].some(([path, digest]) => inputDigest(folder, path) !== digest);
  const folders = new Set(
    [...inputs.keys()].map((path) => {
      return path.endsWith('/') ? join(folder, path) : dirname(join(folder, path));
    }),
  );
  const watchers: FSWatcher[] = [];
  let wake = (): void => undefined;
  const stop = (): void => wake();
  try {
    for (const one of folders) {
      try {
        watchers.push(watchFolder(one, () => wake()));
      } catch {
        // A folder that is not there yet is made in one that is watched.
      }
    }
    signal.addEventListener('abort', stop, { once: true });
    // What changed before the watchers stood is seen here.
    while (!signal.aborted && !differs()) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      await pause(QUIET_MS);
    }
  } finally {
    signal.removeEventListener('abort', stop);
    for (const watcher of watchers) watcher.close();
  }
}

/** One line of JSON an answer; text with how long it took. */
async function print(
  env: Env,
  input: Input,
  result: Result,
  { since, isAnswer }: { readonly since: number; readonly isAnswer: boolean },
): Promise<void> {
  const milliseconds = Math.round(performance.now() - since);
  const told = await remedied(result);
  if (input.format === 'ndjson') {
    const { exit, document, diagnostics = [] } = told;
    env.stdout.write(jsonLine({ exit, milliseconds, ...document, diagnostics }));
    return;
  }
  printResult(env, told, input.format, isAnswer);
  env.stdout.write(`-- ${milliseconds} ms\n`);
}

/** Answers once, or again and again under `--watch`. */
export async function answering(
  env: Env,
  input: Input,
  {
    answer,
    isAnswer,
  }: {
    readonly answer: (session: Session | null) => Promise<Result>;
    /** Findings are the answer itself. */
    readonly isAnswer: boolean;
  },
): Promise<Result> {
  if (!flagOption(input, 'watch')) {
    const once = await answer(null);
    if (input.format !== 'ndjson') return once;
    const { exit, document, diagnostics = [] } = await remedied(once);
    return { exit, text: jsonLine({ exit, ...document, diagnostics }) };
  }
  if (input.format === 'json') {
    const help = 'use `-o ndjson`: a line for each answer';
    return {
      exit: EXIT.usage,
      diagnostics: [diagnostic('U003', '`--watch` gives no single document', { help })],
    };
  }
  const { PolicyCache } = await import('../../compiler/index.js');
  const folder = pathIn(env, input.arguments[0] ?? '.');
  const cache = new PolicyCache();
  let inputs: ReadonlyMap<string, string | null> = new Map();
  while (!env.signal.aborted) {
    // What was known is watched still where this answer comes to nothing.
    const before = new Map(
      [...inputs.keys(), 'weft.json'].map((path) => [path, inputDigest(folder, path)]),
    );
    inputs = before;
    const since = performance.now();
    const onInputs = (read: ReadonlyMap<string, string | null>): void => {
      inputs = read;
    };
    const result = await answer({ cache, onInputs }).catch((error) => failureResult(error, env));
    await print(env, input, result, { since, isAnswer });
    await changed(folder, inputs, env.signal);
  }
  return { exit: EXIT.interrupted };
}
