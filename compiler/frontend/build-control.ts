/**
 * Control of one WASM function as blocks.
 *
 * WASM is structured, so no search for joins is needed: each label is a block whose parameters are
 * the label's values, then every local of its frame, then the state: globals that a decision keeps, and fuel. Parameters that turn out to be the
 * same on every edge go away in the first simplification. Nesting is a list, never the call stack.
 */
import { BugError } from '../diagnostic/index.js';
import type { Block, IntType, Target, Type, ValueId } from '../ir/index.js';
import type { Machine } from './build-recursion.js';
import { SsaBuilder } from './build-ssa.js';
import type { FuncType, ValueType, WasmBody, WasmInstr } from './wasm/index.js';

/** Rounds of a loop that is written out. */
const MOST_ROUNDS = 64;

export interface Label {
  readonly op: 'function' | 'block' | 'loop' | 'if' | 'else';
  /** Where a branch to the label goes; null for the outermost function, which returns. */
  readonly to: Block | null;
  /** What follows its `end`; differs from `to` for loops. */
  readonly after: Block | null;
  /** Height of the stack below its parameters. */
  readonly height: number;
  readonly type: FuncType;
  /** Of an `if` before its else: the block and state of the other side. */
  readonly other: { block: Block; locals: ValueId[]; state: ValueId[]; args: ValueId[] } | null;
  /** Of a loop that is written out round by round: where its body begins, and the round; null for others. */
  readonly written: { readonly start: number; readonly round: number } | null;
}

/** A WASM function being read: the outermost one, or one that is inlined. */
export interface Frame {
  readonly index: number;
  readonly body: WasmBody;
  next: number;
  locals: ValueId[];
  readonly labels: Label[];
  /** Where a `return_call` of the function goes; null where there is none. */
  readonly header: Block | null;
  /** Entered by `return_call`: it returns for the frame below it, which does not go on. */
  readonly tail: boolean;
  /** The loop that the function is part of; null for others. */
  readonly machine: Machine | null;
  /** Of a recursive call that became code in its place, the arguments that are constants; null for others. */
  readonly unfolded: string | null;
}

/** Frames and labels of what is read; what the instructions between them do is a subclass's. */
export class ControlBuilder extends SsaBuilder {
  protected readonly frames: Frame[] = [];
  /** Values of the context's kept globals, in its order, and last the fuel. */
  protected state: ValueId[] = [];
  protected get fuel(): ValueId {
    return this.state.at(-1) ?? (0 as ValueId);
  }
  protected set fuel(value: ValueId) {
    this.state = [...this.state.slice(0, -1), value];
  }
  protected get stateTypes(): Type[] {
    return [...[...this.context.kept.values()].map(({ type }) => type), 'i32'];
  }

  protected enter(
    index: number,
    args: readonly ValueId[],
    after: Block | null,
    tail = false,
  ): void {
    const body = this.context.body(index);
    if (body === null) throw new BugError(`build: function ${index} has no body`);
    const type = this.context.typeOf(index);
    const header = this.context.isTailCalled(index) ? this.enterLoop(type, args) : null;
    const given = header?.params.slice(0, type.params.length).map(({ id }) => id) ?? args;
    const frame = { index, body, header, tail, machine: null, unfolded: null };
    this.enterBody(frame, type, given, after);
  }

  /** Reads a function's body from here on: its arguments are given, its own locals are zero; it returns to `to`. */
  protected enterBody(
    frame: Omit<Frame, 'next' | 'locals' | 'labels'>,
    type: FuncType,
    given: readonly ValueId[],
    to: Block | null,
  ): void {
    const zeros = frame.body.locals.map((local) => this.constant(intType(local), 0n));
    const height = this.stack.length;
    const label: Label = {
      op: 'function',
      to,
      after: to,
      height,
      type,
      other: null,
      written: null,
    };
    this.frames.push({ ...frame, next: 0, locals: [...given, ...zeros], labels: [label] });
  }

  /** Begins a function as a loop, whose header takes its arguments and the state. */
  private enterLoop(type: FuncType, args: readonly ValueId[]): Block {
    const header = this.newBlock([...type.params.map(intType), ...this.stateTypes]);
    this.end({ op: 'br', to: this.target(header, [...args, ...this.state]), loc: this.loc });
    this.state = header.params.slice(type.params.length).map(({ id }) => id);
    this.block = header;
    return header;
  }

