/**
 * What a run tells of itself: the predicates that it evaluated and the look-ups that it made, in order, each with
 * the values that it saw. Of all values that a run computes these are the ones that a policy's author wrote.
 */
import { ABI_IMPORTS, type ImportName } from '../../compiler/abi/index.js';
import type { AbiCall, PolicyIr, Term } from '../../compiler/index.js';
import { type LookUp, lookUpOf } from './entry-hit.js';
import { bare, callOf, type Naming, nameOf, type Seen, seenBy } from './name-term.js';
import { protocolName } from './read-value.js';

export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface Step {
  /** Which of the policy's operations it was. */
  readonly operation: string;
  /** Stays the same from run to run: the operation and how often it ran before. */
  readonly key: string;
  readonly at: Place | null;
  /** As the policy would write it. */
  readonly text: string;
  /** What it came to: yes or no of a predicate, null for a look-up of a value. */
  readonly holds: boolean | null;
  /** A look-up's value. */
  readonly value: number | null;
  readonly seen: readonly Seen[];
  readonly lookUp: LookUp | null;
}

const YES_OR_NO: ReadonlySet<AbiCall['op']> = new Set<AbiCall['op']>([
  'predicate',
  'cidr',
  'ports',
  'literal',
  'pattern',
]);

/** True where a call answers yes or no. */
function isQuestion(call: AbiCall): boolean {
  return YES_OR_NO.has(call.op) || ('want' in call && call.want === 'has');
}

/** What a term was made of. Terms share their operands, so each is looked at once. */
interface Origin {
  /** It depends on the connection or the request. */
  readonly isOfInput: boolean;
  /** A text was searched byte by byte: how the SDK finds a cookie, not what was written. */
  readonly isSearch: boolean;
}
const origins = new WeakMap<Term, Origin>();
const NOWHERE: Origin = { isOfInput: false, isSearch: false };

function originOf(term: Term | null, naming: Naming): Origin {
  if (term === null) return NOWHERE;
  const known = origins.get(term);
  if (known !== undefined) return known;
  const op = callOf(term, naming.ir)?.op;
  const args = term.args.map((arg) => originOf(arg, naming));
  const origin = {
    isOfInput: (op !== undefined && op !== 'symbol') || args.some((arg) => arg.isOfInput),
    isSearch: op === 'find' || op === 'byte' || args.some((arg) => arg.isSearch),
  };
  origins.set(term, origin);
  return origin;
}

/** Longest chain of ands and ors that is followed. */
const JOINS = 16;

/** True where a term is a yes or no made of others by and, or, not. */
function isLogical(term: Term | null, naming: Naming, depth: number = JOINS): boolean {
  if (term === null || depth === 0) return false;
  const inner = bare(term);
  const call = callOf(inner, naming.ir);
  if (call !== null) return isQuestion(call);
  const { instr, value } = inner;
  if (instr.op === 'const') return value <= 1n;
  if (instr.op === 'compare') return true;
  const isJoin = instr.op === 'binary' && ['and', 'or', 'xor'].includes(instr.kind);
  if (isJoin) return inner.args.every((arg) => isLogical(arg, naming, depth - 1));
  return (
    instr.op === 'select' && inner.args.slice(1).every((arg) => isLogical(arg, naming, depth - 1))
  );
}

/** True where a comparison was written, not made of what was. */
function isWritten(term: Term, naming: Naming): boolean {
  const [a = null, b = null] = term.args;
  const origin = originOf(term, naming);
  if (!origin.isOfInput || origin.isSearch) return false;
  return !(isLogical(a, naming) && isLogical(b, naming));
}

/** Name of an operation of a policy. */
export function operationOf({ func, instr }: Pick<Term, 'func' | 'instr'>, ir: PolicyIr): string {
  return `${ir.entry.name} ${func.name} ${instr.id}`;
}

/**
 * A step where a term is one; `time` says how often its operation ran before. To be asked of each term of a run, in order: what a
 * term was made of is known from its operands.
 */
