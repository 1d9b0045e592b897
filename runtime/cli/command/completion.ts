/** `weft completion`: a script for the shell, made from the command table. */
import type { CommandSpec } from '../command-spec.js';
import { EXIT } from '../exit.js';

interface Words {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly string[];
}

function words(commands: readonly CommandSpec[]): readonly Words[] {
  return commands.map((c) => ({
    name: c.name,
    summary: c.summary,
    flags: [
      ...c.options.flatMap((o) => o.flags.match(/--[a-z-]+/g) ?? []),
      ...(c.formats.length > 1 ? ['--output'] : []),
      '--help',
    ],
  }));
}

function bash(commands: readonly Words[]): string {
  const cases = commands
    .map((c) => `    ${c.name}) COMPREPLY=($(compgen -f -W "${c.flags.join(' ')}" -- "$word")) ;;`)
    .join('\n');
  const names = commands.map((c) => c.name).join(' ');
  return `_weft() {
  local word="\${COMP_WORDS[COMP_CWORD]}"
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${names}" -- "$word"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases}
  esac
}
complete -o filenames -F _weft weft
`;
}

function zsh(commands: readonly Words[]): string {
  const names = commands.map((c) => `    '${c.name}:${c.summary.replaceAll("'", '')}'`).join('\n');
  const cases = commands
    .map((c) => `    ${c.name}) compadd -- ${c.flags.join(' ')}; _files ;;`)
    .join('\n');
  return `#compdef weft
_weft() {
  local -a commands
  commands=(
${names}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  case "\${words[2]}" in
${cases}
  esac
}
compdef _weft weft
`;
}

function fish(commands: readonly Words[]): string {
  const lines = commands.flatMap((c) => [
    `complete -c weft -n __fish_use_subcommand -f -a ${c.name} -d '${c.summary.replaceAll("'", '')}'`,
    ...c.flags.map(
      (flag) => `complete -c weft -n '__fish_seen_subcommand_from ${c.name}' -l ${flag.slice(2)}`,
    ),
  ]);
  return `${lines.join('\n')}\n`;
}

const SHELLS: Readonly<Record<string, (commands: readonly Words[]) => string>> = {
  bash,
  zsh,
  fish,
};

/** Made from the table of all commands, which holds this one too: hence a function. */
export function completionCommand(commands: () => readonly CommandSpec[]): CommandSpec {
  return {
    name: 'completion',
    summary: 'print a completion script for bash, zsh or fish',
    example: '$ weft completion bash > /etc/bash_completion.d/weft',
    arguments: [
      { syntax: '<SHELL>', description: 'bash, zsh or fish', choices: Object.keys(SHELLS) },
    ],
    options: [],
    formats: ['text'],
    async run(_env, input) {
      const script = SHELLS[input.arguments[0] ?? '']?.(words(commands())) ?? '';
      return { exit: EXIT.ok, text: script };
    },
  };
}