  /** Goes back to the header of a function that this frame, or one that it returns for, is in; false where there is none. */
  protected jumpToHeader(index: number, args: readonly ValueId[]): boolean {
    for (const frame of [...this.frames].reverse()) {
      if (frame.index === index && frame.header !== null) {
        const to = this.target(frame.header, [...args, ...this.state]);
        this.end({ op: 'br', to, loc: this.loc });
        return true;
      }
      if (!frame.tail) return false;
    }
    return false;
  }

  /** Types of the parameters of a join: the label's values, the frame's locals, the state. */
  private joinTypes(frame: Frame, values: readonly ValueType[]): Type[] {
    const locals = frame.locals.map((local) => this.typeOf(local));
    return [...values.map(intType), ...locals, ...this.stateTypes];
  }

  protected jump(frame: Frame, depth: number): Target | null {
    const label = frame.labels.at(-1 - depth);
    if (label === undefined) throw new BugError(`build: no label ${depth}`);
    if (label.to === null) return null;
    const arity = label.op === 'loop' ? label.type.params.length : label.type.results.length;
    const values = arity === 0 ? [] : this.stack.slice(-arity);
    const locals = label.op === 'function' ? [] : frame.locals;
    return this.target(label.to, [...values, ...locals, ...this.state]);
  }

  /** A target for a branch out of the outermost function: a block that returns. */
  protected jumpOrReturn(frame: Frame, depth: number): Target {
    const jump = this.jump(frame, depth);
    if (jump !== null) return jump;
    const [here, block] = [this.block, this.newBlock([])];
    this.block = block;
    this.returnFrom(frame);
    this.block = here;
    return this.target(block, []);
  }

  protected returnFrom(frame: Frame): void {
    const outer = frame.labels[0];
    if (outer === undefined) throw new BugError('build: no function label');
    if (outer.to !== null) {
      const to = this.jump(frame, frame.labels.length - 1);
      if (to !== null) this.end({ op: 'br', to, loc: this.loc });
      return;
    }
    this.returnValue(outer.type.results.length === 0 ? null : (this.stack.at(-1) ?? null));
  }

  /** Returns from the function that is built. */
  protected returnValue(value: ValueId | null): void {
    if (this.func.kind === 'entry') {
      this.end({ op: 'return', value, loc: this.loc });
      return;
    }
    const fuel = this.emit({ op: 'extend_u', type: 'i64', args: [this.fuel] });
    let packed = this.binary('shl', 'i64', fuel, this.constant('i64', 32n));
    if (value !== null) {
      const low = this.emit({ op: 'extend_u', type: 'i64', args: [value] });
      packed = this.binary('or', 'i64', packed, low);
    }
    this.end({ op: 'return', value: packed, loc: this.loc });
  }

  /** Dead code: only nesting counts. */
  protected skip(frame: Frame, instr: WasmInstr): void {
    if (instr.type !== null) {
      let depth = 1;
      while (depth > 0) {
        const inner = frame.body.instrs[frame.next];
        if (inner === undefined) throw new BugError('build: block without end');
        frame.next += 1;
        if (inner.type !== null) depth += 1;
        else if (inner.op === 'end') depth -= 1;
      }
    } else if (instr.op === 'end' || instr.op === 'else') this.control(frame, instr);
  }

  protected open(frame: Frame, instr: WasmInstr, type: FuncType): void {
    const condition = instr.op === 'if' ? this.pop() : null;
    const height = this.stack.length - type.params.length;
    const after = this.newBlock(this.joinTypes(frame, type.results));
    if (instr.op === 'loop' && this.isWrittenOut(frame)) {
      const to = this.newBlock(this.joinTypes(frame, type.params));
      const written = { start: frame.next, round: 1 };
      frame.labels.push({ op: 'loop', to, after, height, type, other: null, written });
    } else if (instr.op === 'loop') {
      const header = this.newBlock(this.joinTypes(frame, type.params));
      const args = [...this.stack.slice(height), ...frame.locals, ...this.state];
      this.end({ op: 'br', to: this.target(header, args), loc: this.loc });
      frame.labels.push({
        ...{ op: 'loop', to: header, after, height, type, other: null, written: null },
      });
      const params = header.params.map((param) => param.id);
      this.resume(frame, header, params, height, type.params.length);
    } else if (condition === null) {
      frame.labels.push({
        ...{ op: 'block', to: after, after, height, type, other: null, written: null },
      });
    } else {
      const then = this.newBlock([]);
      const block = this.newBlock([]);
      this.branch(condition, then, block);
      this.goOn(then);
      const args = this.stack.slice(height);
      const other = { block, locals: [...frame.locals], state: this.state, args };
      frame.labels.push({ op: 'if', to: after, after, height, type, other, written: null });
    }
  }