export function stepOf(term: Term, time: number, naming: Naming): Step | null {
  const { ir, read } = naming;
  originOf(term, naming);
  const call = callOf(term, ir);
  if (call === null && !(term.instr.op === 'compare' && isWritten(term, naming))) return null;
  const loc = term.instr.loc;
  const at = loc === null ? null : (ir.module.positions[loc] ?? null);
  const place = at === null ? null : { file: at.file, line: at.line, column: at.column };
  const seen = seenBy(term, naming);
  const operation = operationOf(term, ir);
  const base = { operation, key: `${operation} ${time}`, at: place, seen };
  if (call !== null) {
    const lookUp = lookUpOf(call, term, ir.entry, read);
    const text = nameOf(term, naming);
    if (isQuestion(call)) {
      return { ...base, text, holds: term.value !== 0n, value: null, lookUp };
    }
    if (lookUp === null) return null;
    return { ...base, text, holds: null, value: Number(BigInt.asIntN(32, term.value)), lookUp };
  }
  const { text, isNegated } = comparison(term, naming);
  return { ...base, text, holds: (term.value !== 0n) !== isNegated, value: null, lookUp: null };
}

/** A comparison in the words of the SDK; negated where it asks for the contrary. */
function comparison(term: Term, naming: Naming): { text: string; isNegated: boolean } {
  const { instr } = term;
  const [a = null, b = null] = term.args;
  const kind = instr.op === 'compare' ? instr.kind : 'eq';
  const text = nameOf(term, naming);
  if (a === null || b === null || (kind !== 'eq' && kind !== 'ne')) {
    return { text: rangeText(term, naming) ?? text, isNegated: false };
  }
  const isNegated = kind === 'ne';
  const [left, right] = isConstant(a, naming) ? [b, a] : [a, b];
  const leftText = nameOf(left, naming);
  const call = callOf(bare(right), naming.ir);
  if (call?.op === 'symbol') return { text: `${leftText}.is(${nameOf(right, naming)})`, isNegated };
  const of = callOf(bare(left), naming.ir)?.op;
  const isPart = of === 'attribute' || of === 'view' || of === 'header';
  if (isPart && right.value === 0n && right.instr.op === 'const') {
    return { text: `${leftText}.exists`, isNegated: !isNegated };
  }
  const field = callOf(bare(left), naming.ir);
  const isProtocol = field?.op === 'field' && field.name === 'protocol';
  const rightText = isProtocol ? protocolName(Number(right.value)) : nameOf(right, naming);
  return { text: `${leftText} == ${rightText}`, isNegated };
}

function isConstant(term: Term, naming: Naming): boolean {
  return !originOf(term, naming).isOfInput;
}

/** `x - a <= b` of unsigned numbers is a range. */
function rangeText(term: Term, naming: Naming): string | null {
  const { instr } = term;
  const [a = null, b = null] = term.args;
  if (instr.op !== 'compare' || a === null || b?.instr.op !== 'const') return null;
  if (instr.kind !== 'le_u' && instr.kind !== 'lt_u') return null;
  const sum = bare(a);
  const [part = null, offset = null] = sum.args;
  const isSum = sum.instr.op === 'binary' && (sum.instr.kind === 'add' || sum.instr.kind === 'sub');
  if (!isSum || part === null || offset?.instr.op !== 'const') return null;
  const isAdd = sum.instr.op === 'binary' && sum.instr.kind === 'add';
  const signed = BigInt.asIntN(32, offset.value);
  const from = isAdd ? -signed : signed;
  const to = from + b.value - (instr.kind === 'lt_u' ? 1n : 0n);
  return `${nameOf(part, naming)} from ${from} to ${to}`;
}

/** Names of ABI imports that may be called by a run. */
export function isImportName(name: string): name is ImportName {
  return Object.hasOwn(ABI_IMPORTS, name);
}
