/** What lowering makes of one function: relocatable code, where it comes from, and what it costs. */
import type { Func, IntType, Loc, SourcePosition, Type } from '../ir/types.js';
import type { Code, Relocation, Slot } from './asm/index.js';

/** A source position that holds from this slot on. */
export interface Line {
  readonly slot: Slot;
  readonly position: SourcePosition;
}

export interface LoweredFunction {
  readonly name: string;
  readonly kind: Func['kind'];
  readonly params: readonly Type[];
  /** What its first pointer points to; a request begins as its connection does. */
  readonly input: 'connection' | 'request';
  readonly result: IntType | null;
  readonly code: Code;
  /** Of each instruction of `code`. */
  readonly locs: readonly Loc[];
  /** Relocations not applied. */
  readonly bytes: Uint8Array;
  readonly relocations: readonly Relocation[];
  readonly lines: readonly Line[];
  readonly instructions: number;
  /** Bytes; shared with whoever calls, up to 512 in all. */
  readonly stack: number;
  /** Where the most of it is in use; null where none is. */
  readonly fullest: SourcePosition | null;
  /** Instructions on the longest way through, callees not counted; null with loops. */
  readonly worstPath: number | null;
}
