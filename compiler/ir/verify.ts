/**
 * Checks a function and answers with what is wrong; an empty list means well-formed.
 *
 *   structure    a function has blocks; block and value numbers are unique and below nextBlock, nextValue;
 *                the entry block has no predecessor and no parameters; every target exists
 *   dominance    a use is dominated by its definition (reachable blocks only)
 *   types        operands have the type that the operation asks for; results too; conditions are i32
 *   arguments    number and types of block arguments, of call arguments for known callees
 *   constants    in the range of their type
 *   memory       a load fits its type; an image exists and its loads stay inside; pointers come from `ptr`
 *   result       `return` has a value exactly where the function has a result, of that type
 *   source       every loc is an index into the module's positions
 *
 * Not checked: that a dominating test makes a division total, and that loops end.
 */
import { FRAME_WORDS, HEAD_MAX, HEAD_SLACK } from '../abi/index.js';
import { maskOf } from './arithmetic.js';
import { dominators, predecessors } from './graph.js';
import { FRAME_OPERANDS, operandsOf, targetsOf, termValue, valueTypes } from './operands.js';
import { printInstr, printTerm } from './print.js';
import type { BlockId, Func, Instr, Module, Target, Type, ValueId } from './types.js';

type Report = (message: string) => void;

const TAKES_POINTERS: ReadonlySet<Instr['op']> = new Set([
  'load.pointer',
  'load.head',
  'store.pointer',
  'launder',
  'call',
  'context',
]);

function expectedOperands(
  instr: Instr,
  module: Module,
  types: ReadonlyMap<ValueId, Type>,
): readonly (Type | null)[] {
  switch (instr.op) {
    case 'const':
    case 'may_goto':
    case 'loop':
      return [];
    case 'context':
      return instr.kind === 'store' ? [null] : [];
    case 'binary':
      return [instr.type, instr.type];
    case 'unary':
      return [instr.type];
    case 'compare': {
      const type = types.get(instr.args[0]) ?? null;
      return [type, type];
    }
    case 'select':
      return ['i32', instr.type, instr.type];
    case 'extend_u':
    case 'extend_s':
    case 'load.memory':
      return ['i32'];
    case 'wrap':
      return ['i64'];
    case 'load.image':
      return [null];
    case 'load.head':
      return ['ptr', 'i32'];
    case 'load.pointer':
      return ['ptr'];
    case 'store.pointer':
      return ['ptr', null];
    case 'store.memory':
      return ['i32', null];
    case 'launder':
      return [instr.type, 'ptr'];
    case 'frame':
      return (['i32', 'i32', 'i64'] as const).slice(0, FRAME_OPERANDS[instr.kind]);
    case 'call': {
      const callee =
        module.functions.find((f) => f.name === instr.callee)?.params.map((p) => p.type) ??
        module.externs.find((e) => e.name === instr.callee)?.params;
      return callee ?? instr.args.map(() => null);
    }
    case 'abi':
      return instr.args.map(() => null);
  }
}

function checkInstr(
  instr: Instr,
  module: Module,
  types: ReadonlyMap<ValueId, Type>,
  report: Report,
): void {
  const expected = expectedOperands(instr, module, types);
  const args = operandsOf(instr);
  if (args.length !== expected.length) report(`takes ${expected.length} operands`);
  args.forEach((arg, i) => {
    const want = expected[i] ?? null;
    const have = types.get(arg);
    if (want !== null && have !== undefined && have !== want)
      report(`operand v${arg} is ${have}, not ${want}`);
    const pointer = TAKES_POINTERS.has(instr.op);
    if (have === 'ptr' && !pointer) report(`v${arg} is a pointer`);
  });
  if (instr.type === 'ptr' && instr.op !== 'context') report('no instruction makes a pointer');
  const fixed: Partial<Record<Instr['op'], Type>> = {
    compare: 'i32',
    wrap: 'i32',
    extend_u: 'i64',
    extend_s: 'i64',
  };
  const want = fixed[instr.op];
  if (want !== undefined && instr.type !== want) report(`has type ${instr.type}, not ${want}`);
  if (instr.op === 'const' && (instr.value < 0n || instr.value > maskOf(instr.type))) {
    report('constant out of range');
  }
  if (
    'size' in instr &&
    !instr.op.startsWith('store.') &&
    instr.size === 8 &&
    instr.type === 'i32'
  ) {
    report('8 bytes do not fit an i32');
  }
  if (
    (instr.op === 'load.image' || instr.op === 'load.memory' || instr.op === 'load.pointer') &&
    instr.offset < 0
  ) {
    report('negative offset');
  }
  if (instr.op === 'load.image') {
    const image = module.images.find((i) => i.name === instr.image);
    if (image === undefined) report(`no image \`${instr.image}\``);
    else if (instr.limit < 0 || instr.offset + instr.limit + instr.size > image.bytes.length) {
      report(`reaches behind image \`${instr.image}\``);
    }
  }
  if (instr.op === 'load.head') {
    const end = instr.offset + instr.limit + instr.size;
    if (instr.offset < 0 || instr.limit < 0 || end > HEAD_MAX + HEAD_SLACK)
      report('reaches behind the head');
  }
  if (instr.op === 'frame') {
    const inside = instr.offset >= 0 && instr.offset % 8 === 0 && instr.offset < 8 * FRAME_WORDS;
    if (!inside) report('reaches behind a frame');
    const type = instr.kind === 'load' ? 'i64' : 'i32';
    if (instr.type !== type) report(`has type ${instr.type}, not ${type}`);
  }
  const callee =
    instr.op === 'call' ? module.functions.find((f) => f.name === instr.callee) : undefined;
  if (callee !== undefined && (callee.result ?? 'i32') !== instr.type) {
    report(`callee returns ${callee.result ?? 'nothing'}`);
  }
}

