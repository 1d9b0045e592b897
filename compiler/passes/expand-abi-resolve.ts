/**
 * Reads each ABI call of a module: which field, attribute, text, table it names. Operands that must
 * be constant are traced here, once, for the collection of symbols and for the expansion alike.
 */
import {
  ATTRIBUTE,
  type AttributeName,
  type ExportName,
  HOOK,
  type ImportName,
  isHeaderName,
  isImport,
  MAX_VIEW_KEY,
  MAX_VIEW_TEXT,
  type PredicateOp,
  parsePattern,
  SIDE,
  type SideName,
  shapeOf,
  VIEW,
  type ViewName,
} from '../abi/index.js';
import { type Diagnostic, diagnostic, type Position } from '../diagnostic/index.js';
import type { Registry } from '../frontend/types.js';
import type { Func, Instr, Loc, Module, ValueId } from '../ir/types.js';
import type { AbiCall, AttributeUse, LiteralCompare } from './abi-call.js';
import { unavailable } from './expand-abi-available.js';
import { ABI_CODES } from './expand-abi-codes.js';
import { KeyKinds } from './expand-abi-key-kinds.js';
import { functionExports } from './expand-abi-reach.js';
import { readText } from './expand-abi-text.js';
import { MOST_PLACES } from './places.js';

export type {
  AbiCall,
  AttributeUse,
  FieldName,
  LiteralCompare,
  PredicateUse,
} from './abi-call.js';
export { attributeText } from './abi-call.js';

/** What the calls of a policy refer to. */
export interface PolicyContext {
  /** All of linear memory after the configure phase. */
  readonly memory: Uint8Array;
  readonly registry: Registry;
}
export type AbiInstr = Extract<Instr, { readonly op: 'abi' }>;

/** Calls by function name and value; refused ones are missing and have a diagnostic. */
export interface ResolvedAbi {
  readonly calls: ReadonlyMap<string, ReadonlyMap<ValueId, AbiCall>>;
  readonly diagnostics: readonly Diagnostic[];
}

/** Half of a surrogate pair, which no text of a world can hold. */
const HALF_PAIR = /\p{Surrogate}/u;
const SIDES: readonly SideName[] = ['source', 'destination'];
const PREDICATES = {
  text_starts_with: 'startsWith',
  text_ends_with: 'endsWith',
  text_contains: 'contains',
} as const;

const LITERALS = {
  view_is: { compare: 'is', ignoresCase: false },
  view_is_ignoring_case: { compare: 'is', ignoresCase: true },
  view_starts_with: { compare: 'startsWith', ignoresCase: false },
  view_starts_with_ignoring_case: { compare: 'startsWith', ignoresCase: true },
  view_ends_with: { compare: 'endsWith', ignoresCase: false },
  view_ends_with_ignoring_case: { compare: 'endsWith', ignoresCase: true },
} as const;
/** What a policy writes where the SDK asks with a text. */
const WRITTEN: Readonly<Partial<Record<ImportName, string>>> = {
  symbol: 'is',
  label: 'label',
  text_starts_with: 'startsWith',
  text_ends_with: 'endsWith',
  text_contains: 'contains',
  request_header: 'header',
  view_is: 'is',
  view_is_ignoring_case: 'isIgnoringCase',
  view_starts_with: 'startsWith',
  view_starts_with_ignoring_case: 'startsWithIgnoringCase',
  view_ends_with: 'endsWith',
  view_ends_with_ignoring_case: 'endsWithIgnoringCase',
  view_matches: 'matches',
};
/** Printable, space and tab: other bytes never get past the parser. */
const ASCII = /^[\t -~]*$/;

/** Resolves all ABI calls of a module; refuses with I201, I202, I205 to I208. */
export function resolveAbi(module: Module, context: PolicyContext): ResolvedAbi {
  const diagnostics: Diagnostic[] = [];
  const exports = functionExports(module);
  const keyKinds = new KeyKinds(module);
  const calls = new Map<string, ReadonlyMap<ValueId, AbiCall>>();
  for (const func of module.functions) {
    const reached = exports.get(func.name) ?? new Set(HOOK);
    const resolver = new Resolver(module, func, context, reached, keyKinds, diagnostics);
    calls.set(func.name, resolver.resolveAll());
  }
  return { calls, diagnostics };
}

