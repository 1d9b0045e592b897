/**
 * A term of a run as the policy's author would write it, and the values that it began with. Names come from what
 * each ABI call refers to (`source.namespace`, `request.header("x-a")`), operators from the IR.
 */
import type { AbiCall, PolicyIr, Term } from '../../compiler/index.js';
import { protocolName, type ValueReader } from './read-value.js';

/** A part of the input that a decision looked at. */
export interface Seen {
  readonly name: string;
  readonly value: string;
}

export interface Naming {
  readonly ir: PolicyIr;
  readonly read: ValueReader;
}

const OPERATORS: Readonly<Record<string, string>> = {
  ...{ eq: '==', ne: '!=', lt_u: '<', lt_s: '<', gt_u: '>', gt_s: '>' },
  ...{ le_u: '<=', le_s: '<=', ge_u: '>=', ge_s: '>=' },
  ...{ add: '+', sub: '-', mul: '*', div_u: '/', rem_u: '%', and: '&', or: '|', xor: '^' },
  ...{ shl: '<<', shr_u: '>>>', shr_s: '>>' },
};
const FIELDS = {
  destination_port: 'destination.port',
  protocol: 'protocol',
  family: 'family',
  random: 'the draw',
  now: 'now',
} as const;
/** What an ABI call of a run refers to; null for other terms. */
export function callOf(term: Term, ir: PolicyIr): AbiCall | null {
  if (term.instr.op !== 'abi') return null;
  return ir.resolved.calls.get(term.func.name)?.get(term.instr.id) ?? null;
}

/** The term without changes of width. */
export function bare(term: Term): Term {
  const { op } = term.instr;
  const inner = term.args[0] ?? null;
  const isWidth = op === 'extend_u' || op === 'extend_s' || op === 'wrap' || op === 'launder';
  return isWidth && inner !== null ? bare(inner) : term;
}

/** How many terms deep a name goes; what is deeper is arithmetic that nobody would read. */
const DEPTH = 6;

/** Name of a term. */
export function nameOf(term: Term | null, naming: Naming, depth: number = DEPTH): string {
  if (term === null || depth === 0) return '…';
  const inner = bare(term);
  const call = callOf(inner, naming.ir);
  const arg = (n: number): string => nameOf(inner.args[n] ?? null, naming, depth - 1);
  if (call !== null) return callText(call, arg, naming.ir);
  const { instr, value } = inner;
  const part = partOfView(inner, naming);
  if (part !== null) return part;
  switch (instr.op) {
    case 'const':
      return String(BigInt.asIntN(instr.type === 'i64' ? 64 : 32, value));
    case 'binary':
    case 'compare':
      return `${arg(0)} ${OPERATORS[instr.kind] ?? instr.kind} ${arg(1)}`;
    case 'unary':
      return `${instr.kind}(${arg(0)})`;
    case 'select':
      return `(${arg(0)} ? ${arg(1)} : ${arg(2)})`;
    default:
      return '…';
  }
}

/** The part of a request that a term was cut out of by arithmetic, or its length; null for other terms. */
function partOfView(term: Term, naming: Naming): string | null {
  if (term.instr.op !== 'binary' && term.instr.op !== 'select') return null;
  const view = viewIn(term, naming.ir);
  if (view === null) return null;
  const isLength = term.args[0] === view && term.args[1]?.value === 0xffffn;
  return `${isLength ? 'length' : 'part'} of ${nameOf(view, naming)}`;
}

/** The first part of the request that a term was computed from. */
function viewIn(term: Term, ir: PolicyIr): Term | null {
  const known = views.get(term);
  if (known !== undefined) return known;
  const op = callOf(term, ir)?.op;
  let found: Term | null = op === 'view' || op === 'header' ? term : null;
  if (op === undefined || op === 'find') {
    for (const arg of term.args) found ??= arg === null ? null : viewIn(arg, ir);
  }
  views.set(term, found);
  return found;
}
/** Terms share their operands: each is searched once. */
const views = new WeakMap<Term, Term | null>();

const quoted = (text: string): string => JSON.stringify(text);

