/** Codes of what can be wrong with the form of a document that people write. */
import type { CodeTable } from '../../compiler/diagnostic/index.js';

export const CODES: CodeTable = {
  W001: { title: 'not YAML or JSON', help: 'correct the syntax at the position' },
  W002: { title: 'duplicate key', help: 'keep one of the two' },
  W003: {
    title: 'document too large',
    help: 'split the document; the limit stands in docs/limits.md',
  },
  W004: { title: 'too many aliases', help: 'write the repeated parts out' },
  W005: { title: 'empty document', help: 'write at least the required keys' },
  W010: { title: 'unknown key', help: 'use the nearest known key, or remove it' },
  W011: { title: 'missing key', help: 'add the key' },
  W012: { title: 'value of the wrong type', help: 'write a value of the type that is named' },
  W013: { title: 'value not allowed', help: 'use a value that the message allows' },
};
