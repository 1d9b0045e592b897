/**
 * Makes a nest of loops a call for each turn (bpf_loop), for kernels without may_goto: their verifiers walk the function of
 * a turn once, whatever ends the loop. Each time that a header is come to is a turn. Between turns all that lives is in
 * words of memory on the stack of the function that has the loop:
 *
 *     word 0          where the next turn begins, or why there is none
 *     then            parameters of that header, or what is needed behind the loop
 *     then            what the loop uses and does not change
 *
 * INVARIANT: what a turn reads there is unknown to the verifier, whatever was written. That of 6.1 walks one turn only and takes
 * out what that one does not reach: nothing of a first turn may be known that does not hold in all of them.
 */
import {
  type Block,
  type BlockId,
  blockMap,
  definitions,
  Emitter,
  type Func,
  type Instr,
  type Loop,
  mapTerm,
  newBlock,
  newValue,
  operandsOf,
  type Param,
  type Target,
  type Type,
  targetsOf,
  termValue,
  type ValueId,
  valueTypes,
} from '../ir/index.js';
import { FlowIndex, repairSsa } from './repair-ssa.js';

/** More words would leave too little of the stack to whoever calls. */
const MOST_WORDS = 24;
/** In word 0: a turn stopped by a trap of its own. Exits follow, then headers. */
const TRAPPED = 0n;
/** Word 0. */
const STAGE = 0;

interface Nest {
  readonly loop: Loop;
  /** Of all loops in it. */
  readonly headers: readonly BlockId[];
  /** So many turns end it by fuel, at the latest. */
  readonly rounds: number;
  /** Name of the function of a turn. */
  readonly name: string;
}

/** Writes instructions of one place. */
class Writer extends Emitter {
  readonly #connection: ValueId;

