/** The one cgroup that `enrol` and `unenrol` are about: by workload name or by path. */

import { diagnostic } from '../../compiler/diagnostic/index.js';
import type { Paths } from '../agent/paths.js';
import { type Input, textOption } from './command-spec.js';
import { EXIT } from './exit.js';
import { CliError } from './failure.js';

/** Throws CliError (usage) unless exactly one of the two is given, AgentError for an unknown workload. */
export async function cgroupOf(paths: Paths, input: Input): Promise<string> {
  const [workload] = input.arguments;
  const path = textOption(input, 'cgroup');
  if ((workload === undefined) === (path === null)) {
    const message = 'name either a workload or, with `--cgroup`, a cgroup';
    throw new CliError([diagnostic('U003', message)], EXIT.usage);
  }
  if (path !== null) return path;
  const { workloadCgroup } = await import('../agent/enrol.js');
  return workloadCgroup(paths, workload ?? '');
}
