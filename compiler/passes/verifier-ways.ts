/**
 * How many ways of a verifier come to each place of a function, at most about. It walks on anew for each
 * different knowledge of the values that decide something from there on (kernel/bpf/verifier.c,
 * states_equal): a value that is one of two constants, or that was compared on one way and not on the other,
 * doubles the ways for as long as it lives. Ways meet again where nothing that they know differently is
 * needed any more.
 */
import {
  type Block,
  type BlockId,
  definitions,
  type Func,
  type Instr,
  type Loop,
  loops,
  operandsOf,
  reversePostorder,
  type Target,
  targetsOf,
  type ValueId,
} from '../ir/index.js';
import { type Deciding, decidingValues } from './deciding-values.js';

/** What ways know of a value: so many different things. Values with one such object are known alike. */
interface Known {
  readonly count: number;
  readonly source: Source;
}
/** Where knowledge came apart; all that did there is at most so many things together. */
interface Source {
  readonly most: number;
}
/** What comes along an edge. */
interface Arrival {
  readonly ways: number;
  readonly target: Target;
  readonly known: ReadonlyMap<ValueId, Known>;
}

/** What is forgotten before an instruction of a block, so that ways meet there. */
export interface Meeting {
  readonly block: BlockId;
  readonly before: number;
  readonly values: readonly ValueId[];
}
export interface WaysOptions {
  /** Ways that may come to a place before values are forgotten. */
  readonly most: number;
  /** How often a loop is walked, by its header. */
  readonly turns: ReadonlyMap<BlockId, number>;
}
export interface Ways {
  /** Instructions that are walked. */
  readonly walked: number;
  /** In order. */
  readonly meetings: readonly Meeting[];
}

const ALONE: Source = { most: Number.POSITIVE_INFINITY };
const ONE: Known = { count: 1, source: ALONE };
/** Where ways meet they become this part of what they may be, or fewer, so that it does not happen at each place. */
const MET = 1 / 16;

/** A function that counts for any limit; the flow graph is looked at once. */
export function verifierWays(func: Func): (options: WaysOptions) => Ways {
  const graph = new WaysGraph(func);
  return (options) => new WaysCounter(graph, options).run();
}

/** What does not depend on the limit. */
class WaysGraph {
  readonly order: readonly Block[];
  readonly defs: ReadonlyMap<ValueId, Instr>;
  readonly deciding: Deciding;
  /** Values by which the verifier sees that a loop ends. */
  readonly counters: ReadonlySet<ValueId>;
  readonly headers: ReadonlySet<BlockId>;
  readonly loops: readonly Loop[];

  constructor(func: Func) {
    this.order = reversePostorder(func);
    this.defs = definitions(func);
    this.deciding = decidingValues(func);
    this.loops = loops(func);
    this.headers = new Set(this.loops.map(({ header }) => header));
    this.counters = this.#counters();
  }

  /** Loop-carried values that are not laundered, and what they are made of. */
  #counters(): ReadonlySet<ValueId> {
    const found = new Set<ValueId>();
    const passed = new Map<ValueId, ValueId[]>();
    const params = new Map(this.order.map((block) => [block.id, block.params]));
    for (const { term } of this.order) {
      for (const { block, args } of targetsOf(term)) {
        params.get(block)?.forEach((param, i) => {
          const arg = args[i];
          if (arg === undefined) return;
          const known = passed.get(param.id);
          if (known === undefined) passed.set(param.id, [arg]);
          else known.push(arg);
        });
      }
    }
    for (const id of this.headers) {
      const deciding = this.deciding.start.get(id);
      for (const param of params.get(id) ?? []) if (deciding?.has(param.id)) found.add(param.id);
    }
    for (const value of found) {
      const def = this.defs.get(value);
      const from = def?.op === 'binary' ? operandsOf(def) : (passed.get(value) ?? []);
      for (const arg of from) found.add(arg);
    }
    return found;
  }

  /** What a branch on a value tells of: the operands that it compares, under other widths too. */
  tested(condition: ValueId): readonly ValueId[] {
    const found = new Set<ValueId>([condition]);
    for (const value of found) {
      const def = this.defs.get(value);
      if (def?.op === 'const') found.delete(value);
      else if (def !== undefined && isSeenThrough(def))
        for (const arg of operandsOf(def)) found.add(arg);
    }
    return [...found];
  }
}

