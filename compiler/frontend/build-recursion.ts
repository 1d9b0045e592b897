/**
 * Functions that call each other back, as one loop. Its header takes where to go on (an entry of a function,
 * or the place behind a call) and the values for there: arguments, or results. A call that is not a function's
 * last leaves a frame with where to go on behind it; a return takes it from there, or leaves the loop
 * where the depth is what it was at its begin.
 *
 * What else has to outlive a call is put into the frame once the whole function is known: keep-in-frames.ts.
 *
 * Where constants say of all calls of a group which follows which, as in a tree of rules that the configure phase
 * built, each is the callee's code in its place instead: what it asks then has constant operands.
 */
import { FRAME_WORDS } from '../abi/index.js';
import { BugError } from '../diagnostic/index.js';
import type { Block, IntType, Param, Target, ValueId } from '../ir/index.js';
import { ControlBuilder, type Frame, intType, type Label } from './build-control.js';
import type { FramedCall } from './keep-in-frames.js';
import { behindEnd, CALLS } from './recursion.js';
import type { FuncType } from './wasm/index.js';

/** The loop of one group of functions, entered from one place. */
export interface Machine {
  readonly group: ReadonlySet<number>;
  readonly header: Block;
  /** What the header takes between the place to go on and the state. */
  readonly slots: readonly IntType[];
  /** Depth with which the loop was entered. */
  readonly base: ValueId;
  /** What follows when the first call returns; null where the function does. */
  readonly after: Block | null;
  /** Of the stack, below the arguments. */
  readonly height: number;
  /** Where each number of a place leads. */
  readonly places: Block[];
  readonly entries: Map<number, number>;
  /** Functions whose code is not read yet. */
  readonly waiting: number[];
}

/** More calls than this, or more instructions of them, and a loop is the smaller code: some 200 rules in a tree. */
const MOST_UNFOLDED = 512;
const MOST_INSTRS = 24_000;

/** Puts machines among frames; see ControlBuilder for the rest. */
export class RecursionBuilder extends ControlBuilder {
  /** Functions whose recursion is a loop; that of others is unfolded. */
  protected loops: ReadonlySet<number> = new Set();
  /** Calls that became code in their place. */
  private unfolded = 0;
  /** The group that cannot be unfolded, for which all has to be built again; null for none. */
  protected abandoned: ReadonlySet<number> | null = null;
  /** Calls behind which values have to be as they were before. */
  protected readonly framed: FramedCall[] = [];
  /** The slot of the decision's memory for frames. */
  protected slot: ValueId | null = null;

  /** The machine in which a call of that function is recursion; null where it is none. */
  private machineOf(index: number): Machine | null {
    const inmost = this.frames.findLast(({ machine }) => machine !== null)?.machine ?? null;
    return inmost?.group.has(index) === true ? inmost : null;
  }

  /** Calls a function that needs frames: goes round in its loop, or begins one. */
  protected callRecursive(index: number, args: readonly ValueId[]): void {
    const machine = this.machineOf(index);
    const { results } = this.context.typeOf(index);
    const types = [...results.map(intType), ...this.stateTypes];
    if (this.unfolds(index, args)) {
      this.enterUnfolded(index, args, this.newBlock(types), false);
      return;
    }
    if (machine === null) {
      this.beginMachine(index, args, this.newBlock(types));
      return;
    }
    const behind = this.newBlock(types);
    const at = this.frameAt();
    const place = this.constant('i64', BigInt(machine.places.push(behind) - 1));
    this.frame('store', 0, [at, place]);
    const { block: from, pos } = this;
    if (from === null) throw new BugError('build: call in dead code');
    this.goTo(machine, this.entryOf(machine, index), args);
    this.block = behind;
    this.stack.push(...behind.params.slice(0, results.length).map(({ id }) => id));
    this.state = behind.params.slice(results.length).map(({ id }) => id);
    const again = this.frameAt();
    const loads = this.frame('load', 0, [again]);
    this.framed.push({ from, header: machine.header, behind, at, again, loads, pos });
  }

