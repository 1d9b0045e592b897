/** The interference graph: which registers hold different values at one time, and which are copied. */
import { copyOf, defsOf, FIRST_VIRTUAL, type Label, type Reg, usesOf } from '../asm/index.js';
import { exitLabels, exitUses, type LirFunc, reversePostorder } from '../lir.js';
import { type Effects, liveOut } from './liveness.js';

export interface Move {
  readonly dst: Reg;
  readonly src: Reg;
  readonly weight: number;
}
export interface Graph {
  readonly neighbours: Map<Reg, Set<Reg>>;
  readonly moves: Move[];
  /** Uses and definitions, each weighted by how deep in loops it stands. */
  readonly weights: Map<Reg, number>;
}

/** R0 to R9. */
export const COLOURS = 10;

const EFFECTS: Effects<Reg> = {
  uses: (step) => usesOf(step.insn),
  defs: (step) => defsOf(step.insn),
  exitUses: (block) => exitUses(block.exit),
};

/** Builds the graph of a function. */
export function buildGraph(func: LirFunc): Graph {
  const graph: Graph = { neighbours: new Map(), moves: [], weights: new Map() };
  const outs = liveOut(func.blocks, EFFECTS);
  const depths = loopDepths(func);
  for (let r = 0; r < COLOURS; r++) {
    graph.neighbours.set(r as Reg, new Set());
    for (let other = 0; other < r; other++) connect(graph, r as Reg, other as Reg);
  }
  for (const [label, out] of outs) {
    const block = func.blocks[label];
    if (block === undefined) continue;
    const weight = 10 ** Math.min(depths.get(label) ?? 0, 6);
    const live = new Set(out);
    const use = (reg: Reg): void => {
      live.add(reg);
      touch(graph, reg, weight);
    };
    exitUses(block.exit).forEach(use);
    for (const { insn } of block.steps.toReversed()) {
      const copy = copyOf(insn);
      if (copy !== null) {
        // A copy holds the same value: the two may share a register.
        live.delete(copy.src);
        graph.moves.push({ ...copy, weight });
      }
      const defs = defsOf(insn);
      for (const def of defs) {
        touch(graph, def, weight);
        for (const other of live) connect(graph, def, other);
        for (const other of defs) connect(graph, def, other);
      }
      for (const def of defs) live.delete(def);
      usesOf(insn).forEach(use);
    }
  }
  return graph;
}

function touch(graph: Graph, reg: Reg, weight: number): void {
  graph.weights.set(reg, (graph.weights.get(reg) ?? 0) + weight);
  if (!graph.neighbours.has(reg)) graph.neighbours.set(reg, new Set());
}

/** Registers that no colour may be given to (the frame pointer) take no part. */
function takesPart(reg: Reg): boolean {
  return reg < COLOURS || reg >= FIRST_VIRTUAL;
}

function connect(graph: Graph, a: Reg, b: Reg): void {
  if (a === b || !takesPart(a) || !takesPart(b)) return;
  const [ofA, ofB] = [graph.neighbours.get(a), graph.neighbours.get(b)];
  if (ofA === undefined) graph.neighbours.set(a, new Set([b]));
  else ofA.add(b);
  if (ofB === undefined) graph.neighbours.set(b, new Set([a]));
  else ofB.add(a);
}

/** How many loops a block is in, taking every backward edge to enclose what lies between its ends. */
function loopDepths(func: LirFunc): ReadonlyMap<Label, number> {
  const order = reversePostorder(func.blocks);
  const place = new Map(order.map((label, i) => [label, i]));
  const depths = new Map<Label, number>();
  for (const [i, label] of order.entries()) {
    const block = func.blocks[label];
    for (const to of block === undefined ? [] : exitLabels(block.exit)) {
      const header = place.get(to) ?? i + 1;
      for (const inner of order.slice(header, i + 1))
        depths.set(inner, (depths.get(inner) ?? 0) + 1);
    }
  }
  return depths;
}