class WaysCounter {
  readonly #graph: WaysGraph;
  readonly #options: WaysOptions;
  readonly #arrivals = new Map<BlockId, Arrival[]>();
  readonly #constants = new Map<bigint, Known>();
  readonly #meetings: Meeting[] = [];

  constructor(graph: WaysGraph, options: WaysOptions) {
    this.#graph = graph;
    this.#options = options;
  }

  run(): Ways {
    const turnsOf = this.#turns();
    let walked = 0;
    for (const block of this.#graph.order) {
      walked += this.#block(block) * (turnsOf.get(block.id) ?? 1);
    }
    return { walked, meetings: this.#meetings };
  }

  /** How often blocks of loops are walked for one way that comes to the outermost. */
  #turns(): ReadonlyMap<BlockId, number> {
    const found = new Map<BlockId, number>();
    for (const { header, blocks } of this.#graph.loops) {
      const turns = this.#options.turns.get(header) ?? 1;
      for (const id of blocks) found.set(id, (found.get(id) ?? 1) * turns);
    }
    return found;
  }

  /** What it takes to walk a block once on each way; sends on what leaves it. */
  #block(block: Block): number {
    const { deciding } = this.#graph;
    const [sum, here] = this.#arrive(block);
    let ways = this.#meet(here, sum, { block, before: 0 }, deciding.start.get(block.id));
    let cost = Math.min(sum, together(here.values()));
    const behind = block.instrs.some((instr) => this.#isFork(instr)) ? deciding.behind(block) : [];
    for (const [i, instr] of block.instrs.entries()) {
      cost += ways * (LOWERED[instr.op] ?? 1);
      if (!this.#isFork(instr)) this.#learn(instr, here);
      else {
        this.#fork(instr, here, ways * 2);
        ways = this.#meet(here, ways * 2, { block, before: i + 1 }, behind[i]);
      }
    }
    const moved = Math.max(0, ...targetsOf(block.term).map(({ args }) => args.length));
    this.#leave(block, here, ways);
    return cost + ways * (2 + moved);
  }

  /** The ways that come to a block, and what they know of what decides something in it or behind it. */
  #arrive(block: Block): [ways: number, known: Map<ValueId, Known>] {
    const { deciding, headers } = this.#graph;
    const arrivals = this.#arrivals.get(block.id) ?? [];
    const sum = arrivals.reduce((n, { ways }) => n + ways, 0) || 1;
    const source: Source = { most: sum };
    const here = new Map<ValueId, Known>();
    for (const value of deciding.start.get(block.id) ?? []) {
      const at = block.params.findIndex(({ id }) => id === value);
      const passed = arrivals.map(({ target, known }): readonly [ValueId, Known] => {
        const arg = at < 0 ? value : (target.args[at] ?? value);
        return [arg, this.#known(arg, known)];
      });
      if (at >= 0 && headers.has(block.id)) here.set(value, { ...ONE });
      else here.set(value, either(passed, source));
    }
    return [sum, here];
  }

  /** How many ways go on from a place; forgets what they know differently where they are too many. */
  #meet(
    here: Map<ValueId, Known>,
    come: number,
    { block, before }: { readonly block: Block; readonly before: number },
    deciding: ReadonlySet<ValueId> = new Set(),
  ): number {
    const { most } = this.#options;
    const { counters } = this.#graph;
    const count = (): number => together([...deciding].map((value) => here.get(value) ?? ONE));
    const ways = Math.min(come, count());
    if (ways <= most) return ways;
    const apart = [...deciding]
      .filter((value) => (here.get(value)?.count ?? 1) > 1 && !counters.has(value))
      .sort((a, b) => (here.get(b)?.count ?? 1) - (here.get(a)?.count ?? 1));
    const values: ValueId[] = [];
    for (const value of apart) {
      if (count() <= Math.max(1, most * MET)) break;
      here.set(value, { ...ONE });
      values.push(value);
    }
    if (values.length > 0) this.#meetings.push({ block: block.id, before, values });
    return Math.min(ways, count());
  }

