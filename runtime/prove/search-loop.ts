/**
 * Loops that search a text byte by byte, as `contains` and `query` of the SDK are: they are not run round by round. Where one is left and
 * with what is a function of what it began with, the same in each version that has the same loop; more is not said of it.
 * Its fuel is taken to suffice.
 */
import {
  type AbiCall,
  type Block,
  type BlockId,
  type Func,
  type Instr,
  operandsOf,
  type PolicyEntry,
  type Target,
  targetsOf,
  termValue,
  type ValueId,
} from '../../compiler/index.js';
import type { LoopPart } from './loop-order.js';
import type { LoopCode } from './named-search.js';

export interface SearchLoop {
  /** What it does, without the numbers that differ from bundle to bundle. */
  readonly key: string;
  /** Values from outside that it reads, but for constants. */
  readonly inputs: readonly ValueId[];
  readonly exits: readonly Target[];
  /** Fuel, as it comes in and as it is counted down. */
  readonly fuel: ReadonlySet<ValueId>;
  /** Numbers of what it computes. */
  readonly numbers: ReadonlyMap<ValueId, number>;
  /** Where it is `contains`: the text, and by which end it is left where the text was found, and where it was not. */
  readonly contains: {
    readonly text: string;
    readonly found: Target;
    readonly missed: Target;
  } | null;
  /** What it takes to run it. */
  readonly code: LoopCode;
}

const SEARCHES: ReadonlySet<AbiCall['op']> = new Set<AbiCall['op']>(['byte', 'find', 'hash']);

function isFuelTrap(block: Block | undefined): boolean {
  return block?.term.op === 'trap' && block.term.kind === 'fuel';
}

/** What a call asks, with what it looks into in place of numbers. */
function callText(call: AbiCall | undefined, entry: PolicyEntry): string {
  if (call?.op === 'table' || call?.op === 'viewTable')
    return JSON.stringify([call, entry.tables[call.table]]);
  if (call?.op === 'patterns') return JSON.stringify([call, entry.patterns[call.table]]);
  return JSON.stringify(call ?? null);
}

type ResolvedCalls = ReadonlyMap<ValueId, AbiCall>;

/** Reads a loop as a search; null where it is none. */
export function searchLoop(
  func: Func,
  loop: LoopPart,
  calls: ResolvedCalls,
  entry: PolicyEntry,
): SearchLoop | null {
  const all = new Map(func.blocks.map((block) => [block.id, block]));
  const blocks = func.blocks.filter(({ id }) => loop.blocks.has(id));
  const instrs = blocks.flatMap((block) => block.instrs);
  const isSearch = instrs.some(({ id }) => {
    const call = calls.get(id);
    return call !== undefined && SEARCHES.has(call.op);
  });
  if (!isSearch || instrs.some(({ op }) => op === 'call' || op === 'store.memory')) return null;
  const constants = new Map<ValueId, bigint>(
    func.blocks.flatMap((block) =>
      block.instrs.flatMap((instr) =>
        instr.op === 'const' ? [[instr.id, instr.value] as const] : [],
      ),
    ),
  );
  const fuel = fuelOf(blocks, all, constants);
  const numbers = new Map<ValueId, number>();
  for (const block of blocks) {
    for (const { id } of [...block.params, ...block.instrs]) numbers.set(id, numbers.size);
  }
  const places = new Map<BlockId, number>(blocks.map(({ id }, i) => [id, i]));
  const inputs: ValueId[] = [];
  const name = (id: ValueId): string => {
    const value = constants.get(id);
    if (value !== undefined) return `${value}`;
    if (fuel.has(id)) return 'fuel';
    const number = numbers.get(id);
    if (number !== undefined) return `v${number}`;
    if (!inputs.includes(id)) inputs.push(id);
    return `in${inputs.indexOf(id)}`;
  };
  const exits: Target[] = [];
  const goal = (target: Target): string => {
    const place = places.get(target.block);
    if (place !== undefined) return `b${place}(${target.args.map(name).join()})`;
    if (isFuelTrap(all.get(target.block))) return 'fuel';
    exits.push(target);
    return `exit${exits.length - 1}`;
  };
  const instrText = (instr: Instr): string => {
    if (instr.op === 'const') return '';
    if (instr.op !== 'abi') {
      const { id: _, loc: __, args: ___, ...rest } = { args: [], ...instr };
      return `${JSON.stringify(rest, (_key, value) => (typeof value === 'bigint' ? `${value}` : value))} ${operandsOf(instr).map(name).join()}`;
    }
    // Constants of a call are in what it was resolved to; addresses of texts differ from bundle to bundle.
    const call = calls.get(instr.id);
    const open = instr.args.filter(
      (id) => !constants.has(id) || call?.op === 'find' || call?.op === 'byte',
    );
    return `${instr.name} ${callText(call, entry)} ${open.map(name).join()}`;
  };
  const text = blocks.map((block) => {
    const value = termValue(block.term);
    const by = value === null ? '' : name(value);
    return [
      ...block.instrs.map(instrText),
      `${block.term.op} ${by} ${targetsOf(block.term).map(goal).join(' ')}`,
    ].join('\n');
  });
  if (exits.length === 0) return null;
  const contains = containsOf(blocks, exits, { all, calls, constants });
  const own = new Map(blocks.map((block) => [block.id, block]));
  const code = { header: loop.header, blocks: own, exits, calls, constants, fuel };
  return { key: text.join('\n'), inputs, exits, fuel, numbers, contains, code };
}

