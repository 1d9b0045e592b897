/** Usage faults of the command line as diagnostics, with the nearest known word. */
import type { CommanderError } from 'commander';
import { distance } from 'fastest-levenshtein';
import { diagnostic } from '../../compiler/diagnostic/index.js';
import { COMMANDS } from './command/index.js';
import type { Result } from './command-spec.js';
import { EXIT } from './exit.js';

const CODE: Readonly<Record<string, string>> = {
  'commander.unknownCommand': 'U001',
  'commander.unknownOption': 'U002',
  'commander.missingArgument': 'U003',
  'commander.excessArguments': 'U003',
  'commander.optionMissingArgument': 'U003',
  'commander.missingMandatoryOptionValue': 'U003',
  'commander.invalidArgument': 'U004',
  'commander.help': 'U001',
};

/** The nearest of the known words, null where none is near enough to be meant. */
export function nearest(word: string, known: readonly string[]): string | null {
  let best: { readonly word: string; readonly far: number } | null = null;
  for (const candidate of known) {
    const far = distance(word, candidate);
    if (best === null || far < best.far) best = { word: candidate, far };
  }
  return best !== null && best.far <= Math.max(2, Math.floor(word.length / 3)) ? best.word : null;
}

function longFlags(args: readonly string[]): readonly string[] {
  const spec = COMMANDS.find((c) => args.includes(c.name));
  const own = (spec?.options ?? []).flatMap((o) => o.flags.match(/--[a-z-]+/g) ?? []);
  return [...own, '--output', '--help'];
}

/** Commander quotes with ' and starts with `error:`; ours quote with backticks and do not. */
function reword(message: string): string {
  return message
    .replace(/^error: /, '')
    .replace(/'([^']*)'/g, '`$1`')
    .replace(/\.$/, '')
    .replace(/\. Allowed choices are (.*)$/, ', allowed: $1')
    .replace(/\. Expected/, ', expected');
}

/** A refused command line: exit 64 with one diagnostic. */
export function usageResult(error: CommanderError, args: readonly string[]): Result {
  const code = CODE[error.code] ?? 'U003';
  const message = reword(error.message);
  const word = /`([^`]*)`/.exec(message)?.[1] ?? '';
  const known =
    code === 'U001' ? COMMANDS.map((c) => c.name) : code === 'U002' ? longFlags(args) : [];
  const near = nearest(word, known);
  const verb = COMMANDS.find((c) => args.includes(c.name))?.name;
  const help =
    near === null
      ? `run \`weft ${verb === undefined ? '' : `${verb} `}--help\``
      : `did you mean \`${near}\`?`;
  return { exit: EXIT.usage, diagnostics: [diagnostic(code, message, { help })] };
}
