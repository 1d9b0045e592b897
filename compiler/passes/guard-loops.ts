/**
 * Pass:    guard-loops
 * Reads:   loops, and what bounds their turns
 * Writes:  `may_goto` at each loop header; a `launder` of each loop-carried value behind it; without
 *          may_goto a count of turns where no counter of the loop itself shows the end
 * Refuses: nothing
 * Keeps:   values (a launder adds a zero that only the verifier does not know); traps (the count never
 *          ends before the loop's own test or the fuel does)
 *
 * A cursor that leaves a loop with k different constants makes the verifier walk what follows k times.
 * Laundered, its states are equal and merge. So all values of a loop are laundered but a counter with a
 * constant bound, which the verifier proves itself. Without may_goto something must let it see that any
 * other loop ends: not the fuel, which arrives with a constant for each way that led there, but a
 * count that begins at the same constant on all of them.
 */
import {
  type Block,
  type BlockId,
  blockMap,
  definitions,
  type Func,
  type Instr,
  type Loc,
  type Loop,
  loops,
  mapOperands,
  mapTerm,
  newValue,
  type Param,
  targetsOf,
  type ValueId,
} from '../ir/index.js';
import { callTurns } from './call-turns.js';
import { countDown } from './count-down.js';
import { madeCompares } from './deciding-values.js';
import { tripBounds } from './trip-bound.js';

/** What a nest of loops costs a verifier that must walk every turn. */
export interface Walk {
  readonly loc: Loc;
  readonly rounds: number;
  /** Instructions of the IR, over all rounds. */
  readonly instructions: number;
  /** Ways that the verifier has to keep for later, over all rounds: both lead on in the loop. */
  readonly forks: number;
}

/** Loops that become calls: those that are too much to walk, or all, as tests want them. */
export type Calls = 'none' | 'heavy' | 'all';

export interface GuardOptions {
  /** For kernels that have may_goto: only short loops are left for the verifier to walk. */
  readonly mayGoto: boolean;
  /** The fuel that a decision begins with: no loops turn more often. */
  readonly fuel: number;
  /** For kernels without may_goto: takes the function of a turn of loops that are too much to walk. */
  readonly onTurn?: ((turn: Func) => void) | undefined;
  /** Which loops that is for; those that are heavy unless told. */
  readonly calls?: Calls | undefined;
  /** Is told of each nest of loops, without may_goto. */
  readonly onWalk?: (walk: Walk) => void;
  /** Is told how often a verifier walks each loop, as often as it comes to it, by its header. */
  readonly onTurns?: ((header: BlockId, turns: number) => void) | undefined;
}
/** With may_goto a longer loop is not walked. */
const SHORT = 64;
/** Turns of a loop until a verifier has seen that the next ones are like the one before. */
const MERGED = 3;
/** A nest of loops that costs more to walk becomes a call for each turn, where that may be. */
const HEAVY = { instructions: 20_000, forks: 2_000 } as const;
/** About what a guard adds to a loop. */
const GUARD = 4;

interface Plan {
  readonly loop: Loop;
  /** The parameter that the verifier counts by; null where it has none. */
  readonly counter: Param | null;
}
/** Loops to count the turns of, together; by their headers, since counting splits blocks. */
interface Count {
  readonly outer: BlockId;
  readonly headers: readonly BlockId[];
  readonly rounds: number;
}
/** An outermost loop with all in it. */
interface Nest extends Walk {
  readonly loop: Loop;
  readonly headers: readonly BlockId[];
  /** Turns after which the fuel has ended it. */
  readonly most: number;
}
interface Plans {
  readonly plans: readonly Plan[];
  readonly counts: readonly Count[];
  readonly nests: readonly Nest[];
}