/** Where each value is defined: block and place in it; parameters at -1. */
function places(func: Func, report: Report): Map<ValueId, { block: BlockId; index: number }> {
  const at = new Map<ValueId, { block: BlockId; index: number }>();
  const entry = func.blocks[0]?.id ?? (0 as BlockId);
  const define = (id: ValueId, block: BlockId, index: number): void => {
    if (at.has(id)) report(`v${id} is defined twice`);
    if (id >= func.nextValue || id < 0) report(`v${id} is not below nextValue`);
    at.set(id, { block, index });
  };
  for (const param of func.params) define(param.id, entry, -1);
  const seen = new Set<BlockId>();
  for (const block of func.blocks) {
    if (seen.has(block.id)) report(`b${block.id} is there twice`);
    if (block.id >= func.nextBlock || block.id < 0) report(`b${block.id} is not below nextBlock`);
    seen.add(block.id);
    for (const param of block.params) define(param.id, block.id, -1);
    block.instrs.forEach((instr, i) => {
      define(instr.id, block.id, i);
    });
  }
  return at;
}

/** Lists what is wrong with a function, one sentence each, naming block and instruction. */
export function verify(func: Func, module: Module): string[] {
  const problems: string[] = [];
  const report: Report = (message) => problems.push(`${func.name}: ${message}`);
  const entry = func.blocks[0];
  if (entry === undefined) return [`${func.name}: has no blocks`];
  const defined = places(func, report);
  const types = valueTypes(func);
  const blocks = new Map(func.blocks.map((block) => [block.id, block]));
  const preds = predecessors(func);
  if (entry.params.length > 0) report('the entry block has parameters');
  if ((preds.get(entry.id) ?? []).length > 0) report('the entry block has predecessors');
  if (func.kind !== 'dispatcher' && func.kind !== 'turn' && func.params[0]?.type !== 'ptr') {
    report('the first parameter is not the connection');
  }
  const doms = dominators(func);
  for (const block of func.blocks) {
    const reachable = doms.parent.has(block.id);
    const use = (value: ValueId, index: number, complain: Report): void => {
      const def = defined.get(value);
      if (def === undefined) {
        complain(`v${value} is not defined`);
        return;
      }
      const before =
        def.block === block.id ? def.index < index : doms.dominates(def.block, block.id);
      if (reachable && !before) complain(`v${value} does not dominate this use`);
    };
    block.instrs.forEach((instr, i) => {
      const complain: Report = (message) =>
        report(`b${block.id}: ${printInstr(instr)}: ${message}`);
      for (const arg of operandsOf(instr)) use(arg, i, complain);
      checkInstr(instr, module, types, complain);
      checkLoc(instr.loc, module, complain);
    });
    const term = block.term;
    const complain: Report = (message) => report(`b${block.id}: ${printTerm(term)}: ${message}`);
    checkLoc(term.loc, module, complain);
    const value = termValue(term);
    if (value !== null) use(value, block.instrs.length, complain);
    if (term.op === 'return') {
      if ((value === null) !== (func.result === null)) complain('value and result do not agree');
      if (value !== null && types.get(value) !== func.result) complain('value has the wrong type');
    } else if (value !== null && types.get(value) !== 'i32')
      complain('decides on a value that is not i32');
    for (const target of targetsOf(term)) {
      for (const arg of target.args) use(arg, block.instrs.length, complain);
      checkTarget(target, blocks.get(target.block)?.params ?? null, types, complain);
    }
  }
  return problems;
}

function checkLoc(loc: number | null, module: Module, report: Report): void {
  if (loc !== null && module.positions[loc] === undefined) report(`no position ${loc}`);
}

function checkTarget(
  target: Target,
  params: readonly { id: ValueId; type: Type }[] | null,
  types: ReadonlyMap<ValueId, Type>,
  report: Report,
): void {
  if (params === null) {
    report(`no block b${target.block}`);
    return;
  }
  if (params.length !== target.args.length) {
    report(`b${target.block} takes ${params.length} arguments`);
    return;
  }
  params.forEach((param, i) => {
    const arg = target.args[i];
    if (arg !== undefined && types.get(arg) !== param.type) {
      report(`argument v${arg} of b${target.block} is not ${param.type}`);
    }
    if (param.type === 'ptr') report(`b${target.block} takes a pointer`);
  });
}

/** All problems of all functions of a module. */
export function verifyModule(module: Module): string[] {
  return module.functions.flatMap((func) => verify(func, module));
}
