/** Says what ajv found in the words of a person who has never seen a schema. */
import { type Diagnostic, diagnostic, type Position } from '../../compiler/diagnostic/index.js';
import { CODES } from './codes.js';
import { didYouMean } from './nearest.js';
import type { SchemaError } from './validate.js';

type Locate = (path: readonly (string | number)[], part?: 'value' | 'key') => Position;

/** Errors beyond this many are the same mistake again. */
const MAX_ERRORS = 50;

const TYPE_WORDS: Readonly<Record<string, string>> = {
  object: 'a mapping',
  array: 'a list',
  string: 'a text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  null: 'nothing',
};

function pathOf(pointer: string): (string | number)[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}

function printPath(path: readonly (string | number)[]): string {
  const text = path.reduce<string>(
    (out, part) =>
      typeof part === 'number' ? `${out}[${part}]` : `${out}${out === '' ? '' : '.'}${part}`,
    '',
  );
  return text === '' ? 'the document' : `\`${text}\``;
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return `\`${text.length > 60 ? `${text.slice(0, 57)}...` : text}\``;
}

function knownKeys(error: SchemaError): string[] {
  const properties = error.parentSchema?.['properties'];
  return typeof properties === 'object' && properties !== null ? Object.keys(properties) : [];
}

function describe(error: SchemaError, at: Locate): Diagnostic {
  const path = pathOf(error.instancePath);
  const where = printPath(path);
  const params = error.params;
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(params['additionalProperty']);
      const known = knownKeys(error);
      const help = didYouMean(key, known) ?? `known keys: ${known.join(', ')}`;
      return diagnostic('W010', `unknown key \`${key}\``, { at: at([...path, key], 'key'), help });
    }
    case 'required': {
      const key = String(params['missingProperty']);
      return diagnostic('W011', `${where} lacks the key \`${key}\``, { at: at(path) });
    }
    case 'type': {
      const types = [params['type']].flat().map((type) => TYPE_WORDS[String(type)] ?? String(type));
      const message = `${where} must be ${types.join(' or ')}, not ${show(error.data)}`;
      return diagnostic('W012', message, { at: at(path) });
    }
    case 'enum': {
      const allowed = [params['allowedValues']].flat().map(String);
      const help = typeof error.data === 'string' ? didYouMean(error.data, allowed) : null;
      const message = `${where} must be one of ${allowed.join(', ')}, not ${show(error.data)}`;
      return diagnostic('W013', message, { at: at(path), help });
    }
    case 'minimum':
    case 'maximum': {
      const side = error.keyword === 'minimum' ? 'at least' : 'at most';
      const message = `${where} must be ${side} ${String(params['limit'])}, not ${show(error.data)}`;
      return diagnostic('W013', message, { at: at(path) });
    }
    case 'minItems':
    case 'minProperties':
      return diagnostic('W013', `${where} must not be empty`, { at: at(path) });
    default:
      return diagnostic('W013', `${where} ${error.message ?? error.keyword}`, { at: at(path) });
  }
}

/** Turns schema errors into diagnostics at the nodes that they are about. */
export function schemaDiagnostics(errors: readonly SchemaError[], at: Locate): Diagnostic[] {
  return errors.slice(0, MAX_ERRORS).map((error) => {
    const found = describe(error, at);
    return { ...found, help: found.help ?? CODES[found.code]?.help ?? null };
  });
}
