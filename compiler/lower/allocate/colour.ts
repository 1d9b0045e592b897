/**
 * Colours a graph with the machine registers (Chaitin, with Briggs' optimism): registers that surely
 * get a colour are put aside first; of the others the cheapest to store, per neighbour, gives way.
 */
import { isVirtual, R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, type Reg } from '../asm/index.js';
import type { Groups } from './coalesce.js';
import { COLOURS, type Graph } from './interference.js';

/** R6 to R9 last: using one makes the function save it. */
const PREFERENCE: readonly Reg[] = [R1, R2, R3, R4, R5, R0, R6, R7, R8, R9];

export interface Colouring {
  /** Colour of each group. */
  readonly colours: ReadonlyMap<Reg, Reg>;
  /** Groups that got none. */
  readonly spilled: readonly Reg[];
}

/** Colours the groups of a graph; `cost` is Infinity for what must not be spilled. */
export function colour(graph: Graph, groups: Groups, cost: (reg: Reg) => number): Colouring {
  const stack = simplify(graph, cost);
  const hints = partners(graph, groups);
  const colours = new Map<Reg, Reg>();
  const spilled: Reg[] = [];
  for (const reg of stack.reverse()) {
    const taken = new Set<Reg>();
    for (const other of graph.neighbours.get(reg) ?? []) {
      const c = isVirtual(other) ? colours.get(other) : other;
      if (c !== undefined) taken.add(c);
    }
    const wished = (hints.get(reg) ?? []).map((p) => (isVirtual(p) ? colours.get(p) : p));
    const choice = [...wished, ...PREFERENCE].find((c) => c !== undefined && !taken.has(c));
    if (choice === undefined) spilled.push(reg);
    else colours.set(reg, choice);
  }
  return { colours, spilled };
}

/** Order of removal; the last removed is coloured first. */
function simplify(graph: Graph, cost: (reg: Reg) => number): Reg[] {
  const degrees = new Map<Reg, number>();
  for (const [reg, around] of graph.neighbours) if (isVirtual(reg)) degrees.set(reg, around.size);
  const easy = [...degrees].filter(([, degree]) => degree < COLOURS).map(([reg]) => reg);
  const stack: Reg[] = [];
  const remove = (reg: Reg): void => {
    degrees.delete(reg);
    stack.push(reg);
    for (const other of graph.neighbours.get(reg) ?? []) {
      const degree = degrees.get(other);
      if (degree === undefined) continue;
      degrees.set(other, degree - 1);
      if (degree === COLOURS) easy.push(other);
    }
  };
  while (degrees.size > 0) {
    const next = easy.pop() ?? cheapest(degrees, cost);
    if (degrees.has(next)) remove(next);
  }
  return stack;
}

function cheapest(degrees: ReadonlyMap<Reg, number>, cost: (reg: Reg) => number): Reg {
  let best: Reg | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const [reg, degree] of degrees) {
    const price = cost(reg) / (degree + 1);
    if (best === null || price < least) [best, least] = [reg, price];
  }
  return best ?? R0;
}

/** Registers that a group is copied to or from and yet was not merged with. */
function partners(graph: Graph, groups: Groups): ReadonlyMap<Reg, Reg[]> {
  const found = new Map<Reg, Reg[]>();
  const note = (a: Reg, b: Reg): void => {
    const list = found.get(a);
    if (list === undefined) found.set(a, [b]);
    else list.push(b);
  };
  for (const move of graph.moves) {
    const [a, b] = [groups.find(move.dst), groups.find(move.src)];
    if (a === b) continue;
    note(a, b);
    note(b, a);
  }
  return found;
}
