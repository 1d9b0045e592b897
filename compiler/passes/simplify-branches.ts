/**
 * Pass:    simplify-branches
 * Reads:   terminators, and the blocks that hold nothing but one
 * Writes:  constant and one-way branches to jumps; `x == 0` conditions turned round; branches through
 *          empty blocks go straight on, also where the empty block decides on or returns a parameter
 *          (so no boolean is made only to be tested); conditions joined by & and | become branches; a condition that an edge has decided is a constant
 *          behind it; straight chains become one block
 * Refuses: nothing
 * Keeps:   loop headers (no branch is threaded through one, so loops stay reducible), traps
 */
import {
  type Block,
  type BlockId,
  blockMap,
  type Dominators,
  definitions,
  dominators,
  type Func,
  type Instr,
  loops,
  mapOperands,
  mapTerm,
  newBlock,
  newValue,
  operandsOf,
  predecessors,
  renameUses,
  resolver,
  reversePostorder,
  type Target,
  type Terminator,
  useCounts,
  type ValueId,
} from '../ir/index.js';
import { eliminateDeadCode } from './eliminate-dead-code.js';

type Defs = ReadonlyMap<ValueId, Instr>;

function sameTarget(a: Target, b: Target): boolean {
  return a.block === b.block && a.args.every((arg, i) => arg === b.args[i]);
}

function constant(defs: Defs, value: ValueId): bigint | null {
  const def = defs.get(value);
  return def?.op === 'const' ? def.value : null;
}

/** The terminator without what is decided already. */
function decideTerm(term: Terminator, defs: Defs): Terminator {
  if (term.op === 'switch') {
    const value = constant(defs, term.value);
    const all = [...term.cases, term.default];
    if (value !== null) {
      const to = term.cases[Number(value)] ?? term.default;
      return { op: 'br', to, loc: term.loc };
    }
    if (all.every((target) => sameTarget(target, term.default))) {
      return { op: 'br', to: term.default, loc: term.loc };
    }
    return term;
  }
  if (term.op !== 'br_if') return term;
  const value = constant(defs, term.condition);
  if (value !== null) return { op: 'br', to: value !== 0n ? term.then : term.else, loc: term.loc };
  if (sameTarget(term.then, term.else)) return { op: 'br', to: term.then, loc: term.loc };
  const def = defs.get(term.condition);
  if (def?.op === 'compare' && (def.kind === 'eq' || def.kind === 'ne')) {
    const [x, zero] = def.args;
    const i32 = defs.get(zero)?.type === 'i32';
    if (i32 && constant(defs, zero) === 0n) {
      if (def.kind === 'ne') return { ...term, condition: x };
      return { ...term, condition: x, then: term.else, else: term.then };
    }
  }
  return term;
}

function decide(func: Func, defs: Defs): boolean {
  let changed = false;
  for (const block of func.blocks) {
    const term = decideTerm(block.term, defs);
    changed ||= term !== block.term;
    block.term = term;
  }
  return changed;
}

/** Substitutes a block's parameters by the arguments of one edge. */
function substitution(block: Block, args: readonly ValueId[]): (value: ValueId) => ValueId {
  const map = new Map(block.params.map((param, i) => [param.id, args[i] ?? param.id]));
  return (value) => map.get(value) ?? value;
}

const NO_COUNTS: ReadonlyMap<ValueId, number> = new Map();

/** Blocks with no instruction, whose parameters only their own terminator uses, and no loop header. */
function threadable(func: Func): Map<BlockId, Block> {
  const headers = new Set(loops(func).map((loop) => loop.header));
  const empty = func.blocks
    .slice(1)
    .filter(({ id, instrs }) => instrs.length === 0 && !headers.has(id));
  const counts = empty.some(({ params }) => params.length > 0) ? useCounts(func) : NO_COUNTS;
  const found = new Map<BlockId, Block>();
  for (const block of empty) {
    if (block.params.length === 0) {
      found.set(block.id, block);
      continue;
    }
    const own = new Map<ValueId, number>();
    const count = (value: ValueId): ValueId => {
      own.set(value, (own.get(value) ?? 0) + 1);
      return value;
    };
    mapTerm(block.term, count);
    if (block.params.every((p) => (counts.get(p.id) ?? 0) === (own.get(p.id) ?? 0))) {
      found.set(block.id, block);
    }
  }
  return found;
}