  #known(value: ValueId, known: ReadonlyMap<ValueId, Known>): Known {
    const def = this.#graph.defs.get(value);
    if (def?.op === 'const') return this.#constant(def.value);
    return known.get(value) ?? ONE;
  }

  #constant(value: bigint): Known {
    const known = this.#constants.get(value) ?? { ...ONE };
    this.#constants.set(value, known);
    return known;
  }

  /** True where an instruction becomes a branch whose two ways go on behind it. */
  #isFork(instr: Instr): boolean {
    return instr.op === 'select' || this.#graph.deciding.made.has(instr.id);
  }

  /** What is known behind an instruction that is a branch. */
  #fork(instr: Instr, here: Map<ValueId, Known>, ways: number): void {
    const source = { most: ways };
    const [condition, ...arms] = instr.op === 'select' ? instr.args : [instr.id];
    const result = either(
      arms.map((arm): readonly [ValueId, Known] => [arm, this.#known(arm, here)]),
      source,
    );
    for (const value of this.#graph.tested(condition)) {
      const old = here.get(value);
      if (old !== undefined) here.set(value, { count: old.count * 2, source });
    }
    here.set(instr.id, arms.length === 0 ? { count: 2, source } : result);
  }

  /** What is known of a result. */
  #learn(instr: Instr, here: Map<ValueId, Known>): void {
    const args = FOLLOWED.has(instr.op) ? operandsOf(instr) : [];
    const apart = args.map((arg) => this.#known(arg, here)).filter(({ count }) => count > 1);
    const [only, ...others] = new Set(apart);
    if (only === undefined) here.set(instr.id, { ...ONE });
    else here.set(instr.id, others.length === 0 ? only : { count: together(apart), source: ALONE });
  }

  #leave({ term }: Block, here: ReadonlyMap<ValueId, Known>, ways: number): void {
    for (const target of targetsOf(term)) {
      const known = new Map(here);
      if (term.op === 'br_if' && term.then.block !== term.else.block) {
        const equal = this.#equal(term.condition, target === term.then);
        const source = { most: ways };
        for (const value of this.#graph.tested(term.condition)) {
          const said = equal?.value === value ? this.#constant(equal.constant) : null;
          known.set(value, said ?? { count: (here.get(value) ?? ONE).count, source });
        }
      }
      const arrivals = this.#arrivals.get(target.block);
      if (arrivals === undefined) this.#arrivals.set(target.block, [{ ways, target, known }]);
      else arrivals.push({ ways, target, known });
    }
  }

  /** The value that is a constant where a condition holds, or does not. */
  #equal(condition: ValueId, holds: boolean): { value: ValueId; constant: bigint } | null {
    const { defs } = this.#graph;
    const def = defs.get(condition);
    if (def?.op !== 'compare' || def.kind !== (holds ? 'eq' : 'ne')) return null;
    const [value, other] = def.args;
    const constant = defs.get(other);
    return constant?.op === 'const' ? { value, constant: constant.value } : null;
  }
}

/** Instructions whose truth is that of their operands, or that are another width of one. */
function isSeenThrough(instr: Instr): boolean {
  if (instr.op === 'binary') return instr.kind === 'and' || instr.kind === 'or';
  return instr.op === 'compare' || instr.op === 'extend_u' || instr.op === 'wrap';
}

/** Instructions whose result the verifier computes from what it knows of the operands. */
const FOLLOWED: ReadonlySet<Instr['op']> = new Set<Instr['op']>([
  'binary',
  'unary',
  'compare',
  'extend_u',
  'extend_s',
  'wrap',
]);

/** About the instructions of BPF that these become; others become one. */
const LOWERED: Readonly<Partial<Record<Instr['op'], number>>> = {
  const: 0,
  select: 4,
  'load.head': 5,
  'load.image': 5,
  launder: 2,
  frame: 6,
  call: 4,
};

/** What is known of a value that is one of some others; `source` is where they meet. */
function either(values: readonly (readonly [ValueId, Known])[], source: Source): Known {
  const [first, ...others] = values;
  if (first === undefined) return ONE;
  const isSame = ([value, known]: readonly [ValueId, Known]): boolean =>
    known === first[1] && (value === first[0] || known.count === 1);
  if (others.every(isSame)) return first[1];
  const distinct = new Map(
    values.map(([value, known]) => [known.count === 1 ? known : value, known]),
  );
  const count = [...distinct.values()].reduce((n, known) => n + known.count, 0);
  return { count, source };
}

/** How many different things are known together. */
function together(all: Iterable<Known>): number {
  const bySource = new Map<Source, number>();
  let count = 1;
  for (const known of new Set(all)) {
    if (known.source === ALONE) count *= known.count;
    else bySource.set(known.source, (bySource.get(known.source) ?? 1) * known.count);
  }
  for (const [{ most }, known] of bySource) count *= Math.min(most, known);
  return count;
}
