/**
 * The pipeline. Reading `optimize` is reading the compiler's middle: each line is a pass, in order.
 */
import { BugError } from '../diagnostic/index.js';
import { type BlockId, type Func, type Module, verifyModule } from '../ir/index.js';
import { balanceChains } from './balance-chains.js';
import { dropUnused } from './drop-unused.js';
import { eliminateCommonSubexpressions } from './eliminate-common-subexpressions.js';
import { eliminateDeadCode } from './eliminate-dead-code.js';
import { expandArithmetic } from './expand-arithmetic.js';
import { foldConstants } from './fold-constants.js';
import { foldMemory } from './fold-memory.js';
import { foldPlaces } from './fold-places.js';
import { type Calls, guardLoops, type Walk } from './guard-loops.js';
import { indexMemory } from './index-memory.js';
import { inline } from './inline.js';
import { lowerSwitch } from './lower-switch.js';
import { mergeWays } from './merge-ways.js';
import { orderBlocks } from './order-blocks.js';
import { promoteMemory } from './promote-memory.js';
import { reduceStrength } from './reduce-strength.js';
import { simplifyBranches } from './simplify-branches.js';
import { simplifyParams } from './simplify-params.js';
import { sinkLoads } from './sink-loads.js';
import { sinkValues } from './sink-values.js';
import { threadBranches } from './thread-branches.js';
import type { FunctionPass } from './types.js';
import { unrollLoops } from './unroll-loops.js';

export interface SimplifyOptions {
  /** Runs the IR verifier after every pass; a finding is a BugError that names the pass. */
  readonly verify?: boolean;
  /** Sees the module behind every pass that changed it; must leave it as it is. */
  readonly observe?: PassObserver | undefined;
}
export type PassObserver = (pass: string, module: Module) => void;
export interface OptimizeOptions extends SimplifyOptions {
  /** Replaces ABI calls by instructions, once they are as few as they get. */
  readonly expand?: (module: Module) => void;
  /** For kernels that have may_goto; false unless told. */
  readonly mayGoto?: boolean;
  /** The fuel that a decision begins with; the most that a project may ask for unless told. */
  readonly fuel?: number;
  /** For kernels without may_goto: loops that are too much to walk become calls of bpf_loop. */
  readonly calls?: Calls;
  /** Is told what loops cost a verifier without may_goto. */
  readonly onWalk?: (walk: Walk) => void;
  /** Instructions that a verifier may walk of a function before what costs it most is made shorter. */
  readonly walked?: number;
  /** What a verifier walks of a function, more exactly than merge-ways counts. */
  readonly walk?: (func: Func, module: Module) => number;
  /** Is told about what a verifier has to walk of each function. */
  readonly onWalked?: (name: string, walked: number) => void;
}

const MOST_FUEL = 1_000_000;
const MOST_WALKED = 60_000;

const ROUNDS = 12;

type Run = (name: string, pass: () => boolean) => boolean;
function runner(module: Module, { verify = false, observe }: SimplifyOptions): Run {
  return (name, pass) => {
    const changed = pass();
    if (changed) observe?.(name, module);
    const problems = verify && changed ? verifyModule(module) : [];
    if (problems.length > 0) throw new BugError(`pass ${name}: ${problems.slice(0, 5).join('; ')}`);
    return changed;
  };
}

const CLEANUP: readonly (readonly [string, FunctionPass])[] = [
  ['simplify-params', simplifyParams],
  ['fold-constants', foldConstants],
  ['fold-memory', foldMemory],
  ['promote-memory', promoteMemory],
  ['eliminate-common-subexpressions', eliminateCommonSubexpressions],
  ['simplify-branches', simplifyBranches],
  ['thread-branches', threadBranches],
  ['eliminate-dead-code', eliminateDeadCode],
];

/**
 * Cleans up until nothing changes, which is when each pass has left alone what the one before it left; the
 * bound is never met but keeps a compile finite.
 */
function cleanUp(module: Module, run: Run): void {
  for (const func of module.functions) {
    let idle = 0;
    for (let round = 0; round < ROUNDS && idle < CLEANUP.length; round++) {
      for (const [name, pass] of CLEANUP) {
        idle = run(name, () => pass(func, module)) ? 0 : idle + 1;
        if (idle === CLEANUP.length) break;
      }
    }
  }
}

/** Makes a module as plain as it gets without lowering anything: what build-ir judges. */
export function simplify(module: Module, options: SimplifyOptions = {}): void {
  const run = runner(module, options);
  run('build', () => true);
  cleanUp(module, run);
  for (let round = 0; round < ROUNDS && run('inline', () => inline(module)); round++) {
    cleanUp(module, run);
  }
  for (const func of module.functions) {
    const only = { ...module, functions: [func] };
    const each = (name: string, pass: () => boolean): void => {
      for (let round = 0; round < ROUNDS && run(name, pass); round++) cleanUp(only, run);
    };
    for (const evenWriting of [false, true]) {
      if (evenWriting && !writesMemory(func)) break;
      each('unroll-loops', () => unrollLoops(func, module, evenWriting));
      each('fold-places', () => foldPlaces(func, module));
      each('index-memory', () => indexMemory(func, module));
    }
    each('fold-places', () => foldPlaces(func, module));
  }
}

/** True where something is written that is no value yet. */
function writesMemory(func: Func): boolean {
  return func.blocks.some(({ instrs }) => instrs.some(({ op }) => op === 'store.memory'));
}

/** From built IR to IR that lowers one to one; throws BugError where a pass broke the IR. */
export function optimize(module: Module, options: OptimizeOptions = {}): void {
  const run = runner(module, options);
  const each = (name: string, pass: (func: Func, module: Module) => boolean): void => {
    for (const func of module.functions) run(name, () => pass(func, module));
  };
  simplify(module, options);
  if (options.expand !== undefined) {
    const { expand } = options;
    run('expand', () => {
      expand(module);
      return true;
    });
    simplify(module, options);
  }
  each('expand-arithmetic', expandArithmetic);
  each('reduce-strength', reduceStrength);
  each('lower-switch', lowerSwitch);
  cleanUp(module, run);
  each('balance-chains', balanceChains);
  each('sink-values', sinkValues);
  each('sink-loads', sinkLoads);
  const {
    mayGoto = false,
    calls = 'none',
    fuel = MOST_FUEL,
    walked: limit = MOST_WALKED,
    onWalk,
    walk,
    onWalked,
  } = options;
  for (const func of module.functions) {
    const turns = new Map<BlockId, number>();
    const onTurns = (header: BlockId, count: number): unknown => turns.set(header, count);
    const onTurn =
      calls !== 'none' ? (turn: Func): unknown => module.functions.push(turn) : undefined;
    const guards = {
      mayGoto,
      fuel,
      onTurns,
      onTurn,
      calls,
      ...(onWalk === undefined ? {} : { onWalk }),
    };
    run('guard-loops', () => guardLoops(func, guards));
    const walkIt = walk === undefined ? undefined : (of: Func) => walk(of, module);
    run('merge-ways', () => mergeWays(func, { limit, turns, walk: walkIt, onWalked }));
  }
  each('eliminate-dead-code', eliminateDeadCode);
  each('order-blocks', orderBlocks);
  run('drop-unused', () => dropUnused(module));
}
