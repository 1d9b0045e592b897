/** Diagnostics of the pass expand-abi and of the numbering of symbols, slots and bits. */
import type { CodeTable } from '../diagnostic/index.js';

export const ABI_CODES: CodeTable = {
  I201: {
    title: 'operand is not a constant',
    help: 'write the text at the place of use, or choose it out of a constant list of up to 32; for more, ask a Table (`teams.has(label)`), a KeyTable (several values at once) or a RuleList',
  },
  I202: {
    title: 'not available in this export',
    help: 'move the check to an export that has it; docs/abi.md lists what each export sees',
  },
  I203: {
    title: 'too many attributes of one side',
    help: 'a bundle may look at 16 attributes and labels a side; put several facts into one label',
  },
  I204: {
    title: 'too many text predicates of one side',
    help: 'a bundle may hold 64 of startsWith, endsWith, contains a side; compare whole texts with `==` or use a Table',
  },
  I205: {
    title: 'predicate on a text that is no attribute',
    help: 'call startsWith, endsWith and contains directly on an attribute, as in `connection.source.namespace.startsWith("a")`',
  },
  I206: {
    title: 'unknown import',
    help: 'import only what the module "weft" offers; docs/abi.md lists it',
  },
  I207: {
    title: 'operand out of range',
    help: 'use the classes of the SDK, which pass only numbers that exist',
  },
  I209: {
    title: 'not a name of a header',
    help: 'write the name alone, as in `request.header("x-tenant")`',
  },
  I210: {
    title: 'text cannot be compared with a part of a request',
    help: 'compare with printable ASCII of up to 256 bytes; paths are compared as they are sent, with `%` escapes',
  },
  I211: {
    title: 'too many headers',
    help: 'a bundle may look at 16 headers; put several facts into one header',
  },
  I212: {
    title: 'key too long for a part of a request',
    help: 'a table that is asked for a part of a request has keys of up to 64 bytes',
  },
  I208: {
    title: 'key kind does not fit the table',
    help: 'ask tables of texts with texts and attributes, tables of integers with integers',
  },
  I213: {
    title: 'a text is not Unicode',
    help: 'it holds half of a surrogate pair; no attribute can be equal to it',
  },
  I214: {
    title: 'a text is no pattern of a path',
    help: 'write elements between slashes, as `/users/{id}/**`: `{name}` or `*` for one, `**` at the end for the rest; up to 256 bytes and 16 steps',
  },
};