  constructor(func: Func, connection: ValueId) {
    super(func, null);
    this.#connection = connection;
  }
  load(word: number, type: Type, id?: ValueId): ValueId {
    return this.emit({ op: 'context', kind: 'load', type, word, args: [] }, id);
  }
  store(word: number, value: ValueId): void {
    this.emit({ op: 'context', kind: 'store', type: 'i32', word, args: [value] });
  }
  launder(value: ValueId, type: Type, id?: ValueId): ValueId {
    return this.emit({ op: 'launder', type, args: [value, this.#connection] }, id);
  }
}

/** Takes the nest out of the function; answers the function of a turn, or null where too much lives between turns. */
export function callTurns(func: Func, nest: Nest): Func | null {
  const [connection] = func.params;
  const inside = func.blocks.filter(({ id }) => nest.loop.blocks.has(id));
  if (connection?.type !== 'ptr') return null;
  const types = valueTypes(func);
  const made = new Set(inside.flatMap((b) => [...b.params, ...b.instrs].map(({ id }) => id)));
  const exits = exitsOf(func, nest.loop, made);
  const headerTypes =
    blockMap(func)
      .get(nest.loop.header)
      ?.params.map(({ type }) => type) ?? [];
  const turn = turnOf(func, { nest, inside, exits, made, types, connection: connection.id });
  if (turn === null) return null;
  replace(func, { nest, exits, types, connection: connection.id, headerTypes, turn });
  return turn.func;
}

/** A block that is come to from the loop, and what it needs of it. */
interface Exit {
  readonly to: BlockId;
  readonly params: readonly Type[];
  readonly values: readonly ValueId[];
}

function exitsOf(func: Func, loop: Loop, made: ReadonlySet<ValueId>): readonly Exit[] {
  const outside = func.blocks.filter(({ id }) => !loop.blocks.has(id));
  const alive = new Map(outside.map((block) => [block.id, usesOf(block, made)]));
  for (let changed = true; changed; ) {
    changed = false;
    for (const { id, term } of outside) {
      const own = alive.get(id) ?? new Set();
      const before = own.size;
      for (const { block } of targetsOf(term)) for (const v of alive.get(block) ?? []) own.add(v);
      changed ||= own.size > before;
    }
  }
  const blocks = blockMap(func);
  const all = func.blocks.filter(({ id }) => loop.blocks.has(id));
  const targets = all.flatMap(({ term }) => targetsOf(term).map(({ block }) => block));
  return [...new Set(targets)]
    .filter((id) => !loop.blocks.has(id))
    .map((to) => ({
      to,
      params: blocks.get(to)?.params.map(({ type }) => type) ?? [],
      values: [...(alive.get(to) ?? [])].sort((a, b) => a - b),
    }));
}

/** Values of a set that a block uses. */
function usesOf({ instrs, term }: Block, of: ReadonlySet<ValueId> | null): Set<ValueId> {
  const decides = termValue(term);
  const used = [
    ...instrs.flatMap(operandsOf),
    ...(decides === null ? [] : [decides]),
    ...targetsOf(term).flatMap(({ args }) => args),
  ];
  return new Set(used.filter((value) => of === null || of.has(value)));
}

interface Turn {
  readonly func: Func;
  /** Words that turns change, without the first. */
  readonly changing: number;
  /** What the loop uses and does not change, in the order of its words. */
  readonly kept: readonly ValueId[];
}

function turnOf(
  func: Func,
  given: {
    readonly nest: Nest;
    readonly inside: readonly Block[];
    readonly exits: readonly Exit[];
    readonly made: ReadonlySet<ValueId>;
    readonly types: ReadonlyMap<ValueId, Type>;
    readonly connection: ValueId;
  },
): Turn | null {
  const { nest, exits, made, types, connection } = given;
  const turn: Func = {
    name: nest.name,
    kind: 'turn',
    params: [
      { id: func.nextValue as ValueId, type: 'i64' },
      { id: (func.nextValue + 1) as ValueId, type: 'ptr' },
    ],
    result: 'i64',
    stopped: { trap: 1n, fuel: 1n },
    blocks: [],
    nextValue: func.nextValue + 2,
    nextBlock: func.nextBlock,
  };
  const blocks = structuredClone(given.inside) as Block[];
  const none = newValue(turn);
  const starts = nest.headers.map((header) => ({
    header,
    block: block(turn, [], { op: 'br', to: { block: header, args: [] }, loc: null }),
  }));
  const first = block(turn, [], { op: 'trap', kind: 'trap', loc: null });
  // Only so that each header is seen to be come to from the start.
  first.term = {
    op: 'switch',
    value: none,
    cases: starts.map((start) => ({ block: start.block.id, args: [] })),
    default: { block: starts[0]?.block.id ?? first.id, args: [] },
    loc: null,
  };
  const leaving: Block[] = [];
  for (const one of blocks) {
    one.term = mapTerm(one.term, same, (target) => {
      const index = exits.findIndex(({ to }) => to === target.block);
      const exit = exits[index];
      if (exit === undefined) return target;
      const w = new Writer(turn, connection);
      for (const [i, value] of [...target.args, ...exit.values].entries()) w.store(1 + i, value);
      leaving.push(ending(turn, w, BigInt(index + 1), 1n));
      return { block: leaving.at(-1)?.id ?? target.block, args: [] };
    });
  }
  turn.blocks = [first, ...starts.map((start) => start.block), ...blocks, ...leaving];
  const homes = new Map(
    blocks.flatMap((b) => [...b.params, ...b.instrs].map(({ id }) => [id, b.id] as const)),
  );
  const isStart = new Set(starts.map((start) => start.block.id));
  const flow = new FlowIndex(turn);
  repairSsa(
    turn,
    [...made],
    (value, at) => (isStart.has(at) ? none : homes.get(value) === at ? value : null),
    flow,
  );
  // Now a header's parameters are all that lives there.
  const params = new Map(blocks.map((b) => [b.id, b.params]));
  for (const one of blocks) {
    one.term = mapTerm(one.term, same, (target) => {
      const code = nest.headers.indexOf(target.block);
      if (code < 0) return target;
      const w = new Writer(turn, connection);
      for (const [i, value] of target.args.entries()) w.store(1 + i, value);
      leaving.push(ending(turn, w, BigInt(exits.length + 1 + code), 0n));
      turn.blocks.push(leaving.at(-1) as Block);
      return { block: leaving.at(-1)?.id ?? target.block, args: [] };
    });
  }
  const changing = Math.max(
    ...nest.headers.map((header) => params.get(header)?.length ?? 0),
    ...exits.map((exit) => exit.params.length + exit.values.length),
  );
  const defined = new Set([
    ...turn.blocks.flatMap((b) => [...b.params, ...b.instrs].map(({ id }) => id)),
    ...turn.params.map(({ id }) => id),
    none,
  ]);
  const used = new Set([connection, ...turn.blocks.flatMap((b) => [...usesOf(b, null)])]);
  const free = [...used].filter((value) => !defined.has(value)).sort((a, b) => a - b);
  const defs = definitions(func);
  const kept = free.filter((value) => defs.get(value)?.op !== 'const');
  if (1 + changing + kept.length > MOST_WORDS) return null;

  const w = new Writer(turn, connection);
  const word = (value: ValueId): number => 1 + changing + kept.indexOf(value);
  // Pointers first: laundering reads behind one.
  for (const value of kept) if (types.get(value) === 'ptr') w.load(word(value), 'ptr', value);
  for (const value of free) {
    const def = defs.get(value);
    const type = types.get(value) ?? 'i64';
    if (def?.op === 'const') w.instrs.push(def);
    else if (type !== 'ptr') w.launder(w.load(word(value), type), type, value);
  }
  const stage = w.launder(w.load(STAGE, 'i64'), 'i64');
  w.store(STAGE, w.constant('i64', TRAPPED));
  first.instrs = w.instrs;
  for (const { header, block: start } of starts) {
    const into = new Writer(turn, connection);
    const args = (params.get(header) ?? []).map(({ type }, i) =>
      into.launder(into.load(1 + i, type), type),
    );
    start.instrs = into.instrs;
    start.term = { op: 'br', to: { block: header, args }, loc: null };
  }
  const choices = starts.map((start, i) => ({
    code: BigInt(exits.length + 1 + i),
    to: start.block.id,
  }));
  const last = choices.pop();
  choose(turn, first, { stage, choices, otherwise: last?.to ?? first.id, connection });
  return { func: turn, changing, kept };
}

const same = (value: ValueId): ValueId => value;

function block(func: Func, instrs: Instr[], term: Block['term']): Block {
  return { id: newBlock(func), params: [], instrs, term };
}

/** The end of a turn. */
function ending(turn: Func, w: Writer, stage: bigint, answer: bigint): Block {
  w.store(STAGE, w.constant('i64', stage));
  return block(turn, w.instrs, { op: 'return', value: w.constant('i64', answer), loc: null });
}

/** Goes from the end of a block on by word 0. */
function choose(
  func: Func,
  from: Block,
  {
    stage,
    choices,
    otherwise,
    connection,
  }: {
    readonly stage: ValueId;
    readonly choices: readonly { readonly code: bigint; readonly to: BlockId }[];
    readonly otherwise: BlockId;
    readonly connection: ValueId;
  },
): void {
  let at = from;
  for (const { code, to } of choices) {
    const w = new Writer(func, connection);
    const condition = w.compare('eq', stage, w.constant('i64', code));
    const next = block(func, [], { op: 'br', to: { block: otherwise, args: [] }, loc: null });
    at.instrs = [...at.instrs, ...w.instrs];
    at.term = {
      op: 'br_if',
      condition,
      then: { block: to, args: [] },
      else: { block: next.id, args: [] },
      loc: null,
    };
    func.blocks.splice(func.blocks.indexOf(at) + 1, 0, next);
    at = next;
  }
  at.term = { op: 'br', to: { block: otherwise, args: [] }, loc: null };
}

/** Puts the call where the nest was. */
function replace(
  func: Func,
  given: {
    readonly nest: Nest;
    readonly exits: readonly Exit[];
    readonly types: ReadonlyMap<ValueId, Type>;
    readonly connection: ValueId;
    readonly headerTypes: readonly Type[];
    readonly turn: Turn;
  },
): void {
  const { nest, exits, types, connection, headerTypes, turn } = given;
  const { loop, headers, rounds, name } = nest;
  const params: Param[] = headerTypes.map((type) => ({ id: newValue(func), type }));
  const header = func.blocks.find(({ id }) => id === loop.header);
  const loc = header?.instrs.find((instr) => instr.loc !== null)?.loc ?? header?.term.loc ?? null;
  const w = new Writer(func, connection);
  const unknown = w.launder(w.constant('i64', 0n), 'i64');
  const begin = BigInt(exits.length + 1 + headers.indexOf(loop.header));
  w.store(STAGE, w.launder(w.constant('i64', begin), 'i64'));
  for (let i = 0; i < turn.changing; i++) {
    const param = params[i];
    w.store(1 + i, param === undefined ? unknown : w.launder(param.id, param.type));
  }
  for (const [i, value] of turn.kept.entries()) w.store(1 + turn.changing + i, value);
  w.instrs.push({ op: 'loop', id: newValue(func), type: 'i32', loc, callee: name, rounds });
  const stage = w.load(STAGE, 'i64');
  const call: Block = { ...block(func, w.instrs, { op: 'trap', kind: 'fuel', loc }), params };
  const trapped = block(func, [], { op: 'trap', kind: 'trap', loc });
  const spent = block(func, [], { op: 'trap', kind: 'fuel', loc });
  const named = new Map<BlockId, ReadonlyMap<ValueId, ValueId>>();
  const behind = exits.map((exit) => {
    const reads = new Writer(func, connection);
    const args = exit.params.map((type, i) => reads.load(1 + i, type));
    const values = exit.values.map((value, i): [ValueId, ValueId] => [
      value,
      reads.load(1 + exit.params.length + i, types.get(value) ?? 'i64'),
    ]);
    const made = block(func, reads.instrs, { op: 'br', to: { block: exit.to, args }, loc });
    named.set(made.id, new Map(values));
    return made;
  });
  const into = (target: Target): Target =>
    target.block === loop.header ? { ...target, block: call.id } : target;
  const outside = func.blocks.filter(({ id }) => !loop.blocks.has(id));
  for (const one of outside) one.term = mapTerm(one.term, same, into);
  func.blocks = [...outside, call, ...behind, trapped, spent];
  const choices = behind.map(({ id }, i) => ({ code: BigInt(i + 1), to: id }));
  choose(func, call, {
    stage,
    choices: [...choices, { code: TRAPPED, to: trapped.id }],
    otherwise: spent.id,
    connection,
  });
  const flow = new FlowIndex(func);
  const values = [...new Set(exits.flatMap((exit) => exit.values))];
  for (const value of values) flow.types.set(value, types.get(value) ?? 'i64');
  repairSsa(func, values, (value, at) => named.get(at)?.get(value) ?? null, flow);
}