  /** The same for a call that is a function's last: no frame, and nothing behind it. */
  protected tailCallRecursive(index: number, args: readonly ValueId[], after: Block | null): void {
    const machine = this.machineOf(index);
    if (this.unfolds(index, args)) this.enterUnfolded(index, args, after, true);
    else if (machine === null) this.beginMachine(index, args, after);
    else this.goTo(machine, this.entryOf(machine, index), args);
  }

  /** True where a call is to be unfolded: constants say what it does, and no call of the same is under way. */
  private unfolds(index: number, args: readonly ValueId[]): boolean {
    if (this.loops.has(index)) return false;
    const known = this.constantsOf(args);
    const isUnderWay = this.frames.some(
      (frame) => frame.index === index && frame.unfolded === known,
    );
    if (!/\d/.test(known) || isUnderWay) return false;
    this.unfolded += 1;
    return true;
  }
  /** A loop that calls what is unfolded: what its rounds call is told by their numbers. */
  protected override isWrittenOut(frame: Frame): boolean {
    return this.calledInLoop(frame) !== null;
  }
  protected override tooManyRounds(frame: Frame): void {
    const label = frame.labels.at(-1);
    const callee = this.calledInLoop(frame, label?.written?.start);
    if (callee !== null) this.abandon(callee);
  }
  /** A function that is unfolded and called in the loop that begins at an instruction; null where there is none. */
  private calledInLoop({ body, next }: Frame, start = next): number | null {
    const end = behindEnd(body.instrs, start);
    const call = body.instrs
      .slice(start, end)
      .find(({ op, index }) => CALLS.has(op) && this.unfoldsCalls(index));
    return call?.index ?? null;
  }
  private unfoldsCalls(index: number): boolean {
    return this.context.groupOf(index) !== null && !this.loops.has(index);
  }
  private constantsOf(args: readonly ValueId[]): string {
    return args.map((arg) => this.constants.get(arg) ?? '').join();
  }
  private enterUnfolded(
    index: number,
    args: readonly ValueId[],
    after: Block | null,
    tail: boolean,
  ): void {
    if (this.unfolded > MOST_UNFOLDED || this.count > MOST_INSTRS) {
      this.abandon(index);
      return;
    }
    const body = this.context.body(index);
    if (body === null) throw new BugError(`build: function ${index} has no body`);
    const unfolded = this.constantsOf(args);
    const frame = { index, body, header: null, tail, machine: null, unfolded };
    this.enterBody(frame, this.context.typeOf(index), args, after);
  }
  /** Ends the build: it has to be done again with a loop for that function. */
  private abandon(index: number): void {
    this.abandoned = this.context.groupOf(index);
    this.frames.length = 0;
    this.end({ op: 'trap', kind: 'trap', loc: null });
  }

  /** Begins a loop with a call of one of its functions. */
  protected beginMachine(index: number, args: readonly ValueId[], after: Block | null): void {
    if (!this.loops.has(index)) {
      this.abandon(index);
      return;
    }
    const group = this.context.groupOf(index);
    if (group === null) throw new BugError('build: no recursion');
    const lists = [...group].flatMap((member) => {
      const { params, results } = this.context.typeOf(member);
      return [params, results];
    });
    const slots = (['i32', 'i64'] as const).flatMap((type) => {
      const most = Math.max(...lists.map((list) => list.filter((t) => intType(t) === type).length));
      return Array.from({ length: most }, () => type);
    });
    const header = this.newBlock(['i32', ...slots, ...this.stateTypes]);
    const machine: Machine = {
      ...{ group, header, slots, after, height: this.stack.length, base: this.depth },
      ...{ places: [], entries: new Map(), waiting: [] },
    };
    this.goTo(machine, this.entryOf(machine, index), args);
    this.readNext(machine);
  }

  /** Number of the place where a function begins. */
  private entryOf(machine: Machine, index: number): ValueId {
    let place = machine.entries.get(index);
    if (place === undefined) {
      const params = this.context.typeOf(index).params.map(intType);
      place = machine.places.push(this.newBlock([...params, ...this.stateTypes])) - 1;
      machine.entries.set(index, place);
      machine.waiting.push(index);
    }
    return this.constant('i32', BigInt(place));
  }