/** A search for the first character of a text, and whether the text stands there: left by that, or for want of more. */
function containsOf(
  blocks: readonly Block[],
  exits: readonly Target[],
  {
    all,
    calls,
    constants,
  }: {
    readonly all: ReadonlyMap<BlockId, Block>;
    readonly calls: ResolvedCalls;
    readonly constants: ReadonlyMap<ValueId, bigint>;
  },
): SearchLoop['contains'] {
  const asked = blocks.flatMap(({ instrs }) => instrs.filter(({ op }) => op === 'abi'));
  const finds = asked.filter(({ id }) => calls.get(id)?.op === 'find');
  const tests = asked.filter(({ id }) => calls.get(id)?.op === 'literal');
  const [find, test] = [finds[0], tests[0]];
  if (asked.length !== 2 || find === undefined || test === undefined) return null;
  const call = calls.get(test.id);
  if (call?.op !== 'literal' || call.compare !== 'startsWith' || call.ignoresCase) return null;
  const byte = constants.get(operandsOf(find)[1] as ValueId);
  if (byte === undefined || byte !== BigInt(call.text.charCodeAt(0))) return null;
  const choice = blocks.find(({ term }) => term.op === 'br_if' && term.condition === test.id)?.term;
  if (choice?.op !== 'br_if') return null;
  const isStop = ({ block }: Target): boolean => all.get(block)?.term.op === 'trap';
  const missed = exits.filter((exit) => exit !== choice.then && !isStop(exit));
  const [first] = missed;
  const isOne = missed.every(
    ({ block, args }) => block === first?.block && args.join() === first.args.join(),
  );
  if (first === undefined || !isOne || !exits.includes(choice.then)) return null;
  return { text: call.text, found: choice.then, missed: first };
}

/** What is tested before the loop stops for want of fuel, and what is made of it. */
function fuelOf(
  blocks: readonly Block[],
  all: ReadonlyMap<BlockId, Block>,
  constants: ReadonlyMap<ValueId, bigint>,
): ReadonlySet<ValueId> {
  const tested = new Set<ValueId>();
  for (const { term } of blocks) {
    if (term.op !== 'br_if') continue;
    if (isFuelTrap(all.get(term.then.block)) || isFuelTrap(all.get(term.else.block)))
      tested.add(term.condition);
  }
  const instrs = blocks.flatMap((block) => block.instrs);
  const found = new Set(tested);
  for (const instr of instrs) {
    if (tested.has(instr.id) && instr.op === 'compare') found.add(instr.args[0]);
  }
  for (const instr of instrs) {
    const isDown =
      instr.op === 'binary' && found.has(instr.args[0]) && constants.has(instr.args[1]);
    if (isDown) found.add(instr.id);
  }
  return found;
}
