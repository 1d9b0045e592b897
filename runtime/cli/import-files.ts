/** Files that an import was pointed at: names, folders (all YAML and JSON below them), `-` for what comes in. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Diagnostic, diagnostic } from '../../compiler/diagnostic/index.js';
import type { SourceFile } from '../import/index.js';
import { type Env, pathIn } from './env.js';
import { EXIT } from './exit.js';
import { CliError } from './failure.js';
import { readFault } from './file-fault.js';

/** File descriptor of what is piped in. */
const STDIN = 0;

export interface ImportFiles {
  readonly files: readonly SourceFile[];
  /** Files that are no text. */
  readonly diagnostics: readonly Diagnostic[];
}

function below(folder: string, shown: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const name = join(shown, entry.name);
      if (entry.isDirectory()) return below(join(folder, entry.name), name);
      return /\.(ya?ml|json)$/.test(entry.name) ? [name] : [];
    });
}

/** Reads all of them. Throws CliError where one cannot be read. */
export function readImportFiles(env: Env, shown: readonly string[]): ImportFiles {
  const files: SourceFile[] = [];
  const diagnostics: Diagnostic[] = [];
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const take = (name: string, path: string | number): void => {
    const bytes = readFileSync(path);
    try {
      files.push({ name, text: decoder.decode(bytes) });
    } catch {
      const at = { file: name, line: 1, column: 1 };
      const help = 'save it as UTF-8';
      diagnostics.push(diagnostic('W001', 'the file is not UTF-8', { at, help }));
    }
  };
  for (const name of shown) {
    try {
      if (name === '-') take('stdin', STDIN);
      else if (statSync(pathIn(env, name)).isDirectory()) {
        for (const file of below(pathIn(env, name), name)) take(file, pathIn(env, file));
      } else take(name, pathIn(env, name));
    } catch (error) {
      throw new CliError([readFault(name, error)], EXIT.failure);
    }
  }
  return { files, diagnostics };
}