  /** Jumps to the header with values for the place. */
  private goTo(machine: Machine, place: ValueId, values: readonly ValueId[]): void {
    const left = [...values];
    const args = machine.slots.map((type) => {
      const at = left.findIndex((value) => this.typeOf(value) === type);
      return left.splice(at, at < 0 ? 0 : 1)[0] ?? this.constant(type, 0n);
    });
    const to = this.target(machine.header, [place, ...args, ...this.state]);
    this.end({ op: 'br', to, loc: this.loc });
  }

  /** Goes on with a function of the loop that is not read yet, or behind the loop. */
  private readNext(machine: Machine): void {
    const index = machine.waiting.shift();
    if (index === undefined) {
      this.endMachine(machine);
      return;
    }
    const entry = machine.places[machine.entries.get(index) ?? -1];
    const body = this.context.body(index);
    if (entry === undefined || body === null)
      throw new BugError(`build: function ${index} has no body`);
    const type = this.context.typeOf(index);
    const ids = entry.params.map(({ id }) => id);
    this.block = entry;
    this.state = ids.slice(type.params.length);
    const returns = this.newBlock([...type.results.map(intType), ...this.stateTypes]);
    this.stack.length = machine.height;
    const given = ids.slice(0, type.params.length);
    const frame = { index, body, header: null, tail: false, machine, unfolded: null };
    this.enterBody(frame, type, given, returns);
  }

  /** The function of a frame is read: its returns go back to where it was called. */
  protected override endMember(machine: Machine, { after, type }: Label): void {
    if (after !== null && this.reached.has(after)) this.returnTo(machine, after, type);
    this.readNext(machine);
  }

  private returnTo(machine: Machine, returns: Block, { results }: FuncType): void {
    const params = this.close(returns);
    const values = params.slice(0, results.length);
    this.block = returns;
    this.state = params.slice(results.length);
    const [leave, goBack] = [this.newBlock([]), this.newBlock([])];
    this.branch(this.compare('eq', this.depth, machine.base), leave, goBack);
    this.goOn(leave);
    if (machine.after === null) this.returnValue(values.at(-1) ?? null);
    else {
      const to = this.target(machine.after, [...values, ...this.state]);
      this.end({ op: 'br', to, loc: this.loc });
    }
    this.block = goBack;
    const place = this.frame('load', 0, [this.frameAt()]);
    this.goTo(machine, this.emit({ op: 'wrap', type: 'i32', args: [place] }), values);
  }

  private endMachine({ header, slots, places, after, height }: Machine): void {
    const [place, ...rest] = header.params;
    if (place === undefined) throw new BugError('build: header without place');
    const state = rest.slice(slots.length);
    const pick = (block: Block): Target => {
      const left: Param[] = rest.slice(0, slots.length);
      const values = block.params.slice(0, block.params.length - state.length);
      const args = values.map(({ type }) => {
        const at = left.findIndex((param) => param.type === type);
        return left.splice(at, 1)[0]?.id ?? place.id;
      });
      return this.target(block, [...args, ...state.map(({ id }) => id)]);
    };
    this.block = header;
    const targets = places.map(pick);
    const last = targets.pop();
    if (last === undefined) throw new BugError('build: loop without place');
    this.end({ op: 'switch', value: place.id, cases: targets, default: last, loc: this.loc });
    if (after !== null) this.resumeBehind(after, height);
  }

  private get depth(): ValueId {
    const { kept, depthGlobal } = this.context;
    const depth = this.state[[...kept.keys()].indexOf(depthGlobal ?? -1)];
    if (depth === undefined) throw new BugError('build: no depth');
    return depth;
  }
  /** Where the frame of the current depth begins. */
  private frameAt(): ValueId {
    return this.binary('mul', 'i32', this.depth, this.constant('i32', BigInt(FRAME_WORDS * 8)));
  }
  private frame(kind: 'load' | 'store', offset: number, args: readonly ValueId[]): ValueId {
    if (this.slot === null) throw new BugError('build: no memory for frames');
    const type = kind === 'load' ? 'i64' : 'i32';
    return this.emit({ op: 'frame', kind, type, offset, args: [this.slot, ...args] });
  }
}
