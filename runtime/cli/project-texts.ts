/** The files of a project folder as texts, for a page that cannot read them: what it compiles and what it is asked. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { diagnostic } from '../../compiler/diagnostic/index.js';
import { type Env, pathIn } from './env.js';
import { EXIT } from './exit.js';
import { CliError } from './failure.js';
import { readFault } from './file-fault.js';

/** Longest all of them may be; more is no project of policies. */
const MAX_CHARACTERS = 2 * 1024 * 1024;

const isShown = (name: string): boolean =>
  name === 'weft.json' || (/\.(ts|ya?ml)$/.test(name) && !/\.(test|prove)\.ts$/.test(name));

export interface ProjectTexts {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
}

/** Reads them. Throws CliError where the folder is no project, cannot be read, or holds too much. */
export function projectTexts(env: Env, shown: string): ProjectTexts {
  const folder = pathIn(env, shown);
  if (!existsSync(join(folder, 'weft.json'))) {
    const help = 'name a project folder; without one the examples are shown';
    const found = diagnostic('U013', `\`${shown}\` holds no weft.json`, { help });
    throw new CliError([found], EXIT.failure);
  }
  const files: Record<string, string> = {};
  let size = 0;
  const walk = (dir: string): void => {
    for (const entry of readdirSync(dir, { withFileTypes: true })) {
      const path = join(dir, entry.name);
      if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
      if (entry.isDirectory()) walk(path);
      else if (isShown(entry.name)) {
        const text = readFileSync(path, 'utf8');
        size += text.length;
        if (size > MAX_CHARACTERS) {
          const message = `the project has more than ${MAX_CHARACTERS} characters`;
          const help = 'name the folder of one project';
          throw new CliError([diagnostic('U010', message, { help })], EXIT.failure);
        }
        files[relative(folder, path)] = text;
      }
    }
  };
  try {
    walk(folder);
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError([readFault(shown, error)], EXIT.failure);
  }
  return { name: basename(folder), files };
}
