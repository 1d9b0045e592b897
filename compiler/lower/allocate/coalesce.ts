/**
 * Gives both ends of a copy one register where that cannot make the graph harder to colour: the
 * tests of Briggs (two virtual registers) and of George and Appel (one of them a machine register).
 */
import { isVirtual, type Reg } from '../asm/index.js';
import { COLOURS, type Graph } from './interference.js';

/** Who each register is merged into. */
export class Groups {
  readonly #into = new Map<Reg, Reg>();
  find(reg: Reg): Reg {
    let at = reg;
    for (let next = this.#into.get(at); next !== undefined; next = this.#into.get(at)) at = next;
    return at;
  }
  merge(from: Reg, into: Reg): void {
    this.#into.set(from, into);
  }
}

/** Coalesces the copies of a graph, most executed first; the graph is changed to that of the groups. */
export function coalesce(graph: Graph): Groups {
  const groups = new Groups();
  const moves = graph.moves.toSorted((a, b) => b.weight - a.weight);
  for (let changed = true; changed; ) {
    changed = false;
    for (const move of moves) {
      const [a, b] = [groups.find(move.dst), groups.find(move.src)];
      if (a === b) continue;
      const [keep, lose] = isVirtual(a) ? [b, a] : [a, b];
      if (!mayMerge(graph, keep, lose)) continue;
      absorb(graph, keep, lose);
      groups.merge(lose, keep);
      changed = true;
    }
  }
  return groups;
}

function around(graph: Graph, reg: Reg): Set<Reg> {
  return graph.neighbours.get(reg) ?? new Set();
}

/** True where a register has so many neighbours that it might not get a colour. */
function isSignificant(graph: Graph, reg: Reg): boolean {
  return !isVirtual(reg) || around(graph, reg).size >= COLOURS;
}

function mayMerge(graph: Graph, keep: Reg, lose: Reg): boolean {
  if (!isVirtual(lose) || around(graph, keep).has(lose)) return false;
  // The frame pointer is no colour.
  if (!isVirtual(keep) && keep >= COLOURS) return false;
  return isVirtual(keep) ? briggs(graph, keep, lose) : george(graph, keep, lose);
}

function briggs(graph: Graph, a: Reg, b: Reg): boolean {
  const [ofA, ofB] = [around(graph, a), around(graph, b)];
  let significant = 0;
  const count = (reg: Reg, shared: boolean): boolean => {
    // A neighbour of both loses one neighbour by the merge.
    const degree = around(graph, reg).size - (shared ? 1 : 0);
    if (!isVirtual(reg) || degree >= COLOURS) significant++;
    return significant < COLOURS;
  };
  for (const reg of ofA) if (!count(reg, ofB.has(reg))) return false;
  for (const reg of ofB) if (!ofA.has(reg) && !count(reg, false)) return false;
  return true;
}

function george(graph: Graph, machine: Reg, virtual: Reg): boolean {
  for (const reg of around(graph, virtual)) {
    if (isVirtual(reg) && isSignificant(graph, reg) && !around(graph, machine).has(reg))
      return false;
  }
  return true;
}

function absorb(graph: Graph, keep: Reg, lose: Reg): void {
  for (const reg of around(graph, lose)) {
    graph.neighbours.get(reg)?.delete(lose);
    graph.neighbours.get(reg)?.add(keep);
    graph.neighbours.get(keep)?.add(reg);
  }
  graph.neighbours.delete(lose);
  const weight = (graph.weights.get(keep) ?? 0) + (graph.weights.get(lose) ?? 0);
  graph.weights.set(keep, weight);
}