/** Position of a location of the module, for diagnostics. */
export function positionOf(module: Module, loc: Loc): Position | null {
  return loc === null ? null : (module.positions[loc] ?? null);
}

function isSamePlace(a: Diagnostic, b: Diagnostic): boolean {
  return a.file === b.file && a.line === b.line && a.column === b.column;
}

class Resolver {
  readonly #module: Module;
  readonly #func: Func;
  readonly #context: PolicyContext;
  readonly #exports: ReadonlySet<ExportName>;
  readonly #diagnostics: Diagnostic[];
  readonly #defs = new Map<ValueId, Instr>();
  readonly #keyKinds: KeyKinds;

  constructor(
    module: Module,
    func: Func,
    context: PolicyContext,
    exports: ReadonlySet<ExportName>,
    keyKinds: KeyKinds,
    diagnostics: Diagnostic[],
  ) {
    this.#module = module;
    this.#func = func;
    this.#context = context;
    this.#exports = exports;
    this.#diagnostics = diagnostics;
    this.#keyKinds = keyKinds;
    for (const block of func.blocks) {
      for (const instr of block.instrs) this.#defs.set(instr.id, instr);
    }
  }

  resolveAll(): ReadonlyMap<ValueId, AbiCall> {
    const calls = new Map<ValueId, AbiCall>();
    for (const block of this.#func.blocks) {
      for (const instr of block.instrs) {
        if (instr.op !== 'abi') continue;
        const call = this.#resolve(instr);
        if (call !== null && this.#available(instr, call)) calls.set(instr.id, call);
      }
    }
    return calls;
  }

  #refuse(code: string, message: string, instr: AbiInstr): null {
    const at = positionOf(this.#module, instr.loc);
    const found = diagnostic(code, message, { at, help: ABI_CODES[code]?.help ?? null });
    // Copies of a loop's body are one place of the policy.
    const isTold = this.#diagnostics.some(
      (d) => d.code === code && d.message === message && isSamePlace(d, found),
    );
    if (!isTold || at === null) this.#diagnostics.push(found);
    return null;
  }