  /** Goes on at a join: its parameters become the stack top, the locals and fuel. */
  private resume(
    frame: Frame,
    block: Block,
    params: readonly ValueId[],
    height: number,
    values: number,
  ): void {
    this.stack.length = height;
    this.stack.push(...params.slice(0, values));
    frame.locals = params.slice(values, -this.state.length);
    this.state = params.slice(-this.state.length);
    this.block = block;
  }

  private beginElse(frame: Frame, label: Label): void {
    if (label.other === null) throw new BugError('build: else without if');
    this.goOn(label.other.block);
    this.stack.length = label.height;
    this.stack.push(...label.other.args);
    frame.locals = label.other.locals;
    this.state = label.other.state;
    frame.labels[frame.labels.length - 1] = { ...label, op: 'else', other: null };
  }

  private fallThrough(frame: Frame, label: Label): void {
    if (this.block === null || label.after === null) return;
    const arity = label.type.results.length;
    const values = arity === 0 ? [] : this.stack.slice(-arity);
    const locals = label.op === 'function' ? [] : frame.locals;
    const to = this.target(label.after, [...values, ...locals, ...this.state]);
    this.end({ op: 'br', to, loc: this.loc });
  }

  protected control(frame: Frame, instr: WasmInstr): void {
    const label = frame.labels.at(-1);
    if (label === undefined) throw new BugError('build: end without block');
    if (label.op === 'function') {
      if (this.block !== null && label.after === null) this.returnFrom(frame);
      this.fallThrough(frame, label);
      this.frames.pop();
      if (frame.machine !== null) {
        this.endMember(frame.machine, label);
        return;
      }
      if (frame.tail) {
        this.stack.length = label.height;
        return;
      }
      const caller = this.frames.at(-1);
      if (caller !== undefined && label.after !== null)
        this.resumeBehind(label.after, label.height);
      return;
    }
    this.fallThrough(frame, label);
    if (label.written !== null && this.goRound(frame, label)) return;
    if (label.op === 'if') {
      this.beginElse(frame, label);
      if (instr.op === 'else') return;
      const implicit = frame.labels.at(-1);
      if (implicit !== undefined) this.fallThrough(frame, implicit);
    }
    frame.labels.pop();
    this.stack.length = label.height;
    if (label.after !== null && this.reached.has(label.after)) {
      const params = this.close(label.after);
      this.resume(frame, label.after, params, label.height, label.type.results.length);
    }
  }

  /** True for a loop, begun just now, whose rounds are to be written one behind the other. */
  protected isWrittenOut(_frame: Frame): boolean {
    return false;
  }
  /** A loop is not to be written out any further. */
  protected tooManyRounds(_frame: Frame): void {}

  /** Reads the body of a loop once more, for the next round; false where none leads there. */
  private goRound(frame: Frame, { to, written, ...label }: Label): boolean {
    if (to === null || written === null || !this.reached.has(to)) return false;
    const { start, round } = written;
    if (round === MOST_ROUNDS) {
      this.tooManyRounds(frame);
      return true;
    }
    const next = this.newBlock(to.params.map((param) => param.type));
    frame.labels[frame.labels.length - 1] = {
      ...{ ...label, to: next, written: { start, round: round + 1 } },
    };
    this.resume(frame, to, this.close(to), label.height, label.type.params.length);
    frame.next = start;
    return true;
  }

  /** A function of a machine is read. */
  protected endMember(_machine: Machine, _label: Label): void {}

  /** Goes on behind a call. */
  protected resumeBehind(after: Block, height: number): void {
    this.stack.length = height;
    this.block = null;
    if (!this.reached.has(after)) return;
    const params = this.close(after);
    this.stack.push(...params.slice(0, -this.state.length));
    this.state = params.slice(-this.state.length);
    this.block = after;
  }
}

/** Values of other types cannot be used without an operation that is refused first. */
export function intType(type: ValueType): IntType {
  return type === 'i64' ? 'i64' : 'i32';
}
