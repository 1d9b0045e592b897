/**
 * The program as a function of its arguments and its world: parses, runs one verb, prints its
 * result, answers with the exit code. Never touches `process`, never throws.
 */
import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { COMMANDS } from './command/index.js';
import type { CommandSpec, Format, Input, OptionSpec, Result } from './command-spec.js';
import type { Env } from './env.js';
import { EXIT, type ExitCode } from './exit.js';
import { failureResult } from './failure.js';
import { printResult } from './print-result.js';
import { projectArgument } from './project-argument.js';
import { remedied } from './remedied.js';
import { usageResult } from './usage.js';
import { VERSION } from './version.js';

/** Characters a line: what a plain terminal shows. */
const HELP_WIDTH = 80;

/** Text as paragraphs, which are broken for the terminal and not where the source breaks them. */
function paragraphs(text: string): string {
  return text.replace(/(?<!\n)\n(?!\n)/g, ' ');
}

function optionOf(spec: OptionSpec): Option {
  const option = new Option(spec.flags, spec.description);
  if (spec.choices) option.choices([...spec.choices]);
  if (spec.default !== undefined) option.default(spec.default);
  if (spec.required) option.makeOptionMandatory();
  if (spec.repeat) {
    option.argParser<string[]>((value, previous) => [...(previous ?? []), value]);
  }
  return option;
}

/** Commander holds only the syntax; the chosen verb and its input come out as a value. */
function addCommand(
  env: Env,
  program: Command,
  spec: CommandSpec,
  chosen: (spec: CommandSpec, input: Input) => void,
): void {
  const command = program.command(spec.name).summary(spec.summary);
  command.description(
    spec.description === undefined
      ? spec.summary
      : `${spec.summary}\n\n${paragraphs(spec.description)}`,
  );
  for (const a of spec.arguments) {
    const argument = new Argument(a.syntax, a.description);
    command.addArgument(a.choices ? argument.choices([...a.choices]) : argument);
  }
  for (const o of spec.options) command.addOption(optionOf(o));
  const [format = 'text'] = spec.formats;
  if (spec.formats.length > 1) {
    command.addOption(
      new Option('-o, --output <FORMAT>', 'form of the answer')
        .choices([...spec.formats])
        .default(format),
    );
  }
  command.addHelpText('after', `\nExample:\n${indent(spec.example)}`);
  command.allowExcessArguments(false);
  command.action(() => {
    const options: Readonly<Record<string, unknown>> = command.opts();
    const output = options['output'];
    chosen(spec, {
      arguments: command.processedArgs
        .flat()
        .filter((a) => typeof a === 'string')
        .map((a, i) => projectArgument(env, spec.arguments[i], a)),
      options,
      format: spec.formats.find((f) => f === output) ?? format,
    });
  });
}

function indent(text: string): string {
  return text
    .trim()
    .split('\n')
    .map((line) => (line === '' ? '' : `  ${line}`))
    .join('\n');
}

/** The verb that a command line begins with, alone: the syntax of all others takes 15 ms. All where none is named. */
function specsOf([first]: readonly string[]): readonly CommandSpec[] {
  const named = COMMANDS.filter(({ name }) => name === first);
  return named.length > 0 ? named : COMMANDS;
}

/** The syntax of verbs, without any behaviour. */
function buildProgram(
  env: Env,
  specs: readonly CommandSpec[],
  chosen: (spec: CommandSpec, input: Input) => void,
): Command {
  const program = new Command('weft');
  program
    .description('policies as code, decided in the Linux kernel')
    .version(VERSION, '-V, --version', 'print the version')
    .exitOverride()
    .showSuggestionAfterError(false)
    .configureHelp({
      subcommandTerm: (command) =>
        [
          command.name(),
          ...command
            .usage()
            .split(' ')
            .filter((word) => word !== '[options]'),
        ].join(' '),
    })
    .configureOutput({
      getOutHelpWidth: () => HELP_WIDTH,
      getErrHelpWidth: () => HELP_WIDTH,
      writeOut: (text) => env.stdout.write(text),
      writeErr: () => {}, // usage faults are printed as diagnostics, below
    });
  for (const spec of specs) addCommand(env, program, spec, chosen);
  program.addHelpText(
    'after',
    '\nExample:\n  $ weft init demo && weft simulate demo demo/scenario.yaml\n  $ weft build demo --out demo.weft',
  );
  return program;
}

/** Output format as asked on a command line that may not parse. */
function askedFormat(args: readonly string[]): Format {
  const asked = args.flatMap((arg, i) => {
    if (arg === '-o' || arg === '--output') return [args[i + 1] ?? ''];
    const inline = /^(?:-o|--output=)(.+)$/.exec(arg);
    return inline?.[1] === undefined ? [] : [inline[1]];
  });
  const last = asked.at(-1);
  return last === 'json' || last === 'ndjson' ? last : 'text';
}

function interrupted(env: Env): Promise<Result> {
  return new Promise((resolve) => {
    const stop = (): void => resolve({ exit: EXIT.interrupted });
    if (env.signal.aborted) stop();
    else env.signal.addEventListener('abort', stop, { once: true });
  });
}

/** Runs one command line (without `node` and the script) and answers with its exit code. */
export async function runCli(args: readonly string[], env: Env): Promise<ExitCode> {
  let picked: { readonly spec: CommandSpec; readonly input: Input } | null = null;
  const program = buildProgram(env, specsOf(args), (spec, input) => {
    picked = { spec, input };
  });
  try {
    if (args.length === 0) {
      env.stderr.write(program.helpInformation());
      return EXIT.usage;
    }
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError) && !(error instanceof InvalidArgumentError)) throw error;
    if (error.exitCode === 0) return EXIT.ok; // --help, --version
    const result = usageResult(error, args);
    printResult(env, result, askedFormat(args), false);
    return result.exit;
  }
  if (picked === null) return EXIT.ok;
  const { spec, input }: { spec: CommandSpec; input: Input } = picked;
  let result: Result;
  try {
    const running = spec.run(env, input);
    result = await (spec.serves === true ? running : Promise.race([interrupted(env), running]));
  } catch (error) {
    result = env.signal.aborted ? { exit: EXIT.interrupted } : failureResult(error, env);
  }
  // Findings are an answer of `check`; that it could not be asked is not.
  const isAnswer = spec.findingsAreResults === true && result.exit !== EXIT.failure;
  printResult(env, await remedied(result), input.format, isAnswer);
  return result.exit;
}