  #resolve(instr: AbiInstr): AbiCall | null {
    if (!isImport(instr.name)) {
      return this.#refuse('I206', `\`${instr.name}\` is no import of \`weft\``, instr);
    }
    switch (instr.name) {
      case 'destination_port':
      case 'protocol':
      case 'family':
      case 'random':
      case 'now':
        return { op: 'field', name: instr.name };
      case 'address_word': {
        const side = this.#side(instr, 0);
        const word = this.#number(instr, 1, { what: 'word of an address', below: 4 });
        return side === null || word === null ? null : { op: 'address', side, word };
      }
      case 'attribute':
      case 'label': {
        const use = this.#attribute(instr);
        return use === null ? null : { op: 'attribute', use };
      }
      case 'symbol': {
        const text = this.#text(instr, 0);
        return text === null ? null : { op: 'symbol', text };
      }
      case 'text_starts_with':
      case 'text_ends_with':
      case 'text_contains':
        return this.#predicate(instr, PREDICATES[instr.name]);
      case 'table_get':
      case 'table_has': {
        const below = this.#context.registry.tables.length;
        const table = this.#number(instr, 0, { what: 'table', below });
        const want = instr.name === 'table_get' ? 'get' : 'has';
        if (table === null || !this.#keyFits(instr, table)) return null;
        return { op: 'table', want, table };
      }
      case 'key_get':
      case 'key_has': {
        const below = this.#context.registry.keys.length;
        const table = this.#number(instr, 0, { what: 'table of keys', below });
        const want = instr.name === 'key_get' ? 'get' : 'has';
        if (table === null || !this.#shapeFits(instr, table)) return null;
        return { op: 'keys', want, table };
      }
      case 'rules_get':
      case 'rules_has': {
        const below = this.#context.registry.rules.length;
        const list = this.#number(instr, 0, { what: 'rule list', below });
        const want = instr.name === 'rules_get' ? 'get' : 'has';
        return list === null ? null : { op: 'rules', want, list };
      }
      case 'cidr_contains': {
        const below = this.#context.registry.cidrs.length;
        const set = this.#number(instr, 0, { what: 'CIDR set', below });
        const side = this.#side(instr, 1);
        return set === null || side === null ? null : { op: 'cidr', set, side };
      }
      case 'ports_contain': {
        const below = this.#context.registry.ports.length;
        const set = this.#number(instr, 0, { what: 'port set', below });
        return set === null ? null : { op: 'ports', set };
      }
      case 'request_view': {
        const names = Object.keys(VIEW) as ViewName[];
        const kind = this.#number(instr, 0, { what: 'part of a request', below: names.length });
        const view = names.find((n) => VIEW[n] === kind);
        return view === undefined ? null : { op: 'view', view };
      }
      case 'request_header': {
        const text = this.#text(instr, 0);
        if (text === null) return null;
        if (isHeaderName(text.toLowerCase())) return { op: 'header', name: text.toLowerCase() };
        return this.#refuse('I209', `\`${text}\` is no name of a header`, instr);
      }
      case 'view_is':
      case 'view_is_ignoring_case':
      case 'view_starts_with':
      case 'view_ends_with':
      case 'view_starts_with_ignoring_case':
      case 'view_ends_with_ignoring_case':
        return this.#literal(instr, LITERALS[instr.name]);
      case 'view_matches':
        return this.#pattern(instr);
      case 'view_byte':
        return { op: 'byte' };
      case 'view_find':
        return { op: 'find' };
      case 'view_hash':
        return { op: 'hash' };
      case 'view_table_get':
      case 'view_table_has': {
        const below = this.#context.registry.tables.length;
        const table = this.#number(instr, 0, { what: 'table', below });
        const want = instr.name === 'view_table_get' ? 'get' : 'has';
        if (table === null || !this.#hasViewKeys(instr, table)) return null;
        return { op: 'viewTable', want, table };
      }
      case 'view_pattern_get':
      case 'view_pattern_has': {
        const below = this.#context.registry.patterns.length;
        const table = this.#number(instr, 0, { what: 'table of patterns', below });
        const want = instr.name === 'view_pattern_get' ? 'get' : 'has';
        return table === null ? null : { op: 'patterns', want, table };
      }
      case 'out_of_fuel':
        return { op: 'fuel' };
    }
  }

  #available(instr: AbiInstr, call: AbiCall): boolean {
    if (!isImport(instr.name)) return false;
    const { registry } = this.#context;
    const message = unavailable(instr.name, call, { exports: this.#exports, registry });
    if (message !== null) this.#refuse('I202', message, instr);
    return message === null;
  }

  #literal(instr: AbiInstr, compare: LiteralCompare): AbiCall | null {
    const text = this.#text(instr, 1);
    if (text === null) return null;
    if (ASCII.test(text) && text.length <= MAX_VIEW_TEXT)
      return { op: 'literal', ...compare, text };
    const message = `a view is compared with a text that is not ASCII or longer than ${MAX_VIEW_TEXT} bytes`;
    return this.#refuse('I210', message, instr);
  }

  #pattern(instr: AbiInstr): AbiCall | null {
    const text = this.#text(instr, 1);
    if (text === null) return null;
    const steps = parsePattern(text);
    if (steps !== null) return { op: 'pattern', steps };
    return this.#refuse('I214', `${JSON.stringify(text)} is no pattern of a path`, instr);
  }

  /** Keys that a view can be looked up by: texts of up to MAX_VIEW_KEY bytes. */
  #hasViewKeys(instr: AbiInstr, number: number): boolean {
    const table = this.#context.registry.tables[number];
    if (table === undefined || table.entries.length === 0) return true;
    if (table.keyKind !== 'text') {
      const message = `table \`${table.name}\` has integers as keys and is asked for a text`;
      this.#refuse('I208', message, instr);
      return false;
    }
    const long = table.entries.find(
      ({ key }) => key.kind === 'text' && new TextEncoder().encode(key.value).length > MAX_VIEW_KEY,
    );
    if (long === undefined) return true;
    const message = `table \`${table.name}\` is asked for a part of a request and has the key \`${long.key.value}\`, longer than ${MAX_VIEW_KEY} bytes`;
    this.#refuse('I212', message, instr);
    return false;
  }

