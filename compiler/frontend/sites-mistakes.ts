/** What pass sites sees on its way that asc compiles, but which cannot be meant. */
import { type Diagnostic, diagnostic } from '../diagnostic/index.js';
import { type AscFile, type Ast, isNode, nodesOf, text } from './asc-tree.js';
import { FOREIGN } from './foreign-calls.js';
import type { ForeignCall } from './types.js';

/** asc's flag of a declaration with `export`. */
const EXPORT_FLAG = 2;
const MAX_SUM = 0xffff_ffff;
/** Functions that divide by weight, with the place of their first weight. */
export const DIVIDING: ReadonlyMap<string, number> = new Map([
  ['split', 1],
  ['splitBy', 2],
]);

/** A policy function as a variable: asc exports the variable, which nobody calls. */
export function variableForFunction(
  source: AscFile,
  statement: Ast,
  signatures: ReadonlyMap<string, string>,
): Diagnostic | null {
  if (statement.kind !== source.kind('Variable')) return null;
  for (const declared of nodesOf(statement['declarations'])) {
    const name = text(declared['name']);
    const signature = signatures.get(name);
    const isExported = (Number(declared['flags']) & EXPORT_FLAG) !== 0;
    if (signature === undefined || !isExported) continue;
    return diagnostic('P101', `\`${name}\` is exported as a variable, not as a function`, {
      at: source.position(declared.range),
      help: `write \`export function ${signature} { return …; }\``,
    });
  }
  return null;
}

/** A call of what a policy has not, as foreign-calls.ts lists it. */
export function foreignCall(source: AscFile, node: Ast): ForeignCall | null {
  const callee = node.kind === source.kind('Call') ? node['expression'] : null;
  if (!isNode(callee) || callee.kind !== source.kind('PropertyAccess')) return null;
  const object = text(callee['expression']);
  if (!FOREIGN.has(object)) return null;
  return { name: `${object}.${text(callee['property'])}`, at: source.position(node.range) };
}

/** The number that an expression writes out; null for another expression. */
function written(source: AscFile, node: Ast): number | null {
  const digits = source.textOf(node.range).replaceAll('_', '');
  return /^(?:\d+|0x[\da-f]+)$/i.test(digits) ? Number(digits) : null;
}

/** A split whose written weights stop every decision. */
export function impossibleSplit(source: AscFile, node: Ast): Diagnostic | null {
  const callee = node.kind === source.kind('Call') ? node['expression'] : null;
  const name = isNode(callee) ? (source.weftName(callee) ?? '') : '';
  const first = DIVIDING.get(name);
  if (first === undefined) return null;
  const weights = nodesOf(node['args'])
    .filter((_, i) => i >= first && (i - first) % 2 === 0)
    .map((weight) => written(source, weight));
  const sum = weights.reduce((a, b) => (a === null || b === null ? null : a + b), 0);
  if (weights.length < 2 || sum === null || (sum > 0 && sum <= MAX_SUM)) return null;
  const [what, help] =
    sum === 0
      ? ['are all 0', 'give a route a weight above 0, as `split(stable, 90, canary, 10)`']
      : [`sum up to ${sum}`, `weights sum up to ${MAX_SUM} at most: shares need no large numbers`];
  return diagnostic('P132', `the weights of this \`${name}\` ${what}`, {
    at: source.position(node.range),
    help,
  });
}
