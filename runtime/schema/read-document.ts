/**
 * Reads a document that a person wrote: YAML or JSON, checked against one of the shipped schemas.
 * Every finding carries the line and column of the node it is about. Nothing is dropped: unknown
 * and repeated keys are errors. Meaning (names that must exist, ...) is for the caller to check,
 * with `at` for positions.
 */
import { type Document, isMap, isPair, isScalar, LineCounter } from 'yaml';
import {
  BugError,
  type Diagnostic,
  diagnostic,
  hasErrors,
  type Position,
} from '../../compiler/diagnostic/index.js';
import { CODES } from './codes.js';
import { validate as plan } from './gen/rollout-plan.gen.js';
import { validate as scenario } from './gen/scenario.gen.js';
import { validate as trust } from './gen/trust.gen.js';
import { validate as weft } from './gen/weft.gen.js';
import { validate as world } from './gen/world.gen.js';
import { schemaDiagnostics } from './schema-diagnostics.js';
import type { Validate } from './validate.js';
import { NestedTooDeeply, yamlDocuments } from './yaml-documents.js';

export type SchemaName = 'weft' | 'world' | 'scenario' | 'trust' | 'rollout-plan';
const VALIDATORS: Readonly<Record<SchemaName, Validate>> = {
  ...{ weft, world, scenario, trust },
  'rollout-plan': plan,
};

/** Longest text that is read; a world of some 30,000 workloads. */
export const MAX_DOCUMENT_CHARACTERS: number = 8 * 1024 * 1024;
/** Aliases may be resolved so often; more is a "billion laughs" document. */
export const MAX_ALIASES: number = 100;

const help = (code: string): string | null => CODES[code]?.help ?? null;

/** Where in a document: keys and indices from the root. */
export type DocumentPath = readonly (string | number)[];

export interface DocumentRead {
  /** The plain value; null where there are errors. Keys are own properties, texts are unchecked. */
  readonly value: unknown;
  readonly diagnostics: readonly Diagnostic[];
  /** Position of the value at a path (or of its key); the nearest parent where it is absent. */
  readonly at: (path: DocumentPath, part?: 'value' | 'key') => Position;
}

type Range = readonly [number, number, ...number[]];

function rangeOf(node: unknown): Range | null {
  if (typeof node !== 'object' || node === null || !('range' in node)) return null;
  const range = node.range;
  return Array.isArray(range) ? (range as unknown as Range) : null;
}

function findRange(document: Document, path: DocumentPath, part: 'value' | 'key'): Range {
  for (let length = path.length; length >= 0; length -= 1) {
    const prefix = path.slice(0, length);
    if (part === 'key' || length < path.length) {
      const parent = length === 0 ? null : document.getIn(prefix.slice(0, -1), true);
      if (isMap(parent) && part === 'key' && length === path.length) {
        const pair = parent.items.find(
          (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === prefix.at(-1),
        );
        const range = rangeOf(pair?.key);
        if (range !== null) return range;
      }
    }
    const range = rangeOf(length === 0 ? document.contents : document.getIn(prefix, true));
    if (range !== null) return range;
  }
  return [0, 0];
}

function positionOf(lines: LineCounter, file: string, range: Range): Position {
  const start = lines.linePos(range[0]);
  const end = lines.linePos(Math.max(range[0], range[1]));
  return {
    file,
    line: Math.max(1, start.line),
    column: Math.max(1, start.col),
    endLine: Math.max(1, end.line),
    endColumn: Math.max(1, end.col),
  };
}

/** What yaml says of an error, as Weft words it: one lower-case sentence without its own code frame. */
export function yamlSentence(message: string): string {
  const first = (message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, '');
  return first.charAt(0).toLowerCase() + first.slice(1).replace(/[.:]$/, '');
}

function syntaxDiagnostic(
  error: {
    readonly code: string;
    readonly message: string;
    readonly pos: readonly [number, number];
  },
  lines: LineCounter,
  file: string,
  severity: 'error' | 'warning',
): Diagnostic {
  const at = positionOf(lines, file, error.pos);
  if (error.code === 'DUPLICATE_KEY') {
    return diagnostic('W002', 'the key is given twice', { at, help: 'keep one of the two' });
  }
  const message = yamlSentence(error.message);
  return diagnostic('W001', message, { at, severity, help: help('W001') });
}

/** After its first syntax error a parser only guesses; repeated keys are faults of their own. */
function firstFault<T extends { readonly code: string }>(errors: readonly T[]): readonly T[] {
  const isKey = (e: T): boolean => e.code === 'DUPLICATE_KEY';
  const syntax = errors.filter((e) => !isKey(e));
  return syntax.length > 0 ? syntax.slice(0, 1) : errors.filter(isKey);
}

/**
 * Reads and checks a document. Never throws on input: every fault is a diagnostic, and `value` is
 * null where one of them is an error.
 */
export function readDocument(text: string, file: string, schema: SchemaName): DocumentRead {
  const top: Position = { file, line: 1, column: 1 };
  const refuse = (...diagnostics: Diagnostic[]): DocumentRead => ({
    value: null,
    diagnostics,
    at: () => top,
  });
  if (text.length > MAX_DOCUMENT_CHARACTERS) {
    const message = `the document has ${text.length} characters, more than ${MAX_DOCUMENT_CHARACTERS}`;
    return refuse(diagnostic('W003', message, { at: top, help: help('W003') }));
  }
  const lines = new LineCounter();
  let documents: readonly Document.Parsed[];
  try {
    documents = yamlDocuments(text, lines);
  } catch (cause) {
    const isDeep = cause instanceof NestedTooDeeply;
    const at = isDeep ? positionOf(lines, file, [cause.offset, cause.offset + 1]) : top;
    // A RangeError is of yaml's parser: a text that closes too many lists in one line.
    const message = isDeep
      ? cause.message
      : cause instanceof RangeError
        ? 'the document is nested too deeply'
        : String(cause);
    return refuse(diagnostic('W001', message, { at, help: help('W001') }));
  }
  const [document, second] = documents;
  if (document === undefined) throw new BugError('yaml gives no document');
  if (second !== undefined) {
    const at = positionOf(lines, file, [second.range[0], second.range[0] + 1]);
    return refuse(
      diagnostic('W001', 'a second document begins', { at, help: 'keep one document in a file' }),
    );
  }
  const found = [
    ...firstFault(document.errors).map((e) => syntaxDiagnostic(e, lines, file, 'error')),
    ...document.warnings.map((e) => syntaxDiagnostic(e, lines, file, 'warning')),
  ];
  const at = (path: DocumentPath, part: 'value' | 'key' = 'value'): Position =>
    positionOf(lines, file, findRange(document, path, part));
  if (hasErrors(found)) return { value: null, diagnostics: found, at };
  if (
    document.contents === null ||
    rangeOf(document.contents)?.[0] === rangeOf(document.contents)?.[1]
  ) {
    return refuse(
      ...found,
      diagnostic('W005', 'the document is empty', { at: top, help: help('W005') }),
    );
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch {
    const message = `the document resolves more than ${MAX_ALIASES} aliases, or one that does not exist`;
    return refuse(...found, diagnostic('W004', message, { at: top, help: help('W004') }));
  }
  const validate = VALIDATORS[schema];
  if (!validate(value)) found.push(...schemaDiagnostics(validate.errors ?? [], at));
  return { value: hasErrors(found) ? null : value, diagnostics: found, at };
}