/** Guards every loop of a function. */
export function guardLoops(func: Func, options: GuardOptions): boolean {
  const connection = func.params[0];
  let all = loops(func);
  if (connection === undefined || all.length === 0) return false;
  if (!options.mayGoto && options.onTurn !== undefined) {
    let calls = 0;
    for (const { loop, headers, most, instructions, forks } of planCounts(func, all, {
      ...options,
      onTurns: undefined,
    }).nests) {
      if (options.calls !== 'all' && instructions <= HEAVY.instructions && forks <= HEAVY.forks)
        continue;
      const name = `${func.name}_turn${calls}`;
      const turn = callTurns(func, { loop, headers, rounds: most, name });
      if (turn === null) continue;
      calls += 1;
      options.onTurn(turn);
    }
    all = loops(func);
  }
  const { plans, counts, nests } = options.mayGoto
    ? planShort(func, all, options)
    : planCounts(func, all, options);
  for (const { loc, rounds, instructions, forks } of nests)
    options.onWalk?.({ loc, rounds, instructions, forks });
  launderAll(func, plans, connection);
  for (const { outer, headers, rounds } of counts) {
    const loop = loops(func).find(({ header }) => header === outer);
    if (loop !== undefined) countDown(func, { loop, headers, rounds });
  }
  return true;
}

/**
 * Counters of loops that the verifier may as well walk: short ones with one way through, whose counter is not
 * needed behind them. A loop of more ways would be walked on each of them from each turn on, since verifiers
 * forget the states of earlier turns (is_state_visited drops what did not match a few times).
 */
function planShort(func: Func, all: readonly Loop[], { onTurns }: GuardOptions): Plans {
  const bound = tripBounds(func);
  const blocks = blockMap(func);
  const made = madeCompares(func, definitions(func));
  const plans = all.map((loop): Plan => {
    const { trips, counter } = bound(loop) ?? { trips: 0, counter: null };
    const isOneWay = [...loop.blocks].every((id) => forksOf(blocks.get(id), loop, made) === 0);
    const isWalked = counter !== null && trips <= SHORT && isOneWay;
    const own = isWalked && !isUsedBehind(func, loop, counter) ? counter : null;
    onTurns?.(loop.header, own === null ? MERGED : trips);
    return { loop, counter: own };
  });
  return { plans, counts: [], nests: [] };
}

/** Each loop by its own bound; a nest of them by the fuel where that ends it sooner. */
function planCounts(func: Func, all: readonly Loop[], options: GuardOptions): Plans {
  const { fuel, onTurns } = options;
  const bound = tripBounds(func);
  const bounds = new Map(all.map((loop) => [loop, bound(loop)]));
  const inmost = (loop: Loop): Loop | undefined =>
    all.filter((other) => other !== loop && other.blocks.has(loop.header)).at(-1);
  /** Turns of a loop and of all in it, each weighed by what it costs. */
  const turns = (loop: Loop, cost: (loop: Loop) => number): number => {
    const inner = all.filter((other) => inmost(other) === loop);
    const each = cost(loop) + inner.reduce((sum, other) => sum + turns(other, cost), 0);
    return (bounds.get(loop)?.trips ?? Number.POSITIVE_INFINITY) * each;
  };
  const blocks = blockMap(func);
  const made = madeCompares(func, definitions(func));
  const sum = (loop: Loop, of: (block: Block) => number): number =>
    [...loop.blocks].reduce((n, id) => n + (blocks.has(id) ? of(blocks.get(id) as Block) : 0), 0);
  const size = (loop: Loop): number => sum(loop, (block) => block.instrs.length + 1) + GUARD;
  const forks = (loop: Loop): number => sum(loop, (block) => forksOf(block, loop, made));
  const plans: Plan[] = [];
  const counts: Count[] = [];
  const nests: Nest[] = [];
  for (const outer of all.filter((loop) => inmost(loop) === undefined)) {
    const nest = all.filter((loop) => outer.blocks.has(loop.header));
    const most = mostTurns(nest, blocks, fuel);
    const byFuel = turns(outer, () => 1) > most;
    const loc = locationOf(outer, blocks);
    const over = (cost: (loop: Loop) => number): number =>
      byFuel ? most * cost(outer) : turns(outer, cost);
    const rounds = byFuel ? most : turns(outer, () => 1);
    const headers = nest.map(({ header }) => header);
    nests.push({
      loop: outer,
      headers,
      most,
      loc,
      rounds,
      instructions: over(size),
      forks: over(forks),
    });
    for (const loop of nest) {
      const own = bounds.get(loop)?.trips ?? most;
      onTurns?.(loop.header, !byFuel ? own : loop === outer ? most : 1);
    }
    if (byFuel) {
      plans.push(...nest.map((loop) => ({ loop, counter: null })));
      counts.push({ outer: outer.header, headers, rounds: most });
      continue;
    }
    for (const loop of nest) {
      const found = bounds.get(loop);
      const counter = found?.counter ?? null;
      const own = counter !== null && !isUsedBehind(func, loop, counter) ? counter : null;
      plans.push({ loop, counter: own });
      if (own !== null) continue;
      counts.push({ outer: loop.header, headers: [loop.header], rounds: found?.trips ?? fuel });
    }
  }
  return { plans, counts, nests };
}