/** Where an edge ends up if the block it goes to decides on what the edge passes. */
function threadTarget(target: Target, empty: ReadonlyMap<BlockId, Block>, defs: Defs): Target {
  const block = empty.get(target.block);
  if (block === undefined) return target;
  const term = decideTerm(mapTerm(block.term, substitution(block, target.args)), defs);
  return term.op === 'br' ? term.to : target;
}

function decidesOnParam(block: Block): boolean {
  const { term } = block;
  return term.op === 'br_if' && block.params.some((param) => param.id === term.condition);
}

function thread(func: Func, defs: Defs): boolean {
  const empty = threadable(func);
  let changed = false;
  for (const block of func.blocks) {
    block.term = mapTerm(
      block.term,
      (value) => value,
      (target) => {
        const to = threadTarget(target, empty, defs);
        if (to !== target && to.block !== target.block) changed = true;
        return to.block === target.block ? target : to;
      },
    );
    const { term } = block;
    if (term.op !== 'br') continue;
    // A jump to a block that only branches, returns or traps: do that here.
    const next = empty.get(term.to.block);
    if (next === undefined || next === block || next.term.op === 'br') continue;
    if (next.term.op === 'switch' || (next.term.op === 'br_if' && !decidesOnParam(next))) continue;
    block.term = mapTerm(next.term, substitution(next, term.to.args));
    changed = true;
  }
  return changed;
}

/** Blocks that use each of some values. */
function usersOf(func: Func, values: ReadonlySet<ValueId>): Map<ValueId, Set<Block>> {
  const users = new Map<ValueId, Set<Block>>();
  for (const block of func.blocks) {
    const use = (value: ValueId): ValueId => {
      if (!values.has(value)) return value;
      const set = users.get(value);
      if (set === undefined) users.set(value, new Set([block]));
      else set.add(block);
      return value;
    };
    for (const instr of block.instrs) operandsOf(instr).forEach(use);
    mapTerm(block.term, use);
  }
  return users;
}

function conditions({ blocks }: Func): ReadonlySet<ValueId> {
  return new Set(blocks.flatMap(({ term }) => (term.op === 'br_if' ? [term.condition] : [])));
}

/** Uses of a condition behind an edge that decided it. */
function propagate(func: Func): boolean {
  const preds = predecessors(func);
  const blocks = blockMap(func);
  const users = usersOf(func, conditions(func));
  let boolean: ReadonlySet<ValueId> | null = null;
  let doms: Dominators | null = null;
  let changed = false;
  for (const block of func.blocks) {
    const { term } = block;
    if (term.op !== 'br_if' || term.then.block === term.else.block) continue;
    const using = users.get(term.condition) ?? new Set<Block>();
    if (using.size < 2) continue;
    for (const [target, holds] of [
      [term.then, true],
      [term.else, false],
    ] as const) {
      if ((preds.get(target.block) ?? []).length !== 1) continue;
      boolean ??= booleans(func);
      if (holds && !boolean.has(term.condition)) continue;
      const first = blocks.get(target.block);
      if (first === undefined) continue;
      doms ??= dominators(func);
      const known = newValue(func);
      let used = false;
      const rename = (value: ValueId): ValueId => {
        if (value !== term.condition) return value;
        used = true;
        return known;
      };
      for (const behind of using) {
        if (!doms.dominates(first.id, behind.id)) continue;
        behind.instrs = behind.instrs.map((instr) => mapOperands(instr, rename));
        behind.term = mapTerm(behind.term, rename);
      }
      if (!used) continue;
      first.instrs = [
        { op: 'const', id: known, type: 'i32', loc: null, value: holds ? 1n : 0n },
        ...first.instrs,
      ];
      changed = true;
    }
  }
  return changed;
}