function callText(call: AbiCall, arg: (n: number) => string, { entry }: PolicyIr): string {
  switch (call.op) {
    case 'field':
      return FIELDS[call.name];
    case 'address':
      return `${call.side}.address[${call.word}]`;
    case 'attribute':
      return attributeName(call.use);
    case 'symbol':
      return quoted(call.text);
    case 'predicate':
      return `${attributeName(call.use)}.${call.use.op}(${quoted(call.use.text)})`;
    case 'table':
      return `${entry.tables[call.table]?.name}.${call.want}(${arg(1)})`;
    case 'cidr':
      return `${entry.cidrs[call.set]?.name}.contains(${call.side}.address)`;
    case 'ports':
      return `${entry.ports[call.set]?.name}.contains(${arg(1)})`;
    case 'patterns':
      return `${entry.patterns[call.table]?.name}.${call.want}(${arg(1)})`;
    case 'keys': {
      const table = entry.keys[call.table];
      // Each part is two words behind the table and the shape; those of an address are made of its own words.
      const parts = table?.kinds.map((kind, i) => {
        const text = arg(2 + 2 * i + (kind === 'address' ? 0 : 1));
        return kind === 'address' ? (/\w+\.address/.exec(text)?.[0] ?? text) : text;
      });
      return `${table?.name}.${call.want}${table?.kinds.length}(${parts?.join(', ')})`;
    }
    case 'viewTable':
      return `${entry.tables[call.table]?.name}.${call.want}(${arg(1)})`;
    case 'rules': {
      const list = entry.rules[call.list];
      const kind = partsOf(list).some(({ name }) => name === 'kind') ? `, ${arg(1)}` : '';
      return `${list?.name}.${call.want}(connection${kind})`;
    }
    case 'view':
      return `request.${call.view === 'query' ? 'queryString' : call.view}`;
    case 'header':
      return `request.header(${quoted(call.name)})`;
    case 'literal': {
      const way = call.ignoresCase ? `${call.compare}, in any case, ` : call.compare;
      return `${arg(0)}.${way}(${quoted(call.text)})`;
    }
    case 'pattern':
      return `${arg(0)}.matches(${quoted(patternText(call.steps))})`;
    case 'byte':
      return `${arg(0)}.at(${arg(1)})`;
    case 'find':
      return `${arg(0)}.find(${arg(1)})`;
    case 'hash':
      return `hash(${arg(0)})`;
    case 'fuel':
      return 'out of fuel';
  }
}

/** Parts of which the rules of a list say something, each once. */
function partsOf(
  list: PolicyIr['entry']['rules'][number] | undefined,
): readonly { readonly name: string; readonly key: string | null }[] {
  if (list === undefined) return [];
  const known = parts.get(list);
  if (known !== undefined) return known;
  const found = new Map<string, { readonly name: string; readonly key: string | null }>();
  for (const [name = '', ...texts] of list.rules.flatMap(({ when }) => when)) {
    const key = texts.length > 1 ? (texts[0] ?? null) : null;
    found.set(partName(name, key), { name, key });
  }
  parts.set(list, [...found.values()]);
  return [...found.values()];
}
/** Lists are long: each is read once. */
const parts = new WeakMap<
  object,
  readonly { readonly name: string; readonly key: string | null }[]
>();

function partName(name: string, key: string | null): string {
  return key === null ? name : `${name}(${quoted(key)})`;
}

function attributeName(use: Extract<AbiCall, { op: 'attribute' }>['use']): string {
  const { side, attribute, key } = use;
  return attribute === 'label' ? `${side}.label(${quoted(key ?? '')})` : `${side}.${attribute}`;
}

function patternText(steps: Extract<AbiCall, { op: 'pattern' }>['steps']): string {
  const text = { element: '*', rest: '/**', end: '' } as const;
  return steps.map((step) => (step.op === 'literal' ? step.text : text[step.op])).join('');
}

/** As many terms are searched for parts of the input: a count of a loop was made of all its turns. */
const MOST_TERMS = 256;

/** What a term says of the input: each part that it was computed from, once. */
export function seenBy(term: Term, naming: Naming): readonly Seen[] {
  const found = new Map<string, string>();
  const looked = new Set<Term>();
  const open: (Term | null)[] = [term];
  while (open.length > 0 && looked.size < MOST_TERMS) {
    const at = open.pop() ?? null;
    if (at === null || looked.has(at)) continue;
    looked.add(at);
    const call = callOf(at, naming.ir);
    if (call === null || !isPart(call, at, naming, found)) open.push(...[...at.args].reverse());
  }
  return [...found].map(([name, value]) => ({ name, value }));
}

/** Notes the value of a call that reads a part of the input; false where its operands say what was read. */
function isPart(call: AbiCall, term: Term, naming: Naming, found: Map<string, string>): boolean {
  const { read } = naming;
  const name = nameOf(term, naming);
  switch (call.op) {
    case 'symbol':
      return true;
    case 'field':
      found.set(
        name,
        call.name === 'protocol' ? protocolName(Number(term.value)) : String(term.value),
      );
      return true;
    case 'attribute':
      found.set(name, read.symbol(term.value));
      return true;
    case 'predicate': {
      const attribute = term.args[0] ?? null;
      if (attribute !== null) found.set(attributeName(call.use), read.symbol(attribute.value));
      return true;
    }
    case 'rules':
      // A kind was made by the policy: what it was made of is told in its own place.
      for (const { name: part, key } of partsOf(naming.ir.entry.rules[call.list])) {
        if (part !== 'kind') found.set(partName(part, key), read.part(part, key));
      }
      return false;
    case 'address':
    case 'cidr':
      found.set(`${call.side}.address`, read.address(call.side));
      return true;
    case 'view':
    case 'header':
      found.set(name, read.view(term.value));
      return true;
    case 'literal':
    case 'pattern':
    case 'viewTable':
    case 'patterns': {
      const view = term.args[call.op === 'literal' || call.op === 'pattern' ? 0 : 1] ?? null;
      if (view !== null) found.set(nameOf(view, naming), read.view(view.value));
      return true;
    }
    default:
      return false;
  }
}
