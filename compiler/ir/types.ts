/**
 * The IR: typed SSA with block parameters. A module holds the functions of one policy (or the joined
 * dispatcher) and the read-only data that they look into.
 *
 * INVARIANT: an `i32` value is always zero-extended when seen as 64 bits.
 * Traps are explicit (`trap` terminators and the bound of `load.image`); division in the IR is total
 * only where a trap check dominates it, which the builder guarantees.
 */
declare const brand: unique symbol;
export type ValueId = number & { readonly [brand]: 'ValueId' };
export type BlockId = number & { readonly [brand]: 'BlockId' };

/** `ptr` is a pointer parameter (the connection, the decision); it can only be loaded and stored through, or passed on. */
export type Type = 'i32' | 'i64' | 'ptr';
export type IntType = 'i32' | 'i64';
export type LoadSize = 1 | 2 | 4 | 8;

export type BinaryOp =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div_u'
  | 'rem_u'
  | 'and'
  | 'or'
  | 'xor'
  | 'shl'
  | 'shr_u'
  | 'shr_s'
  // removed by the pass expand-arithmetic, before lowering:
  | 'div_s'
  | 'rem_s'
  | 'rotl'
  | 'rotr';
export type UnaryOp =
  | 'extend8_s'
  | 'extend16_s'
  | 'extend32_s'
  // byte swaps, as BPF has them; made by passes only
  | 'bswap16'
  | 'bswap32'
  | 'bswap64'
  // removed by expand-arithmetic:
  | 'clz'
  | 'ctz'
  | 'popcnt';
export type CompareOp =
  | 'eq'
  | 'ne'
  | 'lt_u'
  | 'lt_s'
  | 'gt_u'
  | 'gt_s'
  | 'le_u'
  | 'le_s'
  | 'ge_u'
  | 'ge_s';

export type FrameKind = 'take' | 'release' | 'load' | 'store';

/** A source position: an index into Module.positions; null where none is known. */
export type Loc = number | null;

interface InstrBase {
  /** The value it defines; `type` is its type. Instructions without result define a value that nothing uses, of type i32. */
  readonly id: ValueId;
  readonly type: Type;
  readonly loc: Loc;
}
export type Instr = InstrBase &
  (
    | { readonly op: 'const'; readonly value: bigint } // i32: 0..2^32-1, i64: 0..2^64-1
    | { readonly op: 'binary'; readonly kind: BinaryOp; readonly args: readonly [ValueId, ValueId] }
    | { readonly op: 'unary'; readonly kind: UnaryOp; readonly args: readonly [ValueId] }
    | {
        readonly op: 'compare';
        readonly kind: CompareOp;
        readonly args: readonly [ValueId, ValueId];
      } // args of one type; result i32 0|1
    | { readonly op: 'select'; readonly args: readonly [ValueId, ValueId, ValueId] } // condition (i32), then, else
    | { readonly op: 'extend_u'; readonly args: readonly [ValueId] } // i32 -> i64
    | { readonly op: 'extend_s'; readonly args: readonly [ValueId] } // i32 -> i64
    | { readonly op: 'wrap'; readonly args: readonly [ValueId] } // i64 -> i32
    /** Load from WASM linear memory (snapshot) at args[0] + offset; out of bounds traps. Becomes const or load.image. */
    | {
        readonly op: 'load.memory';
        readonly size: LoadSize;
        readonly signed: boolean;
        readonly offset: number;
        readonly args: readonly [ValueId];
      }
    /** Store into linear memory: args are address and value, whose low bytes it takes. Gone after promote-memory. */
    | {
        readonly op: 'store.memory';
        readonly size: LoadSize;
        readonly offset: number;
        readonly args: readonly [ValueId, ValueId];
      }
    /**
     * Load from read-only data: `image` at byte `offset + index`; index is args[0] (i32 or i64).
     * Where index > limit it traps; a constant index is checked at compile time. Zero-extends.
     */
    | {
        readonly op: 'load.image';
        readonly image: string;
        readonly size: LoadSize;
        readonly offset: number;
        readonly limit: number;
        readonly args: readonly [ValueId];
      }
    /**
     * Load from the bytes of a request's head at `offset + index`, where args are the request and the
     * index (i32). Where index > limit it traps. Zero-extends.
     */
    | {
        readonly op: 'load.head';
        readonly size: LoadSize;
        readonly offset: number;
        readonly limit: number;
        readonly args: readonly [ValueId, ValueId];
      }
    /** Load at a constant offset behind a pointer parameter. Zero-extends. */
    | {
        readonly op: 'load.pointer';
        readonly size: LoadSize;
        readonly offset: number;
        readonly args: readonly [ValueId];
      }
    | {
        readonly op: 'store.pointer';
        readonly size: LoadSize;
        readonly offset: number;
        readonly args: readonly [ValueId, ValueId];
      } // pointer, value
    /**
     * Memory for recursion. Its slot (args[0], i32) is tried to `take`, which answers 0 where it was free, and given
     * back by `release`; words of it are loaded and stored at the byte args[1] (i32) + offset.
     */
    | {
        readonly op: 'frame';
        readonly kind: FrameKind;
        readonly offset: number;
        readonly args: readonly ValueId[];
      }
    /**
     * A word of the memory that a function shares with the one that is called for each turn of a loop: on the stack of the
     * function that has the `loop`, behind the second parameter of a `turn`. `store` takes its value from args[0].
     */
    | {
        readonly op: 'context';
        readonly kind: 'load' | 'store';
        readonly word: number;
        readonly args: readonly ValueId[];
      }
    /** Calls a `turn` function until it answers 1, `rounds` times at most (bpf_loop). */
    | { readonly op: 'loop'; readonly callee: string; readonly rounds: number }
    /** Call of a global function by symbol. i32/i64 result. */
    | { readonly op: 'call'; readonly callee: string; readonly args: readonly ValueId[] }
    /** Call of an ABI import; removed by expand-abi and expand-tables before lowering. */
    | { readonly op: 'abi'; readonly name: string; readonly args: readonly ValueId[] }
    /** The same value, unknown to the verifier: args[0] + zero, where args[1] is the connection pointer. */
    | { readonly op: 'launder'; readonly args: readonly [ValueId, ValueId] }
    /** Loop-bound hint for the verifier (kernels with may_goto); exits to a fuel trap; nothing elsewhere. */
    | { readonly op: 'may_goto' }
  );

