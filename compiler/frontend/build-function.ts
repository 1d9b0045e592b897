/**
 * One WASM function (with what must be inlined into it) to typed SSA, instruction by instruction.
 *
 * What the decide phase may not do becomes an `abi refused.N` instruction: whether it is an error is
 * decided after folding, when it is known to be reachable.
 */
import { STOPPED } from '../abi/index.js';
import { BugError } from '../diagnostic/index.js';
import type { IntType, ValueId } from '../ir/index.js';
import { type Frame, intType } from './build-control.js';
import { RecursionBuilder } from './build-recursion.js';
import { keepInFrames } from './keep-in-frames.js';
import type { FuncType, ValueType, WasmInstr } from './wasm/index.js';

/** In the high half of what an internal function returns: it stopped, the low half says how. */
export const STOPPED_MARK = 0xffffffffn;
const MAX_INSTRS = 100_000;

/** Builds one function; used once. */
export class FunctionBuilder extends RecursionBuilder {
  /**
   * Builds the body of function `index` of the module; `args` are null for an entry, which gets zeros. The answer is
   * null, or the functions whose recursion has to be a loop and was to be unfolded: then nothing of use is built.
   */
  build(
    index: number,
    args: readonly ValueId[] | null,
    {
      fuel = null,
      slot = null,
      loops = new Set(),
    }: { fuel?: ValueId | null; slot?: ValueId | null; loops?: ReadonlySet<number> } = {},
  ): ReadonlySet<number> | null {
    this.slot = slot;
    this.loops = loops;
    const type = this.context.typeOf(index);
    const kept = [...this.context.kept.values()].map(({ type, value }) =>
      this.constant(type, value),
    );
    this.state = [...kept, fuel ?? this.constant('i32', this.context.budget)];
    const values = args ?? type.params.map((param) => this.constant(intType(param), 0n));
    if (this.context.groupOf(index) === null) this.enter(index, values, null);
    else this.beginMachine(index, values, null);
    for (let frame = this.frames.at(-1); frame !== undefined; frame = this.frames.at(-1)) {
      const instr = frame.body.instrs[frame.next];
      if (instr === undefined) throw new BugError('build: function without end');
      frame.next += 1;
      this.pos = instr.pos;
      if (this.block === null) this.skip(frame, instr);
      else this.instr(frame, instr);
    }
    if (this.abandoned !== null) return this.abandoned;
    this.func.blocks = this.func.blocks.filter((block) => this.reached.has(block));
    if (slot !== null) keepInFrames(this.func, this.framed, { slot, context: this.context });
    return null;
  }

  /** Leaves nothing of the function but the refusal, so that no pass works on what is too large. */
  private giveUp(): void {
    this.func.blocks = [];
    this.reached.clear();
    this.block = this.newBlock([]);
    this.reached.add(this.block);
    this.refuseAndStop('I110', 'the policy is too large once its functions are inlined');
    this.frames.length = 0;
  }

  private instr(frame: Frame, instr: WasmInstr): void {
    this.loc = this.context.position(instr.pos);
    this.context.pass(instr.pos, this.func.name);
    if (this.count > MAX_INSTRS) {
      this.giveUp();
      return;
    }
    if (instr.type !== null) {
      if ([...instr.type.params, ...instr.type.results].some((type) => !isInt(type))) {
        this.refuseAndStop('I101', 'a block has a value that is no integer');
      } else this.open(frame, instr, instr.type);
      return;
    }
    if (this.simple(frame, instr) || this.numeric(instr.op) || this.memoryAccess(instr)) return;
    this.refuseOther(instr.op);
  }

  private refuseOther(op: string): void {
    const float = /f(32|64)/.test(op);
    const writes = /^(memory|table|data|elem)\./.test(op);
    if (float) this.refuseAndStop('I101', `\`${op}\` is floating point`);
    else if (writes) this.refuseAndStop('I102', `\`${op}\` writes memory`);
    else this.refuseAndStop('I105', `\`${op}\` is not known at build time`);
  }

  private simple(frame: Frame, instr: WasmInstr): boolean {
    switch (instr.op) {
      case 'nop':
        return true;
      case 'unreachable':
        this.trap('trap');
        return true;
      case 'else':
      case 'end':
        this.control(frame, instr);
        return true;
      case 'br': {
        const to = this.jump(frame, instr.index);
        if (to === null) this.returnFrom(frame);
        else this.end({ op: 'br', to, loc: this.loc });
        return true;
      }
      case 'br_if': {
        const condition = this.pop();
        const known = this.constants.get(condition);
        if (known === 0n) return true;
        const then = this.jumpOrReturn(frame, instr.index);
        if (known !== undefined) {
          this.end({ op: 'br', to: then, loc: this.loc });
          return true;
        }
        const next = this.newBlock([]);
        this.end({ op: 'br_if', condition, then, else: this.target(next, []), loc: this.loc });
        this.block = next;
        return true;
      }
      case 'br_table': {
        const value = this.pop();
        const known = this.constants.get(value);
        if (known !== undefined) {
          const depth = instr.labels[Number(known)] ?? instr.labels.at(-1) ?? 0;
          this.end({ op: 'br', to: this.jumpOrReturn(frame, depth), loc: this.loc });
          return true;
        }
        const targets = instr.labels.map((depth) => this.jumpOrReturn(frame, depth));
        const last = targets.pop();
        if (last !== undefined) {
          this.end({ op: 'switch', value, cases: targets, default: last, loc: this.loc });
        }
        return true;
      }
      case 'return':
        this.returnFrom(frame);
        return true;
      case 'call':
        this.call(instr.index);
        return true;
      case 'return_call':
        this.tailCall(frame, instr.index);
        return true;
      case 'call_indirect':
      case 'return_call_indirect':
        this.callIndirect(frame, instr);
        return true;
      case 'drop':
        this.pop();
        return true;
      case 'select':
      case 'select_t': {
        const condition = this.pop();
        const [a, b] = this.popMany(2) as [ValueId, ValueId];
        this.stack.push(this.emit({ op: 'select', type: this.typeOf(a), args: [condition, a, b] }));
        return true;
      }
      case 'local.get':
        this.stack.push(frame.locals[instr.index] ?? this.pop());
        return true;
      case 'local.set':
        frame.locals[instr.index] = this.pop();
        return true;
      case 'local.tee':
        frame.locals[instr.index] = this.stack.at(-1) ?? this.pop();
        return true;
      case 'global.get':
        this.readGlobal(instr.index);
        return true;
      case 'global.set': {
        const value = this.pop();
        const kept = [...this.context.kept.keys()].indexOf(instr.index);
        if (instr.index === this.context.fuelGlobal) this.fuel = value;
        else if (kept >= 0) this.state = this.state.with(kept, value);
        else this.refuse('I104', 'a static variable is written in the decide phase', 'i32');
        return true;
      }
      case 'i32.const':
      case 'i64.const':
        this.stack.push(this.constant(instr.op === 'i32.const' ? 'i32' : 'i64', instr.value));
        return true;
      default:
        return false;
    }
  }

