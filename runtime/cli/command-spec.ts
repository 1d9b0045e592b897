/** What a verb is: its place in `--help`, its flags, and one function that answers with a Result. */
import type { Diagnostic } from '../../compiler/diagnostic/index.js';
import type { Env } from './env.js';
import type { ExitCode } from './exit.js';

export type Format = 'text' | 'json' | 'ndjson' | 'tap' | 'junit' | 'github' | 'sarif';

export interface OptionSpec {
  readonly flags: string; // as commander reads them: `--out <FILE>`
  readonly description: string;
  readonly choices?: readonly string[];
  readonly default?: string;
  readonly required?: boolean;
  readonly repeat?: boolean;
}

export interface ArgumentSpec {
  readonly syntax: string; // `[DIR]`, `<BUNDLE>`
  readonly description: string;
  readonly choices?: readonly string[];
}

export interface Input {
  readonly arguments: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly format: Format;
}

/**
 * What a verb answers. The frame prints it, so that `-o json` is one document by construction:
 * `document` with the diagnostics under json; `text` (or `bytes`) and rendered diagnostics under text.
 */
export interface Result {
  readonly exit: ExitCode;
  readonly document?: Readonly<Record<string, unknown>>;
  readonly text?: string;
  readonly bytes?: Uint8Array;
  readonly diagnostics?: readonly Diagnostic[];
  /** Source text by file, for carets. */
  readonly sources?: (file: string) => string | null;
}

export interface CommandSpec {
  readonly name: string;
  readonly summary: string;
  /** More than the summary says; paragraphs of plain text. */
  readonly description?: string;
  /** A worked example: command lines and what they print. */
  readonly example: string;
  readonly arguments: readonly ArgumentSpec[];
  readonly options: readonly OptionSpec[];
  /** Values of -o, the first is the default. */
  readonly formats: readonly Format[];
  /** True where findings are the answer itself and go to stdout. */
  readonly findingsAreResults?: boolean;
  /** True for a verb that serves: it ends by itself when it is told to, and what it holds is given back. */
  readonly serves?: boolean;
  run(env: Env, input: Input): Promise<Result>;
}

/** The text of an option, null where it was not given. */
export function textOption(input: Input, name: string): string | null {
  const value = input.options[name];
  return typeof value === 'string' ? value : null;
}

/** True where a flag was given. */
export function flagOption(input: Input, name: string): boolean {
  return input.options[name] === true;
}

/** Verbs that keep what they compiled have it. */
export const NO_CACHE_OPTION: OptionSpec = {
  flags: '--no-cache',
  description: 'compile everything again, and keep nothing',
};

/** False under `--no-cache`. */
export function isCached(input: Input): boolean {
  return input.options['cache'] !== false;
}

/** All values of a repeatable option, in order. */
export function listOption(input: Input, name: string): readonly string[] {
  const value = input.options[name];
  return Array.isArray(value) ? value.map(String) : [];
}

/** What verbs say of an argument that is a bundle. */
export const BUNDLE_ARGUMENT =
  'a bundle (FILE, oci:DIR, oci-archive:FILE or HOST/REPOSITORY:TAG), or a project folder';

/** What verbs take that may talk with a registry. */
export const PLAIN_HTTP_OPTIONS: readonly OptionSpec[] = [
  { flags: '--plain-http', description: 'without TLS, to a registry on this machine' },
  { flags: '--plain-http-anywhere', description: 'without TLS to any registry: all can read it' },
];

/** The same of verbs whose `--ca` means nobody else. */
export const REGISTRY_OPTIONS: readonly OptionSpec[] = [
  { flags: '--ca <FILE>', description: 'certificates in PEM that vouch for the registry' },
  ...PLAIN_HTTP_OPTIONS,
];