export interface Target {
  readonly block: BlockId;
  readonly args: readonly ValueId[];
}
export type TrapKind = 'trap' | 'fuel';
export type Terminator = { readonly loc: Loc } & (
  | { readonly op: 'br'; readonly to: Target }
  | {
      readonly op: 'br_if';
      readonly condition: ValueId;
      readonly then: Target;
      readonly else: Target;
    } // condition: i32 != 0
  | {
      readonly op: 'switch';
      readonly value: ValueId;
      readonly cases: readonly Target[];
      readonly default: Target;
    } // br_table; removed by lower-switch
  | { readonly op: 'return'; readonly value: ValueId | null }
  | { readonly op: 'trap'; readonly kind: TrapKind }
);

export interface Param {
  readonly id: ValueId;
  readonly type: Type;
}
export interface Block {
  readonly id: BlockId;
  params: Param[];
  instrs: Instr[];
  term: Terminator;
}

/**
 * A function. `entry` functions return a verdict or route and turn traps into `stopped` codes.
 * `internal` ones (subprograms) return their i32 result in the low half and what is left of the fuel
 * in the high half of an i64; a trap inside returns `0xffffffff << 32 | code`, which the caller passes on.
 * `turn` functions are one turn of a loop: their parameters are its number and the context; 1 ends the loop.
 */
export interface Func {
  readonly name: string;
  readonly kind: 'entry' | 'internal' | 'dispatcher' | 'turn';
  readonly params: readonly Param[];
  readonly result: IntType | null;
  /** Return value for each trap kind. */
  readonly stopped: Readonly<Record<TrapKind, bigint>>;
  /** blocks[0] is the entry block; it has no predecessors and no params. Order is layout order. */
  blocks: Block[];
  /** The next free value and block number. */
  nextValue: number;
  nextBlock: number;
}

export interface SourcePosition {
  readonly file: string;
  readonly line: number; // 1-based
  readonly column: number; // 1-based
  /** The text of the source line, for line_info. */
  readonly text: string;
}

/** Read-only data of a module, one symbol in .rodata each. */
export interface Image {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly align: number; // a power of two, at least 8
}

export interface Module {
  readonly name: string;
  functions: Func[];
  images: Image[];
  /** First address of linear memory that a decision may write; absent: none. */
  readonly scratchFrom?: number;
  readonly positions: SourcePosition[];
  /** Functions called and defined elsewhere (the dispatcher calls the policies). */
  readonly externs: readonly {
    readonly name: string;
    readonly params: readonly Type[];
    readonly result: IntType;
  }[];
}
