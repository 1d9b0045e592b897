/** What a policy's questions to the ABI come to, over all inputs at once. */
import { type PatternStep, parsePattern } from '../../compiler/abi/index.js';
import type { AbiCall, Manifest, PolicyEntry } from '../../compiler/index.js';
import { patternMatcher } from '../simulate/index.js';
import { ruleValues } from './ask-rules.js';
import { TableAsker } from './ask-tables.js';
import { blockIntervals } from './block-intervals.js';
import { type Asking, compareLeaves } from './compare-leaves.js';
import { NONE } from './diagram.js';
import {
  addressField,
  attributeField,
  CLOCK_FIELD,
  DRAW_FIELD,
  FAMILY_FIELD,
  hashField,
  headerField,
  PORT_FIELD,
  PROTOCOL_FIELD,
  viewField,
} from './field.js';
import type { Guard, LookUp } from './guards.js';
import {
  byteLeaf,
  constant,
  type Leaf,
  numberLeaf,
  principalLeaf,
  symbolLeaf,
  textLeaf,
  type Value,
  viewLeaf,
} from './leaf.js';
import { principalPasses } from './principal.js';
import type { TextTest } from './text-automaton.js';
import { always, mapValue, NOTHING, ofTruth } from './value.js';

/** The part of a bundle that answers depend on. */
export interface Subject {
  readonly manifest: Pick<Manifest, 'trust' | 'headers'>;
  readonly entry: PolicyEntry;
}
export interface Answer {
  readonly value: Value;
  /** Where the question stops the decision. */
  readonly traps: Guard;
}

const INPUT = { op: 'input' } as const;
/** Headers that say how a message is framed: what they can hold is not what it seems. */
const FRAMING: ReadonlySet<string> = new Set([
  'content-length',
  'transfer-encoding',
  'connection',
  'upgrade',
  'expect',
]);

/** Highest index of a byte that is looked into. */
const MAX_INDEX = 600n;

/** The constant that a value always is; null where it is anything else. */
function constantOf(value: Value): bigint | null {
  const [only] = value;
  return value.length === 1 && only?.[0].kind === 'const' ? only[0].value : null;
}

/** A pattern's text from its steps. */
function patternText(steps: readonly PatternStep[]): string {
  return steps
    .map((step) =>
      step.op === 'literal'
        ? step.text
        : step.op === 'element'
          ? '*'
          : step.op === 'rest'
            ? '/**'
            : '',
    )
    .join('');
}

/** Entries with the last value of each key. */
function lastValues(entries: readonly (readonly [string, number])[]): ReadonlyMap<string, number> {
  return new Map(entries.map(([key, value]) => [key, value | 0]));
}

export class AbiAsker {
  readonly #asking: Asking;
  readonly #subject: Subject;
  readonly #tables: TableAsker;

  constructor(asking: Asking, subject: Subject) {
    this.#asking = asking;
    this.#subject = subject;
    this.#tables = new TableAsker(asking, subject.entry);
  }

