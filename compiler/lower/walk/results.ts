/**
 * What instructions made of their operands when they were last walked. Most turns of a loop ask the same again, of the
 * same numbers, and big numbers are slow.
 */
import type { Insn, Width } from '../asm/index.js';
import { decide, narrow, type Pair } from './branch.js';
import { computeOld, decideOld, narrowOld } from './old-rules.js';
import { compute, exactly, type Range } from './scalar.js';

type Alu = Extract<Insn, { op: 'alu' }>;
type Test = Extract<Insn, { op: 'branch' }>['test'];

/** What a test comes to. */
export interface Tested {
  /** Null where both ways are open. */
  readonly decided: boolean | null;
  /** What is left of both numbers where it holds, and where it does not. */
  readonly yes: Pair;
  readonly no: Pair;
}

/** How a verifier reckons. */
interface Rules {
  readonly compute: typeof compute;
  readonly decide: typeof decide;
  readonly narrow: typeof narrow;
}
const NEW: Rules = { compute, decide, narrow };
const OLD: Rules = { compute: computeOld, decide: decideOld, narrow: narrowOld };

/** The last results of the instructions of one function. */
export class Results {
  readonly #rules: Rules;
  readonly #immediates: (Range | undefined)[];
  readonly #computed: ({ readonly pair: Pair; readonly result: Range } | undefined)[];
  readonly #tested: ({ readonly pair: Pair; readonly result: Tested } | undefined)[];

  constructor(instructions: number, isOld: boolean) {
    this.#rules = isOld ? OLD : NEW;
    this.#immediates = new Array(instructions);
    this.#computed = new Array(instructions);
    this.#tested = new Array(instructions);
  }

  /** The constant operand of the instruction at `at`. */
  immediate(at: number, imm: number, width: Width): Range {
    const known = this.#immediates[at];
    if (known !== undefined) return known;
    const number = BigInt(imm);
    const range = exactly(width === 32 ? BigInt.asUintN(32, number) : number);
    this.#immediates[at] = range;
    return range;
  }

  compute(at: number, { kind, width }: Alu, left: Range, right: Range): Range {
    const known = this.#computed[at];
    if (known !== undefined && known.pair[0] === left && known.pair[1] === right)
      return known.result;
    const result = this.#rules.compute(kind, width, left, right);
    this.#computed[at] = { pair: [left, right], result };
    return result;
  }

  test(at: number, { kind, width }: Test, pair: Pair): Tested {
    const known = this.#tested[at];
    if (known !== undefined && known.pair[0] === pair[0] && known.pair[1] === pair[1])
      return known.result;
    const { decide, narrow } = this.#rules;
    const decided = decide(kind, width, pair[0], pair[1]);
    const result = {
      decided,
      yes: decided === null ? narrow(kind, width, true, pair) : pair,
      no: decided === null ? narrow(kind, width, false, pair) : pair,
    };
    this.#tested[at] = { pair, result };
    return result;
  }
}