/** Turns that fuel allows: each burns some, but for those in which a recursive call returns. */
function mostTurns(
  nest: readonly Loop[],
  blocks: ReadonlyMap<BlockId, Block>,
  fuel: number,
): number {
  const recursive = nest.some((loop) =>
    [...loop.blocks].some((id) => blocks.get(id)?.instrs.some(({ op }) => op === 'frame')),
  );
  return recursive ? 2 * fuel + 2 : fuel;
}

/** Choices of a block after which the loop goes on either way. */
function forksOf(block: Block | undefined, loop: Loop, made: ReadonlySet<ValueId>): number {
  if (block === undefined) return 0;
  const { instrs, term } = block;
  const chosen = instrs.filter(({ id, op }) => op === 'select' || made.has(id)).length;
  const stays = targetsOf(term).filter((target) => loop.blocks.has(target.block)).length;
  return chosen + Math.max(stays - 1, 0);
}

function locationOf(loop: Loop, blocks: ReadonlyMap<BlockId, Block>): Loc {
  const inside = [...loop.blocks].flatMap((id) => blocks.get(id) ?? []);
  return inside.flatMap((b) => [...b.instrs, b.term]).find(({ loc }) => loc !== null)?.loc ?? null;
}

/** True where a loop's counter, or what it is raised to, is needed outside of the loop. */
function isUsedBehind(func: Func, loop: Loop, counter: Param): boolean {
  const blocks = blockMap(func);
  const header = blocks.get(loop.header);
  const index = header?.params.indexOf(counter) ?? -1;
  const values = new Set<ValueId>([counter.id]);
  for (const id of loop.latches) {
    for (const target of targetsOf(
      blocks.get(id)?.term ?? { op: 'trap', kind: 'trap', loc: null },
    )) {
      const step = target.args[index];
      if (target.block === loop.header && step !== undefined) values.add(step);
    }
  }
  let used = false;
  const see = (value: ValueId): ValueId => {
    used ||= values.has(value);
    return value;
  };
  for (const block of func.blocks) {
    const inside = loop.blocks.has(block.id);
    if (!inside) for (const instr of block.instrs) mapOperands(instr, see);
    mapTerm(block.term, inside ? (value) => value : see, (target) => {
      if (!loop.blocks.has(target.block)) target.args.map(see);
      return target;
    });
  }
  return used;
}

/** Puts guards at the headers, and the laundered names wherever the values are used. */
function launderAll(func: Func, plans: readonly Plan[], connection: Param): void {
  const blocks = blockMap(func);
  const renamed = new Map<ValueId, ValueId>();
  const guards: { header: Block; guard: Instr[] }[] = [];
  for (const { loop, counter } of plans) {
    const header = blocks.get(loop.header);
    if (header === undefined) continue;
    const loc = header.instrs.find((instr) => instr.loc !== null)?.loc ?? header.term.loc;
    const guard: Instr[] = [{ op: 'may_goto', id: newValue(func), type: 'i32', loc }];
    for (const param of header.params) {
      if (param.id === counter?.id) continue;
      const id = newValue(func);
      renamed.set(param.id, id);
      guard.push({ op: 'launder', id, type: param.type, loc, args: [param.id, connection.id] });
    }
    guards.push({ header, guard });
  }
  const rename = (value: ValueId): ValueId => renamed.get(value) ?? value;
  for (const block of func.blocks) {
    block.instrs = block.instrs.map((instr) => mapOperands(instr, rename));
    block.term = mapTerm(block.term, rename);
  }
  for (const { header, guard } of guards) header.instrs = [...guard, ...header.instrs];
}
