/**
 * Runs a policy's function for all inputs at once: each block with the set of inputs that reach it, each value with
 * what it may be. Loops are run round by round; what is left after MAX_ROUNDS is not looked into.
 */
import type {
  Block,
  BlockId,
  Func,
  PolicyIr,
  Target,
  Type,
  ValueId,
} from '../../compiler/index.js';
import type { Subject } from './ask-abi.js';
import { compareLeaves } from './compare-leaves.js';
import { NONE, TooLarge } from './diagram.js';
import { type EscapingValues, escapingValues } from './escaping-values.js';
import type { Guard, Guards } from './guards.js';
import { constant, type Leaf, type Opaques, type Value } from './leaf.js';
import { leaveSearch } from './leave-search.js';
import { isLoop, type LoopPart, loopOrder, type Part } from './loop-order.js';
import type { ListName } from './named-search.js';
import { runStep, truthOfValue } from './run-step.js';
import { type SearchLoop, searchLoop } from './search-loop.js';
import { always, NOTHING, ValueBuilder } from './value.js';

const MAX_ROUNDS = 300;
/** Operations of one run: a policy of 1,000 rules needs some ten thousand. */
const MAX_STEPS = 2_000_000;
const MAX_DEPTH = 64;

/** What runs a policy's functions. */
export interface RunContext {
  readonly guards: Guards;
  readonly opaques: Opaques;
  readonly ir: PolicyIr;
  readonly subject: Subject;
  /** Tells what only one bundle has from another's. */
  readonly tag: string;
  /** Goes on past lines that answer, as if they had not: what a rule would decide if none stood before it. */
  readonly ignoresAnswers?: boolean;
  /** See SearchRun. */
  readonly closedLists: ReadonlySet<ListName>;
}

interface Shape {
  readonly parts: readonly Part[];
  readonly escaping: EscapingValues;
  readonly types: ReadonlyMap<ValueId, Type>;
}
interface Waiting {
  reach: Guard;
  readonly params: readonly ValueBuilder[];
}
interface Frame {
  readonly func: Func;
  readonly shape: Shape;
  readonly blocks: ReadonlyMap<BlockId, Block>;
  readonly values: Map<ValueId, Value>;
  /** Of values that left their loop, by where they went through its end. */
  readonly left: Map<LoopPart, Map<ValueId, ValueBuilder>>;
  readonly waiting: Map<BlockId, Waiting>;
  readonly result: ValueBuilder;
  readonly depth: number;
}

export class FunctionRunner {
  readonly #context: RunContext;
  readonly #shapes = new Map<Func, Shape>();
  readonly #searches = new Map<LoopPart, SearchLoop | null>();
  readonly #functions: ReadonlyMap<string, Func>;
  #steps = 0;

  constructor(context: RunContext) {
    this.#context = context;
    this.#functions = new Map(context.ir.module.functions.map((func) => [func.name, func]));
  }

  /** What a function answers, for the inputs of a set. Throws TooLarge. */
  run(name: string, reach: Guard, args: readonly Value[] = [], depth: number = 0): Value {
    const { guards, opaques } = this.#context;
    const func = this.#functions.get(name);
    if (func === undefined || depth > MAX_DEPTH) {
      return [[opaques.leaf(`${this.#context.tag} call ${name}`, null), reach]];
    }
    const shape = this.#shapeOf(func);
    const values = new Map<ValueId, Value>();
    const given = [...args];
    for (const { id, type } of func.params) {
      values.set(id, type === 'ptr' ? always(constant(0n)) : (given.shift() ?? NOTHING));
    }
    const [entry] = func.blocks;
    const frame: Frame = {
      func,
      shape,
      blocks: new Map(func.blocks.map((block) => [block.id, block])),
      values,
      left: new Map(),
      waiting: new Map(),
      result: new ValueBuilder(guards),
      depth,
    };
    if (entry !== undefined) frame.waiting.set(entry.id, { reach, params: [] });
    this.#runParts(frame, shape.parts);
    // Edges that no loop of the graph explains: told as undecided rather than followed.
    for (const [id, { reach: rest }] of frame.waiting) {
      frame.result.add(
        this.#opaque(`block ${func.name} ${id}`, frame.blocks.get(id)?.term.loc ?? null),
        rest,
      );
    }
    return frame.result.value;
  }

