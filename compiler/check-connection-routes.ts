/**
 * Finds routes about requests that `routeConnection` answers with: a connection has no request to
 * answer or change. It follows constants to the function's returns; a route that it cannot follow (a
 * table's value) leads to no cluster when it is taken, and the connection is denied.
 */
import { ROUTE_BITS, ROUTE_MASK, routeText } from './abi/index.js';
import { BUNDLE_CODES } from './bundle/index.js';
import type { CompiledPolicy } from './compile-policy.js';
import { type Diagnostic, diagnostic } from './diagnostic/index.js';
import { definitions, type Func, type Module, type ValueId } from './ir/index.js';
import { policyFunction } from './lower/dispatcher.js';
import { incomingValues } from './passes/expand-abi-incoming.js';

/** Findings about one policy, each route once, at the line that answers with it. */
export function checkConnectionRoutes({ index, frontend, module }: CompiledPolicy): Diagnostic[] {
  const found = new Map<number, Diagnostic>();
  for (const word of returnedConstants(module, policyFunction(index, 'route'))) {
    const number = word & ROUTE_MASK;
    const route = frontend.registry.routes[number - 1];
    if (route === undefined || found.has(number)) continue;
    if (route.target.kind === 'cluster' && route.target.edits.length === 0) continue;
    const site = frontend.sites.find((s) => s.site === word >>> ROUTE_BITS);
    const message = `\`routeConnection\` answers with \`${routeText(route.target)}\``;
    const help = BUNDLE_CODES['B208']?.help ?? null;
    found.set(number, diagnostic('B208', message, { at: site ?? route.at, help }));
  }
  return [...found.values()];
}

/** A route has one site: the first that it was given stays. */
function routeWord(word: number, site: number): number {
  return (word > ROUTE_MASK ? word : word | site) >>> 0;
}

/** Constants that reach a return of the named function without being computed with. */
function returnedConstants(module: Module, name: string): readonly number[] {
  const words: number[] = [];
  const open = new Set<string>();
  const visit = (callee: string): void => {
    const func = module.functions.find((f) => f.name === callee);
    if (func === undefined || open.has(callee)) return;
    open.add(callee);
    follow(func, (word) => words.push(word), visit);
  };
  visit(name);
  return words;
}

function follow(func: Func, take: (word: number) => void, call: (name: string) => void): void {
  const defs = definitions(func);
  const incoming = incomingValues(func);
  const seen = new Set<ValueId>();
  /** What a value adds above a route; null where it may add to the route itself. */
  const above = (value: ValueId): number | null => {
    const def = defs.get(value);
    if (def?.op === 'const') {
      const word = Number(BigInt.asUintN(32, def.value));
      return (word & ROUTE_MASK) === 0 ? word : null;
    }
    if (def?.op !== 'binary' || def.kind !== 'shl') return null;
    const shift = defs.get(def.args[1]);
    return shift?.op === 'const' && shift.value >= BigInt(ROUTE_BITS) ? 0 : null;
  };
  /** `site` is what was ORed above a route on its way. */
  const trace = (value: ValueId, site: number): void => {
    if (seen.has(value)) return;
    seen.add(value);
    for (const from of incoming.get(value) ?? []) trace(from, site);
    const def = defs.get(value);
    switch (def?.op) {
      case 'const':
        take(routeWord(Number(BigInt.asUintN(32, def.value)), site));
        break;
      case 'select':
        trace(def.args[1], site);
        trace(def.args[2], site);
        break;
      case 'wrap':
      case 'extend_u':
      case 'launder':
        trace(def.args[0], site);
        break;
      case 'binary': {
        // `route | site << 16`, and how subprograms carry fuel above their result.
        const [a, b] = def.args;
        const [left, right] = [above(a), above(b)];
        if (def.kind !== 'or' && def.kind !== 'add') break;
        if (right !== null) trace(a, site | right);
        else if (left !== null) trace(b, site | left);
        break;
      }
      case 'call':
        call(def.callee);
        break;
      default:
        break;
    }
  };
  for (const { term } of func.blocks) {
    if (term.op === 'return' && term.value !== null) trace(term.value, 0);
  }
}