  #attribute(instr: AbiInstr): AttributeUse | null {
    const side = this.#side(instr, 0);
    if (side === null) return null;
    if (instr.name === 'label') {
      const key = this.#text(instr, 1);
      return key === null ? null : { side, attribute: 'label', key };
    }
    const names = Object.keys(ATTRIBUTE) as AttributeName[];
    const kind = this.#number(instr, 1, { what: 'kind of attribute', below: names.length });
    const attribute = names.find((n) => ATTRIBUTE[n] === kind);
    return attribute === undefined ? null : { side, attribute, key: null };
  }

  #predicate(instr: AbiInstr, op: PredicateOp): AbiCall | null {
    const text = this.#text(instr, 1);
    if (text === null) return null;
    const operand = instr.args[0];
    const def = operand === undefined ? undefined : this.#defs.get(operand);
    if (def?.op !== 'abi' || (def.name !== 'attribute' && def.name !== 'label')) {
      return this.#refuse('I205', `\`${op}\` is asked of a text that is not one attribute`, instr);
    }
    const use = this.#attribute(def);
    return use === null ? null : { op: 'predicate', use: { ...use, op, text } };
  }

  /** A symbol compared with integer keys, or the reverse, would find what nobody wrote. */
  #keyFits(instr: AbiInstr, number: number): boolean {
    const table = this.#context.registry.tables[number];
    const key = instr.args[1];
    if (table === undefined || key === undefined || table.entries.length === 0) return true;
    const kinds = this.#keyKinds.of(this.#func, key);
    const wrong = table.keyKind === 'text' ? 'integer' : 'text';
    if (!kinds.has(wrong)) return true;
    const keys = table.keyKind === 'text' ? 'texts' : 'integers';
    const asked = wrong === 'text' ? 'a text' : 'an integer';
    this.#refuse(
      'I208',
      `table \`${table.name}\` has ${keys} as keys and is asked for ${asked}`,
      instr,
    );
    return false;
  }

  /** A part of another kind would be compared with what nobody wrote. */
  #shapeFits(instr: AbiInstr, number: number): boolean {
    const table = this.#context.registry.keys[number];
    const shape = this.#constant(instr, 1, 'shape of the key');
    if (table === undefined || shape === null) return false;
    if (table.entries.length === 0 || shape === shapeOf(table.kinds)) return true;
    const message = `table \`${table.name}\` has keys of ${table.kinds.join(', ')} and is asked for other parts`;
    this.#refuse('I208', message, instr);
    return false;
  }

  #constant(instr: AbiInstr, index: number, what: string): number | null {
    const operand = instr.args[index];
    const def = operand === undefined ? undefined : this.#defs.get(operand);
    if (def?.op === 'const') return Number(def.value);
    const written = what === 'text' && isImport(instr.name) ? WRITTEN[instr.name] : undefined;
    const message =
      written === undefined
        ? `the ${what} of \`${instr.name}\` is not a constant`
        : `the text that \`${written}\` is asked with is none of up to ${MOST_PLACES} that are known at build time`;
    return this.#refuse('I201', message, instr);
  }

  #number(
    instr: AbiInstr,
    index: number,
    { what, below }: { readonly what: string; readonly below: number },
  ): number | null {
    const value = this.#constant(instr, index, what);
    if (value === null || value < below) return value;
    return this.#refuse(
      'I207',
      `\`${instr.name}\` names ${what} ${value}, which does not exist`,
      instr,
    );
  }

  #side(instr: AbiInstr, index: number): SideName | null {
    const number = this.#number(instr, index, { what: 'side', below: SIDES.length });
    return SIDES.find((s) => SIDE[s] === number) ?? null;
  }

  #text(instr: AbiInstr, index: number): string | null {
    const address = this.#constant(instr, index, 'text');
    if (address === null) return null;
    const text = readText(this.#context.memory, address);
    if (text !== null && HALF_PAIR.test(text)) {
      return this.#refuse('I213', `the text of \`${instr.name}\` is not Unicode`, instr);
    }
    if (text !== null) return text;
    return this.#refuse('I207', `\`${instr.name}\` names no text of the configure phase`, instr);
  }
}