  #shapeOf(func: Func): Shape {
    const known = this.#shapes.get(func);
    if (known !== undefined) return known;
    const parts = loopOrder(func);
    const items = func.blocks.flatMap((block) => [...block.params, ...block.instrs]);
    const types = new Map([...func.params, ...items].map(({ id, type }) => [id, type]));
    const shape = { parts, escaping: escapingValues(func, parts), types };
    this.#shapes.set(func, shape);
    return shape;
  }

  #runParts(frame: Frame, parts: readonly Part[]): void {
    for (const part of parts) {
      if (!isLoop(part)) this.#runBlock(frame, part);
      else this.#runLoop(frame, part);
    }
  }

  #searchOf(func: Func, loop: LoopPart): SearchLoop | null {
    const known = this.#searches.get(loop);
    if (known !== undefined) return known;
    const { ir, subject } = this.#context;
    const calls = ir.resolved.calls.get(func.name) ?? new Map();
    const found = searchLoop(func, loop, calls, subject.entry);
    this.#searches.set(loop, found);
    return found;
  }

  #runSearch(frame: Frame, loop: LoopPart, search: SearchLoop): void {
    const header = frame.blocks.get(loop.header);
    const waiting = frame.waiting.get(loop.header);
    if (header === undefined || waiting === undefined) return;
    frame.waiting.delete(loop.header);
    const { guards, opaques, closedLists } = this.#context;
    leaveSearch(search, {
      closedLists,
      guards,
      opaques,
      at: this.#placeOf(header.instrs[0]?.loc ?? header.term.loc),
      reach: waiting.reach,
      params: header.params.map(({ id }, i) => [id, waiting.params[i]?.value ?? NOTHING] as const),
      read: (id) => this.#read(frame, loop.header, id),
      enter: (target, reach, value) => this.#enter(frame, [loop], target, reach, value),
    });
  }

  #runLoop(frame: Frame, loop: LoopPart): void {
    frame.left.set(loop, new Map());
    const search = this.#searchOf(frame.func, loop);
    if (search !== null) this.#runSearch(frame, loop, search);
    else this.#runRounds(frame, loop);
  }

  #runRounds(frame: Frame, loop: LoopPart): void {
    for (let round = 0; frame.waiting.has(loop.header); round += 1) {
      if (round >= MAX_ROUNDS) {
        const rest = frame.waiting.get(loop.header)?.reach ?? NONE;
        frame.waiting.delete(loop.header);
        const loc = frame.blocks.get(loop.header)?.term.loc ?? null;
        frame.result.add(this.#opaque(`loop ${frame.func.name} ${loop.header}`, loc), rest);
        return;
      }
      this.#runParts(frame, loop.body);
    }
  }

  #runBlock(frame: Frame, block: Block): void {
    const waiting = frame.waiting.get(block.id);
    if (waiting === undefined) return;
    frame.waiting.delete(block.id);
    for (const [i, { id }] of block.params.entries()) {
      const builder = waiting.params[i];
      if (builder === undefined) continue;
      frame.values.set(id, frame.shape.escaping.counters.has(id) ? builder.widened : builder.value);
    }
    let { reach } = waiting;
    this.#steps += block.instrs.length + 1;
    if (this.#steps > MAX_STEPS) throw new TooLarge('the policy takes too many steps');
    for (const instr of block.instrs) {
      const { value, traps } = runStep(instr, {
        guards: this.#context.guards,
        opaques: this.#context.opaques,
        ir: this.#context.ir,
        subject: this.#context.subject,
        at: this.#placeOf(instr.loc),
        func: frame.func.name,
        types: frame.shape.types,
        read: (id) => this.#read(frame, block.id, id),
        call: (callee, args) => this.run(callee, reach, args, frame.depth + 1),
        opaque: (expression) => this.#opaque(expression, instr.loc),
      });
      frame.values.set(instr.id, value);
      if (traps === NONE) continue;
      const { guards } = this.#context;
      frame.result.add(constant(frame.func.stopped.trap), guards.and(reach, traps));
      reach = guards.and(reach, guards.not(traps));
    }
    this.#leave(frame, block, reach);
  }

  #leave(frame: Frame, block: Block, reach: Guard): void {
    const { guards } = this.#context;
    const { term } = block;
    switch (term.op) {
      case 'br':
        this.#go(frame, block, term.to, reach);
        return;
      case 'br_if': {
        const condition = this.#truth(this.#read(frame, block.id, term.condition), term.loc);
        const [then, otherwise] = [term.then, term.else].map((target) =>
          this.#answers(frame, target.block),
        );
        const goesOn = this.#context.ignoresAnswers === true && then !== otherwise;
        this.#go(
          frame,
          block,
          term.then,
          goesOn && otherwise ? reach : guards.and(reach, condition),
        );
        this.#go(
          frame,
          block,
          term.else,
          goesOn && then ? reach : guards.and(reach, guards.not(condition)),
        );
        return;
      }
      case 'switch': {
        const value = this.#read(frame, block.id, term.value);
        let rest = reach;
        for (const [i, target] of term.cases.entries()) {
          const hit = this.#equals(value, BigInt(i), term.loc);
          this.#go(frame, block, target, guards.and(rest, hit));
          rest = guards.and(rest, guards.not(hit));
        }
        this.#go(frame, block, term.default, rest);
        return;
      }
      case 'return':
        if (term.value === null) return;
        frame.result.addAll(this.#read(frame, block.id, term.value), reach);
        return;
      case 'trap':
        frame.result.add(constant(frame.func.stopped[term.kind]), reach);
    }
  }

  /** Whether a block does nothing but answer. */
  #answers({ blocks }: Frame, id: BlockId): boolean {
    const block = blocks.get(id);
    if (block === undefined || block.instrs.some(({ op }) => op !== 'const')) return false;
    if (block.term.op === 'return') return true;
    const next = block.term.op === 'br' ? blocks.get(block.term.to.block) : undefined;
    return next?.term.op === 'return' && next.instrs.every(({ op }) => op === 'const');
  }

  #go(frame: Frame, from: Block, target: Target, reach: Guard): void {
    const around = frame.shape.escaping.loopsAt(from.id);
    const left = around.filter((loop) => !loop.blocks.has(target.block));
    this.#enter(frame, left, target, reach, (id) => this.#read(frame, from.id, id));
  }

  /** Goes on at a block, out of some loops. */
  #enter(
    frame: Frame,
    leaves: readonly LoopPart[],
    { block, args }: Target,
    reach: Guard,
    read: (id: ValueId) => Value,
  ): void {
    if (reach === NONE) return;
    const { guards } = this.#context;
    for (const loop of leaves) {
      const left = frame.left.get(loop) ?? new Map<ValueId, ValueBuilder>();
      frame.left.set(loop, left);
      for (const id of frame.shape.escaping.of(loop)) {
        const builder = left.get(id) ?? new ValueBuilder(guards);
        left.set(id, builder);
        builder.addAll(read(id), reach);
      }
    }
    const waiting = frame.waiting.get(block);
    const params = waiting?.params ?? args.map(() => new ValueBuilder(guards));
    for (const [i, arg] of args.entries()) params[i]?.addAll(read(arg), reach);
    if (waiting === undefined) frame.waiting.set(block, { reach, params });
    else waiting.reach = guards.or(waiting.reach, reach);
  }

  /** A value as a block sees it: that of a loop that is over as it was where the loop was left. */
  #read(frame: Frame, at: BlockId, id: ValueId): Value {
    const loop = frame.shape.escaping.leftLoop(id, at);
    if (loop === null) return frame.values.get(id) ?? NOTHING;
    const builder = frame.left.get(loop)?.get(id);
    if (builder === undefined) return NOTHING;
    return frame.shape.escaping.counters.has(id) ? builder.widened : builder.value;
  }

  #placeOf(loc: number | null): string | null {
    const at = loc === null ? null : (this.#context.ir.module.positions[loc] ?? null);
    return at === null ? null : `${at.file}:${at.line}`;
  }

  #opaque(expression: string, loc: number | null): Leaf {
    return this.#context.opaques.leaf(`${this.#context.tag} ${expression}`, this.#placeOf(loc));
  }

  #truth(value: Value, loc: number | null): Guard {
    const { guards, opaques } = this.#context;
    return truthOfValue({ guards, opaques, at: this.#placeOf(loc) }, value);
  }

  #equals(value: Value, number: bigint, loc: number | null): Guard {
    const { guards, opaques } = this.#context;
    const asking = { guards, opaques, at: this.#placeOf(loc) };
    return value.reduce<Guard>(
      (holds, [leaf, guard]) =>
        guards.or(
          holds,
          guards.and(guard, compareLeaves(asking, 'eq', 'i32', leaf, constant(number))),
        ),
      NONE,
    );
  }
}
