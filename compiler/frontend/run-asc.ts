/**
 * Runs AssemblyScript's compiler in this process, over the caller's SourceReader and the embedded
 * SDK. The compiler is loaded on first use: builds whose inputs did not change never pay for it.
 */
import {
  BugError,
  type Diagnostic,
  diagnostic,
  hasErrors,
  type Position,
} from '../diagnostic/index.js';
import { ASC_TEST_FLAGS, ascFlags } from './asc-flags.js';
import { LineIndex } from './line-index.js';
import { mendParser } from './mend-parser.js';
import { type Finding, remedy } from './remedies.js';
import { SDK_SOURCES } from './sdk.gen.js';
import { rewriteSites, type SiteOptions } from './sites.js';
import type { DeclarationSite } from './sites-declarations.js';
import { traceCalls } from './trace-calls.js';
import type { AscEffort, ForeignCall, Site, SourceReader } from './types.js';
import { LIBRARY_NOTE, withoutEchoes } from './without-echoes.js';

export interface AscResult {
  readonly wasm: Uint8Array;
  /** Version 3, JSON. */
  readonly sourceMap: string;
  readonly sites: readonly Site[];
  /** Declaring calls; position n of the registry is item n - 1. */
  readonly declarations: readonly DeclarationSite[];
  readonly foreign: readonly ForeignCall[];
}
export interface AscOutcome {
  readonly result: AscResult | null;
  readonly diagnostics: readonly Diagnostic[];
  /** Text of each file of the policy that was read. */
  readonly sources: ReadonlyMap<string, string>;
}

/** A second entry file exports what the compiler needs beside the policy's own exports. */
const ENTRY = '.weft-entry.ts';
const ENTRY_TEXT = 'export { __weft_registry } from "weft/registry";\n';
/** That of a file of tests. */
const TEST_ENTRY_TEXT =
  'export { __weft_test_count, __weft_test_name, __weft_test_run } from "weft/test";\n';
const CATEGORY_ERROR = 3;
const CATEGORY_WARNING = 2;
/** ERROR() of the SDK. */
const USER_DEFINED = 'AS102';
/** Characters in front of a place and behind it, by which a remedy is chosen. */
const AROUND = 200;

/** The little of asc that is used. Its own type declarations redefine `console` and other globals. */
interface Asc {
  main(words: readonly string[], options: object): Promise<AscDone>;
}
interface AscDone {
  readonly error: Error | null;
  readonly stderr: { toString(): string };
}

async function loadAsc(): Promise<{ readonly asc: Asc; readonly ast: unknown }> {
  // As plain strings, so that tsc does not follow them to those types; the bundler does.
  const [asc, ast] = await Promise.all([
    import('assemblyscript/asc' as string),
    import('assemblyscript' as string),
  ]);
  mendParser(ast);
  traceCalls(ast);
  return { asc: asc as Asc, ast };
}

interface AscRange {
  readonly start: number;
  readonly end: number;
  readonly source: { readonly normalizedPath: string };
}
interface AscMessage {
  readonly code: number;
  readonly category: number;
  readonly message: string;
  readonly range: AscRange | null;
  readonly relatedRange: AscRange | null;
}

function lowerFirst(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text.slice(0, 1).toLowerCase() + text.slice(1) : text;
}

