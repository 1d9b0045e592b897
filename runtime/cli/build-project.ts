/** Builds a project folder in memory. */
import { BugError } from '../../compiler/diagnostic/index.js';
import type { Env } from './env.js';
import type { Subject } from './subject.js';

/** Compiles the project. Throws CliError with its findings. */
export async function buildProject(_env: Env, shown: string): Promise<Omit<Subject, 'digest'>> {
  throw new BugError(`cannot build \`${shown}\` yet`);
}