  private readGlobal(index: number): void {
    if (index === this.context.fuelGlobal) {
      this.stack.push(this.fuel);
      return;
    }
    const kept = this.state[[...this.context.kept.keys()].indexOf(index)];
    if (kept !== undefined) {
      this.stack.push(kept);
      return;
    }
    const global = this.context.global(index);
    if (global === null) this.refuseAndStop('I101', 'a static variable is no integer');
    else this.stack.push(this.constant(global.type, global.value));
  }

  private call(index: number): void {
    const type = this.context.typeOf(index);
    if ([...type.params, ...type.results].some((t) => !isInt(t))) {
      this.refuseAndStop('I101', 'a called function takes or returns a value that is no integer');
      return;
    }
    const args = this.popMany(type.params.length);
    const imported = this.context.imported(index);
    if (imported !== null) {
      if (!imported.known) {
        this.refuseAndStop('I109', `the import \`${imported.name}\` does not exist`);
      } else if (imported.name === 'out_of_fuel') this.trap('fuel');
      else {
        const result = intType(type.results[0] ?? 'i32');
        const value = this.emit({ op: 'abi', type: result, name: imported.name, args });
        if (type.results.length > 0) this.stack.push(value);
      }
      return;
    }
    if (this.context.fitsSubprogram(index)) this.callSubprogram(index, type, args);
    else if (this.context.groupOf(index) !== null) this.callRecursive(index, args);
    else {
      const after = this.newBlock([...type.results.map(intType), ...this.stateTypes]);
      this.enter(index, args, after);
    }
  }

  /** The recursion that fuel.ts marked: a jump, where the function is under way, else its code in this place. */
  private tailCall({ labels }: Frame, index: number): void {
    const args = this.popMany(this.context.typeOf(index).params.length);
    const after = labels[0]?.after ?? null;
    if (this.context.groupOf(index) !== null) this.tailCallRecursive(index, args, after);
    else if (!this.jumpToHeader(index, args)) this.enter(index, args, after, true);
  }

  private callIndirect(frame: Frame, instr: WasmInstr): void {
    const call = (index: number): void =>
      instr.op === 'call_indirect' ? this.call(index) : this.tailCall(frame, index);
    const known = this.constants.get(this.stack.at(-1) ?? this.pop());
    const callee = known === undefined ? undefined : this.context.slot(instr.second, Number(known));
    const chosen = this.context.indirectCall(instr);
    if (chosen === null) {
      this.refuseAndStop('I105', 'the called function is not known at build time');
    } else if (callee !== undefined && this.context.sameType(callee, instr.index)) {
      this.pop();
      call(callee);
    } else call(chosen);
  }

  private callSubprogram(index: number, type: FuncType, args: readonly ValueId[]): void {
    const callee = this.context.subprogram(index);
    this.context.pass(this.pos, this.func.name, callee);
    const connection = this.func.params[0]?.id ?? (0 as ValueId);
    const all = [connection, this.fuel, ...args];
    const packed = this.emit({ op: 'call', type: 'i64', callee, args: all });
    const high = this.binary('shr_u', 'i64', packed, this.constant('i64', 32n));
    const left = this.emit({ op: 'wrap', type: 'i32', args: [high] });
    const value = this.emit({ op: 'wrap', type: 'i32', args: [packed] });
    const stopped = this.compare('eq', left, this.constant('i32', STOPPED_MARK));
    const stop = this.newBlock([]);
    const next = this.newBlock([]);
    this.branch(stopped, stop, next);
    this.block = stop;
    if (this.func.kind === 'internal') this.end({ op: 'return', value: packed, loc: this.loc });
    else {
      const code = this.constant('i32', BigInt(STOPPED.fuel));
      this.stopIf(this.compare('eq', value, code), 'fuel');
      this.trap('trap');
    }
    this.block = next;
    this.fuel = left;
    if (type.results.length > 0) this.stack.push(value);
  }
}

function isInt(type: ValueType): type is IntType {
  return type === 'i32' || type === 'i64';
}
