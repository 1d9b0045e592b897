/** A command line that asks for what is not possible, as what ends a verb; apart from the verbs, so that none of them is loaded for it. */
import { diagnostic } from '../../compiler/diagnostic/index.js';
import { EXIT } from './exit.js';
import { CliError } from './failure.js';

/** U003 with the remedy. */
export function usageFault(message: string, help: string | null = null): CliError {
  return new CliError([diagnostic('U003', message, { help })], EXIT.usage);
}
