/** What `weft prove` does: finds the files of claims, compiles each by itself, and has it checked. */
import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Bundle } from '../../compiler/bundle/manifest.js';
import { type Diagnostic, diagnostic } from '../../compiler/diagnostic/index.js';
import { compileProject } from '../../compiler/index.js';
import { PROJECT_DEFAULTS } from '../config/index.js';
import { type ClaimResult, checkClaims } from '../prove/index.js';
import { preferFastStart, wizerSnapshot } from '../snapshot/index.js';
import { type Env, pathIn } from './env.js';
import { EXIT } from './exit.js';
import { CliError } from './failure.js';
import { isFolder } from './is-folder.js';
import { openSubject, readText, type Subject } from './subject.js';

const ENDING = '.prove.ts';

export interface ProveRun {
  readonly subject: Subject;
  readonly results: readonly ClaimResult[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Files of claims below a folder, in order. */
function discover(env: Env, shown: string): readonly string[] {
  const found: string[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(pathIn(env, folder), { withFileTypes: true })) {
      if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
      const path = folder === '.' ? entry.name : join(folder, entry.name);
      if (entry.isDirectory()) walk(path);
      else if (entry.name.endsWith(ENDING)) found.push(path);
    }
  };
  walk(shown);
  return found.sort();
}

/** Compiles a file of claims as a project of its own. Throws CliError with its findings. */
async function compileClaims(
  env: Env,
  shown: string,
): Promise<{ readonly bundle: Bundle; readonly diagnostics: readonly Diagnostic[] }> {
  readText(env, shown);
  const folder = dirname(shown);
  const below = (path: string): string => (folder === '.' ? path : join(folder, path));
  const read = (path: string): string | null =>
    existsSync(pathIn(env, below(path))) ? readText(env, below(path)) : null;
  preferFastStart();
  const outcome = await compileProject({
    project: {
      ...PROJECT_DEFAULTS,
      name: 'claims',
      policies: [
        { file: basename(shown), attach: [{ namespace: '*' }], mode: 'enforce', at: null },
      ],
    },
    read,
    snapshot: wizerSnapshot,
    checkCluster: null,
  });
  const diagnostics = outcome.diagnostics.map((d) =>
    d.file === null ? d : { ...d, file: below(d.file) },
  );
  if (outcome.ok) return { bundle: outcome.bundle, diagnostics };
  const sources = (file: string): string | null =>
    existsSync(pathIn(env, file)) ? readText(env, file) : null;
  throw new CliError(diagnostics, EXIT.findings, sources);
}

/** Checks the claims beside the policies of a project, or those of one file. Throws CliError. */
export async function runProve(env: Env, shown: string, file: string | null): Promise<ProveRun> {
  const subject = await openSubject(env, shown);
  const files = file !== null ? [file] : isFolder(env, shown) ? discover(env, shown) : [];
  if (files.length === 0) {
    const help = `write a file *${ENDING} beside the policies, or name one`;
    throw new CliError([diagnostic('U018', 'there is nothing to prove', { help })], EXIT.usage);
  }
  const results: ClaimResult[] = [];
  const diagnostics: Diagnostic[] = [...subject.diagnostics];
  for (const path of files) {
    const claims = await compileClaims(env, path);
    diagnostics.push(...claims.diagnostics);
    const folder = dirname(path);
    const checked = checkClaims(subject.bundle, claims.bundle);
    results.push(
      ...checked.map((one) => ({
        ...one,
        file: folder === '.' ? one.file : join(folder, one.file),
      })),
    );
  }
  return { subject, results, diagnostics };
}
