/** `weft completion`: a script for the shell, made from the command table. */
import type { CommandSpec } from '../command-spec.js';
import { EXIT } from '../exit.js';

interface Words {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly string[];
  /** What its arguments may be, where that is a list. */
  readonly choices: readonly string[];
  /** What stands behind a flag, where that is a list. */
  readonly values: readonly (readonly [flag: string, values: readonly string[]])[];
}

function longFlags(flags: string): readonly string[] {
  return flags.match(/--[a-z-]+/g) ?? [];
}

function words(commands: readonly CommandSpec[]): readonly Words[] {
  return commands.map(({ name, summary, options, formats, ...c }) => {
    const output = formats.length > 1 ? [['--output', formats] as const] : [];
    return {
      ...{ name, summary },
      flags: [...options.flatMap((o) => longFlags(o.flags)), ...output.map(([f]) => f), '--help'],
      choices: c.arguments.flatMap((one) => one.choices ?? []),
      values: [
        ...options.flatMap((o) =>
          o.choices === undefined
            ? []
            : longFlags(o.flags).map((f) => [f, o.choices ?? []] as const),
        ),
        ...output,
      ],
    };
  });
}

/** Between single quotes. */
function quoted(text: string): string {
  return text.replaceAll("'", "'\\''");
}

/** A case of bash and zsh for each flag with a list of values. */
function valueCases(
  commands: readonly Words[],
  offer: (values: readonly string[]) => string,
): string {
  return commands
    .flatMap(({ name, values }) =>
      values.map(([flag, list]) => `    '${name} ${flag}') ${offer(list)}; return ;;`),
    )
    .join('\n');
}

function bash(commands: readonly Words[]): string {
  const offer = (list: readonly string[]): string =>
    `COMPREPLY=($(compgen -W "${list.join(' ')}" -- "$word"))`;
  const cases = commands
    .map(({ name, flags, choices }) => {
      const all = [...choices, ...flags].join(' ');
      return `    ${name}) COMPREPLY=($(compgen -f -W "${all}" -- "$word")) ;;`;
    })
    .join('\n');
  const names = commands.map((c) => c.name);
  return `_weft() {
  local word="\${COMP_WORDS[COMP_CWORD]}"
  if [ "$COMP_CWORD" -eq 1 ]; then
    ${offer(names)}
    return
  fi
  case "\${COMP_WORDS[1]} \${COMP_WORDS[COMP_CWORD-1]}" in
${valueCases(commands, offer)}
  esac
  case "\${COMP_WORDS[1]}" in
${cases}
  esac
}
complete -o filenames -F _weft weft
`;
}

function zsh(commands: readonly Words[]): string {
  const names = commands
    .map((c) => `    '${c.name}:${quoted(c.summary.replaceAll(':', '\\:'))}'`)
    .join('\n');
  const cases = commands
    .map(
      ({ name, flags, choices }) =>
        `    ${name}) compadd -- ${[...choices, ...flags].join(' ')}; _files ;;`,
    )
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
  case "\${words[2]} \${words[CURRENT-1]}" in
${valueCases(commands, (list) => `compadd -- ${list.join(' ')}`)}
  esac
  case "\${words[2]}" in
${cases}
  esac
}
compdef _weft weft
`;
}

function fish(commands: readonly Words[]): string {
  const lines = commands.flatMap(({ name, summary, flags, choices, values }) => {
    const seen = `complete -c weft -n '__fish_seen_subcommand_from ${name}'`;
    const lists = new Map(values);
    return [
      `complete -c weft -n __fish_use_subcommand -f -a ${name} -d '${summary.replaceAll("'", "\\'")}'`,
      ...(choices.length > 0 ? [`${seen} -a '${choices.join(' ')}'`] : []),
      ...flags.map((flag) => {
        const list = lists.get(flag);
        const offered = list === undefined ? '' : ` -x -a '${list.join(' ')}'`;
        return `${seen} -l ${flag.slice(2)}${offered}`;
      }),
    ];
  });
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