/** asc quotes with ' and tells whole paths of types; its final full stop goes. */
function restyle(message: string): string {
  const quoted = message
    .replace(/^User-defined: "(.*)"$/, '$1')
    .replace(/'([^']*)'/g, '`$1`')
    .replace(/~lib\/string\/String/g, 'string')
    .replace(/(?:~lib|[\w.-]+)(?:\/[\w.-]+)*\/(\w+)(?=[\w\s|<>.]*`)/g, '$1');
  return lowerFirst(quoted.replace(/\.$/, ''));
}

function missingFile(message: string): string {
  const name = /'(.*)'/.exec(message)?.[1] ?? '';
  return name.startsWith('~lib/')
    ? `there is no package \`${name.slice(5).replace(/\.ts$/, '')}\``
    : `there is no file \`${name}\``;
}

/** Compiles one policy. Findings of asc come back as diagnostics with asc's own code. */
export function runAsc(
  file: string,
  read: SourceReader,
  options: SiteOptions & { readonly keepAbort?: boolean; readonly effort?: AscEffort },
): Promise<AscOutcome> {
  return run(file, read, {
    entry: ENTRY_TEXT,
    flags: ascFlags({ keepAbort: options.keepAbort ?? false, effort: options.effort ?? 'full' }),
    sites: options,
  });
}

/** Compiles a file of tests: it runs as it is written, so that each assertion has its own place. */
export function runTestAsc(file: string, read: SourceReader): Promise<AscOutcome> {
  return run(file, read, { entry: TEST_ENTRY_TEXT, flags: ASC_TEST_FLAGS, sites: null });
}

type Texts = ReadonlyMap<string, string>;

function place(range: AscRange | null, texts: Texts): Position | null {
  const path = range?.source.normalizedPath ?? '';
  const text = texts.get(path);
  if (range === null || text === undefined) return null;
  return new LineIndex(text).range(path, range.start, range.end);
}
function isInLibrary(range: AscRange | null): boolean {
  return range?.source.normalizedPath.startsWith('~lib/') === true;
}
/** Where the policy called what asc was compiling, as trace-calls.ts notes it. */
function caller(range: AscRange | null, texts: Texts): Position | null {
  return isInLibrary(range) ? null : place(range, texts);
}
/** The text that a finding is about. */
function around(
  range: AscRange | null,
  texts: Texts,
): Pick<Finding, 'before' | 'written' | 'after'> {
  const text = texts.get(range?.source.normalizedPath ?? '');
  if (range === null || text === undefined) return { before: '', written: '', after: '' };
  const { start, end } = range;
  return {
    before: text.slice(Math.max(0, start - AROUND), start),
    written: text.slice(start, end),
    after: text.slice(end, end + AROUND),
  };
}

interface RunOptions {
  readonly entry: string;
  readonly flags: readonly string[];
  /** Null for code whose verdicts and declarations are not marked. */
  readonly sites: SiteOptions | null;
}

async function run(file: string, read: SourceReader, options: RunOptions): Promise<AscOutcome> {
  const { asc, ast } = await loadAsc();
  const sources = new Map<string, string>();
  const texts = new Map<string, string>();
  const outputs = new Map<string, string | Uint8Array>();
  const found: Diagnostic[] = [];
  const sites: Site[] = [];
  const declarations: DeclarationSite[] = [];
  const foreign: ForeignCall[] = [];

  const readFile = (name: string, base: string): string | null => {
    if (name === ENTRY) return options.entry;
    if (base === 'weft-sdk') {
      const inner = name.startsWith('weft/') ? name.slice(5) : null;
      const text = inner === null ? undefined : SDK_SOURCES[inner];
      if (text !== undefined) texts.set(`~lib/${name}`, text);
      return text ?? null;
    }
    // asc looks for packages in all parent folders; what lies outside of the project is none of ours.
    const text = name.startsWith('..') ? null : read(name);
    if (text !== null) {
      sources.set(name, text);
      texts.set(name, text);
    }
    return text;
  };
  const report = (message: AscMessage): void => {
    const severity =
      message.category === CATEGORY_ERROR
        ? 'error'
        : message.category === CATEGORY_WARNING
          ? 'warning'
          : 'info';
    const code = `${message.code >= 1000 ? 'TS' : 'AS'}${message.code}`;
    const words = code === 'TS6054' ? missingFile(message.message) : restyle(message.message);
    const at = place(message.range, texts);
    const own = isInLibrary(message.range)
      ? (caller(message.relatedRange, texts) ?? (at === null ? null : { file, line: 1, column: 1 }))
      : at;
    // What the SDK tells the author itself is no echo.
    const inside = own === at || at === null || code === USER_DEFINED ? null : at;
    const { before, written, after } = around(message.range, texts);
    found.push(
      diagnostic(code, words, {
        at: own,
        notes: inside === null ? [] : [`${LIBRARY_NOTE} ${inside.file}:${inside.line}`],
        severity,
        help: remedy({ code, message: message.message, before, written, after }),
      }),
    );
  };
  const transform = {
    afterParse(parser: { readonly sources: readonly object[] }): void {
      if (options.sites === null) return;
      const outcome = rewriteSites(parser.sources, ast, options.sites);
      sites.push(...outcome.sites);
      declarations.push(...outcome.declarations);
      foreign.push(...outcome.foreign);
      found.push(...outcome.diagnostics);
    },
  };
  const words = [file, ENTRY, '--outFile', 'policy.wasm', ...options.flags];
  const done = await asc.main(words, {
    readFile,
    writeFile: (name: string, contents: string | Uint8Array): void => {
      outputs.set(name, contents);
    },
    listFiles: (): string[] => [],
    reportDiagnostic: report,
    transforms: [transform],
  });
  const wasm = outputs.get('policy.wasm');
  const map = outputs.get('policy.wasm.map');
  if (hasErrors(found)) return { result: null, diagnostics: withoutEchoes(found), sources };
  if (!(wasm instanceof Uint8Array) || typeof map !== 'string') {
    throw new BugError(`asc: no output: ${done.error?.message ?? done.stderr.toString()}`);
  }
  const result = { wasm, sourceMap: map, sites, declarations, foreign };
  return { result, diagnostics: found, sources };
}
