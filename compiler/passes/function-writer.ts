/** Functions that the compiler adds, written in IR block by block. */
import { Emitter } from '../ir/emitter.js';
import type { BlockId, Func, Param, Target, Terminator, Type, ValueId } from '../ir/types.js';

/** Writes a function block by block. */
export class FunctionWriter {
  readonly func: Func;
  constructor(name: string, types: readonly Type[], result: 'i32' | 'i64') {
    const params = types.map((type, i) => ({ id: i as ValueId, type }));
    // A trap cannot happen: every index is bounded before it is used.
    const stopped = { trap: 0n, fuel: 0n };
    const [nextValue, nextBlock] = [params.length, 0];
    this.func = {
      name,
      kind: 'dispatcher',
      params,
      result,
      stopped,
      blocks: [],
      nextValue,
      nextBlock,
    };
  }
  block(): BlockId {
    return this.func.nextBlock++ as BlockId;
  }
  param(type: Type): Param {
    return { id: this.func.nextValue++ as ValueId, type };
  }
  emitter(): Emitter {
    return new Emitter(this.func, null);
  }
  seal(id: BlockId, params: Param[], emit: Emitter, term: Terminator): void {
    this.func.blocks.push({ id, params, instrs: emit.instrs, term });
  }
  /** Seals a block with a branch. */
  branch(
    id: BlockId,
    params: Param[],
    emit: Emitter,
    on: { readonly condition: ValueId; readonly then: Target; readonly else: Target },
  ): void {
    this.seal(id, params, emit, { op: 'br_if', ...on, loc: null });
  }
  /** Seals a block that returns. */
  returns(id: BlockId, emit: Emitter, value: ValueId): void {
    this.seal(id, [], emit, { op: 'return', value, loc: null });
  }
}