  /** The answer to one call; operands as values, in order. */
  ask(call: AbiCall, args: readonly Value[]): Answer {
    if (call.op === 'header') return this.#header(call.name);
    return { value: this.#value(call, args), traps: NONE };
  }

  #header(name: string): Answer {
    const { guards } = this.#asking;
    // What nothing looks at is not read.
    if (!this.#subject.manifest.headers.includes(name))
      return { value: always(constant(0n)), traps: NONE };
    if (name === 'host') return { value: always(viewLeaf(viewField('host'))), traps: NONE };
    if (FRAMING.has(name)) return { value: always(this.#opaque(`header ${name}`)), traps: NONE };
    const field = headerField(name);
    return { value: always(viewLeaf(field)), traps: guards.repeated(field) };
  }

  #opaque(expression: string): Leaf {
    return this.#asking.opaques.leaf(expression, this.#asking.at);
  }

  #value(call: AbiCall, args: readonly Value[]): Value {
    const { guards } = this.#asking;
    const { entry } = this.#subject;
    const operand = (n: number): Value => args[n] ?? NOTHING;
    switch (call.op) {
      case 'field': {
        const fields = {
          random: DRAW_FIELD,
          destination_port: PORT_FIELD,
          protocol: PROTOCOL_FIELD,
          family: FAMILY_FIELD,
          now: CLOCK_FIELD,
        };
        return always(numberLeaf(fields[call.name], INPUT));
      }
      case 'address':
        return always(
          numberLeaf(addressField(call.side), { op: 'word', shift: BigInt(32 * (3 - call.word)) }),
        );
      case 'attribute': {
        const { side, attribute, key } = call.use;
        const isIdentity = attribute === 'principal' || attribute === 'trustDomain';
        if (isIdentity && side === 'source' && this.#subject.manifest.trust === 'none')
          return always(constant(0n));
        if (attribute === 'principal') return always(principalLeaf(side));
        return always(textLeaf(attributeField(side, attribute, key)));
      }
      case 'symbol':
        return always(symbolLeaf(call.text));
      case 'predicate': {
        const { op, text } = call.use;
        return mapValue(guards, operand(0), (leaf) => {
          if (leaf.kind === 'principal')
            return ofTruth(guards, principalPasses(guards, leaf.side, op, text));
          if (leaf.kind === 'symbol-of') {
            return ofTruth(guards, guards.text(leaf.field, { op, text, ignoresCase: false }));
          }
          return leaf.kind === 'const'
            ? always(constant(0n))
            : always(this.#opaque(`${op} ${leaf.key} ${text}`));
        });
      }
      case 'table': {
        const table = entry.tables[call.table];
        return this.#tables.lookUp(
          lastValues(table?.entries ?? []),
          table?.keyKind ?? 'integer',
          operand(1),
          call.want,
          operand(2),
        );
      }
      case 'viewTable': {
        const table = entry.tables[call.table];
        return this.#tables.lookUp(
          lastValues(table?.entries ?? []),
          'text',
          operand(1),
          call.want,
          operand(2),
        );
      }
      case 'patterns': {
        const table = entry.patterns[call.table];
        if (table === undefined) return NOTHING;
        const matcher = patternMatcher(table);
        const look: LookUp = {
          key: `${table.kind} ${JSON.stringify(table.entries)}`,
          tests: table.entries.map(([pattern]) => ({ op: table.kind, pattern })),
          values: table.entries.map(([, value]) => value | 0),
          find: matcher,
        };
        return this.#tables.byText(operand(1), look, call.want, operand(2));
      }
      case 'keys':
        return this.#tables.keys(call.table, args, call.want);
      case 'rules':
        return this.#rules(call.list, args, call.want);
      case 'cidr':
        return ofTruth(
          guards,
          guards.number(
            addressField(call.side),
            blockIntervals(entry.cidrs[call.set]?.prefixes ?? []),
          ),
        );
      case 'ports':
        return mapValue(guards, operand(1), (leaf) =>
          ofTruth(guards, this.#inPorts(leaf, call.set)),
        );
      case 'view':
        return always(
          call.view === 'target' ? this.#opaque('target') : viewLeaf(viewField(call.view)),
        );
      case 'literal':
        return this.#viewPasses(operand(0), {
          op: call.compare,
          text: call.text,
          ignoresCase: call.ignoresCase,
        });
      case 'pattern': {
        const pattern = patternText(call.steps);
        if (parsePattern(pattern) === null) return always(this.#opaque(`pattern ${pattern}`));
        return this.#viewPasses(operand(0), { op: 'path', pattern });
      }
      case 'byte':
      case 'find':
      case 'hash': {
        const keys = args.map((arg) => arg.map(([leaf]) => leaf.key).join('|'));
        const index = constantOf(operand(1));
        return mapValue(guards, operand(0), (leaf) => {
          // Of a part that is absent: no byte, and the end at once.
          const isAbsent = leaf.kind === 'const' && leaf.value === 0n && call.op !== 'hash';
          if (isAbsent) return always(constant(call.op === 'byte' ? 0xffffffffn : 0n));
          if (leaf.kind === 'view' && call.op === 'hash') {
            return always(numberLeaf(hashField(leaf.field), INPUT));
          }
          if (leaf.kind === 'view' && call.op === 'byte' && index !== null && index <= MAX_INDEX) {
            return always(byteLeaf(leaf.field, Number(index), INPUT));
          }
          return always(this.#opaque(`${call.op} ${leaf.key} ${keys.slice(1).join()}`));
        });
      }
      case 'header':
      case 'fuel':
        return NOTHING;
    }
  }

  #rules(number: number, args: readonly Value[], want: 'get' | 'has'): Value {
    const { guards } = this.#asking;
    const list = this.#subject.entry.rules[number];
    if (list === undefined) return NOTHING;
    const { trust } = this.#subject.manifest;
    return mapValue(guards, args[1] ?? NOTHING, (kind) => {
      const isKind = (wanted: bigint): Guard =>
        compareLeaves(this.#asking, 'eq', 'i32', kind, constant(wanted));
      const found = ruleValues(list, { guards, trust, isKind });
      return this.#tables.answer(found, want, args[2] ?? NOTHING);
    });
  }

  #viewPasses(view: Value, test: TextTest): Value {
    const { guards } = this.#asking;
    return mapValue(guards, view, (leaf) => {
      if (leaf.kind === 'view') return ofTruth(guards, guards.text(leaf.field, test));
      if (leaf.kind === 'const') return always(constant(0n));
      return always(this.#opaque(`${JSON.stringify(test)} ${leaf.key}`));
    });
  }

  #inPorts(leaf: Leaf, set: number): Guard {
    const { guards } = this.#asking;
    const ranges = this.#subject.entry.ports[set]?.ranges ?? [];
    if (leaf.kind === 'number' && leaf.term.op === 'input') {
      return guards.number(
        leaf.field,
        ranges.map(([first, last]) => [BigInt(first), BigInt(last)] as const),
      );
    }
    const within = ranges.map(([first, last]) =>
      guards.and(
        compareLeaves(this.#asking, 'ge_u', 'i32', leaf, constant(BigInt(first))),
        compareLeaves(this.#asking, 'le_u', 'i32', leaf, constant(BigInt(last))),
      ),
    );
    return within.reduce(guards.or, NONE);
  }
}