/** Joins a block with its only predecessor where that goes nowhere else. */
function merge(func: Func): boolean {
  const preds = predecessors(func);
  const blocks = blockMap(func);
  const gone = new Set<BlockId>();
  const renamed = new Map<ValueId, ValueId>();
  const now = resolver(renamed);
  for (const block of func.blocks) {
    if (gone.has(block.id)) continue;
    for (let { term } = block; term.op === 'br'; term = block.term) {
      const next = blocks.get(term.to.block);
      if (next === undefined || next === block || next === func.blocks[0]) break;
      if ((preds.get(next.id) ?? []).length !== 1) break;
      next.params.forEach((param, i) => {
        renamed.set(param.id, now((term as Terminator & { op: 'br' }).to.args[i] ?? param.id));
      });
      block.instrs = [...block.instrs, ...next.instrs];
      block.term = next.term;
      gone.add(next.id);
    }
  }
  if (gone.size === 0) return false;
  func.blocks = func.blocks.filter((block) => !gone.has(block.id));
  renameUses(func, now);
  return true;
}

/** Values that are 0 or 1 and made of comparisons only. */
function booleans(func: Func): Set<ValueId> {
  const found = new Set<ValueId>();
  for (const block of reversePostorder(func)) {
    for (const instr of block.instrs) {
      const joins = instr.op === 'binary' && (instr.kind === 'and' || instr.kind === 'or');
      const made = joins && instr.args.every((arg) => found.has(arg));
      if (instr.op === 'compare' || made) found.add(instr.id);
    }
  }
  return found;
}

/**
 * `br_if (a & b)` of booleans needed nowhere else becomes two branches; likewise `|`. A returned
 * `select` becomes a branch to two returns.
 */
function splitConditions(func: Func): boolean {
  const defs = splittable(func);
  if (defs.size === 0) return false;
  const counts = useCounts(func);
  const boolean = booleans(func);
  const add = (after: Block, term: Terminator): Target => {
    const id = newBlock(func);
    func.blocks.splice(func.blocks.indexOf(after) + 1, 0, { id, params: [], instrs: [], term });
    return { block: id, args: [] };
  };
  let changed = false;
  for (const block of [...func.blocks]) {
    const { term } = block;
    const decides = term.op === 'br_if' ? term.condition : term.op === 'return' ? term.value : null;
    const def = decides === null ? undefined : defs.get(decides);
    if (def === undefined || counts.get(def.id) !== 1) continue;
    if (term.op === 'return' && def.op === 'select') {
      const [condition, yes, no] = def.args;
      const otherwise = add(block, { ...term, value: no });
      const then = add(block, { ...term, value: yes });
      block.term = { op: 'br_if', condition, then, else: otherwise, loc: term.loc };
      changed = true;
    } else if (term.op === 'br_if' && def.op === 'binary') {
      const [a, b] = def.args;
      if ((def.kind !== 'and' && def.kind !== 'or') || !boolean.has(a) || !boolean.has(b)) continue;
      const to = add(block, { ...term, condition: b });
      block.term = { ...term, condition: a, [def.kind === 'and' ? 'then' : 'else']: to };
      changed = true;
    }
  }
  return changed;
}

/** Definitions of what may be split. */
function splittable({ blocks }: Func): Defs {
  const all = blocks.flatMap(({ instrs }) =>
    instrs.filter(
      (i) => i.op === 'select' || (i.op === 'binary' && (i.kind === 'and' || i.kind === 'or')),
    ),
  );
  return new Map(all.map((instr) => [instr.id, instr]));
}

/** Simplifies the flow graph until nothing changes. */
export function simplifyBranches(func: Func): boolean {
  let changed = false;
  // Each round removes a branch, an edge or a block, except for splits, of which there are finitely many.
  for (let again = true; again; ) {
    const defs = definitions(func);
    again = decide(func, defs);
    again = eliminateUnreachable(func) || again;
    if (thread(func, defs)) {
      eliminateUnreachable(func);
      again = true;
    }
    again = merge(func) || again;
    again = splitConditions(func) || again;
    again = propagate(func) || again;
    changed ||= again;
  }
  return changed;
}

function eliminateUnreachable(func: Func): boolean {
  const before = func.blocks.length;
  eliminateDeadCode(func);
  return func.blocks.length !== before;
}
