/** What `enrol` and `unenrol` are about: one cgroup by workload name or by path, or all. */

import { diagnostic } from '../../compiler/diagnostic/index.js';
import type { Paths } from '../agent/paths.js';
import { flagOption, type Input, textOption } from './command-spec.js';
import { EXIT } from './exit.js';
import { CliError } from './failure.js';

/** Throws CliError (usage) unless exactly one of the three is given. */
export function checkSubject(input: Input): void {
  const [workload] = input.arguments;
  const given = [workload !== undefined, textOption(input, 'cgroup') !== null];
  if ([...given, flagOption(input, 'all')].filter(Boolean).length === 1) return;
  const message = 'name a workload, or a cgroup with `--cgroup`, or `--all`';
  const help = 'for example `reviews.prod`, or `--cgroup /weft/reviews`';
  throw new CliError([diagnostic('U003', message, { help })], EXIT.usage);
}

/** The cgroup of a checked input that is not about all. Throws AgentError for an unknown workload. */
export async function cgroupOf(paths: Paths, input: Input): Promise<string> {
  const path = textOption(input, 'cgroup');
  if (path !== null) return path;
  const { workloadCgroup } = await import('../agent/enrol.js');
  return workloadCgroup(paths, input.arguments[0] ?? '');
}
