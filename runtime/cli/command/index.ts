/** The command table, in the order of `--help`. A verb is in it or does not exist. */
import type { CommandSpec } from '../command-spec.js';
import { completionCommand } from './completion.js';
import { DOCTOR_COMMAND } from './doctor.js';
import { INIT_COMMAND } from './init.js';
import { VERSION_COMMAND } from './version.js';

export const COMMANDS: readonly CommandSpec[] = [
  INIT_COMMAND,
  DOCTOR_COMMAND,
  VERSION_COMMAND,
  completionCommand(() => COMMANDS),
];
