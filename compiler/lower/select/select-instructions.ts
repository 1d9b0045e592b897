/**
 * Pass    select-instructions
 * Reads   a function in lowered form: no `abi`, `load.memory`, `switch`, signed division or rotation
 * Writes  blocks of eBPF instructions over virtual registers, compares fused into their jumps,
 *         constants as immediates, block arguments as copies on split edges
 * Refuses nothing: what earlier passes should have removed is a BugError
 * Keeps   the result of every run; an i32 is always zero-extended
 */
import { BugError, unreachable } from '../../diagnostic/index.js';
import type { Block, BlockId, Func, Instr, Target, Terminator, ValueId } from '../../ir/types.js';
import { branch, call, type Label, mayGoto, mov, R0, R1, type Reg } from '../asm/index.js';
import { freshReg, type LirFunc, regOfValue } from '../lir.js';
import { binary, convert, unary } from './arithmetic.js';
import { branchOn, isJumped, materialise, select } from './conditions.js';
import { callLoop, contextWord } from './context.js';
import { frame } from './frame.js';
import { launder, loadHead, loadImage, loadPointer, loadZero, storePointer } from './memory.js';
import { type Copy, sequence } from './parallel-copies.js';
import { type SelectOptions, Selector } from './selector.js';

/** R1 to R5. */
export const MAX_ARGUMENTS = 5;

type Labels = ReadonlyMap<BlockId, Label>;

/** Selects instructions for one function. */
export function selectInstructions(func: Func, options: SelectOptions): LirFunc {
  const s = new Selector(func, options);
  const blocks = reachable(func);
  const labels = new Map<BlockId, Label>();
  const [entry] = blocks;
  if (entry === undefined) throw new BugError(`function ${func.name} has no block`);
  for (const block of blocks) labels.set(block.id, s.newBlock());
  prologue(s, labelOf(labels, entry.id));
  for (const block of blocks) {
    s.enter(labelOf(labels, block.id));
    for (const instr of block.instrs) {
      s.loc = instr.loc;
      lowerInstr(s, instr);
    }
    s.loc = block.term.loc;
    lowerTerminator(s, block.term, labels);
  }
  return s.lir;
}

function labelOf(labels: Labels, block: BlockId): Label {
  const label = labels.get(block);
  if (label === undefined) throw new BugError(`no block b${block}`);
  return label;
}

function reachable(func: Func): Block[] {
  const byId = new Map(func.blocks.map((block) => [block.id, block]));
  const seen = new Set<BlockId>();
  const work = func.blocks.slice(0, 1).map((block) => block.id);
  for (let id = work.pop(); id !== undefined; id = work.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    const term = byId.get(id)?.term;
    if (term?.op === 'br') work.push(term.to.block);
    if (term?.op === 'br_if') work.push(term.then.block, term.else.block);
  }
  return func.blocks.filter((block) => seen.has(block.id));
}

/**
 * Parameters come in R1 to R5. The verifier takes a pointer that a global function is given for one
 * that may be null, so each that is used to load or store is tested once.
 */
function prologue(s: Selector, entry: Label): void {
  if (s.func.params.length > MAX_ARGUMENTS) {
    throw new BugError(`function ${s.func.name} has more than ${MAX_ARGUMENTS} parameters`);
  }
  const pointers = dereferenced(s.func);
  for (const [i, param] of s.func.params.entries()) {
    const left = (R1 + i) as Reg;
    if (!pointers.all.has(param.id)) continue;
    s.emit(branch({ kind: 'eq', width: 64, left, right: { imm: 0 } }, s.trap('trap')));
  }
  for (const [i, param] of s.func.params.entries()) {
    const isContext = s.func.kind === 'turn' && i === 1;
    if (s.usesOf(param.id) > 0 || isContext) s.emit(mov.reg(regOfValue(param.id), (R1 + i) as Reg));
  }
  for (const pointer of pointers.laundering) {
    const zero = freshReg(s.lir);
    s.emit(mov.reg(zero, loadZero(s, pointer)));
    s.zeros.set(pointer, zero);
  }
  s.end({ op: 'goto', to: entry, loc: null });
}

function dereferenced(func: Func): { all: Set<ValueId>; laundering: Set<ValueId> } {
  const all = new Set<ValueId>();
  const laundering = new Set<ValueId>();
  const params = new Set(func.params.map((param) => param.id));
  const pointers = new Set(func.params.flatMap(({ id, type }) => (type === 'ptr' ? [id] : [])));
  // In a turn pointers come out of the context, where only good ones are.
  if (func.kind === 'turn') return { all: new Set(), laundering: new Set() };
  for (const { instrs } of func.blocks) {
    for (const instr of instrs) {
      const reads = instr.op === 'load.pointer' || instr.op === 'load.head';
      if (reads || instr.op === 'store.pointer') all.add(instr.args[0]);
      if (instr.op === 'context' && instr.kind === 'store') {
        // What a turn finds there is no null pointer.
        for (const value of instr.args) if (pointers.has(value)) all.add(value);
      }
      if (instr.op === 'launder') laundering.add(instr.args[1]);
    }
  }
  for (const pointer of laundering) all.add(pointer);
  for (const pointer of all) {
    if (!params.has(pointer)) throw new BugError(`v${pointer} is no pointer parameter`);
  }
  return { all, laundering };
}

const PURE: ReadonlySet<Instr['op']> = new Set([
  'binary',
  'unary',
  'compare',
  'select',
  'extend_u',
  'extend_s',
  'wrap',
  'load.pointer',
  'launder',
]);

function lowerInstr(s: Selector, instr: Instr): void {
  if (PURE.has(instr.op) && s.usesOf(instr.id) === 0) return;
  if (isJumped(s, instr.id)) return;
  switch (instr.op) {
    case 'const':
      return;
    case 'binary':
      if (s.conditions.trees.has(instr.id)) materialise(s, instr);
      else binary(s, instr);
      return;
    case 'unary':
      unary(s, instr);
      return;
    case 'compare':
      materialise(s, instr);
      return;
    case 'select':
      select(s, instr);
      return;
    case 'extend_u':
    case 'extend_s':
    case 'wrap':
      convert(s, instr);
      return;
    case 'load.image':
      loadImage(s, instr);
      return;
    case 'load.head':
      loadHead(s, instr);
      return;
    case 'frame':
      frame(s, instr);
      return;
    case 'load.pointer':
      loadPointer(s, instr);
      return;
    case 'store.pointer':
      storePointer(s, instr);
      return;
    case 'context':
      if (instr.kind === 'store' || s.usesOf(instr.id) > 0) contextWord(s, instr);
      return;
    case 'loop':
      callLoop(s, instr);
      return;
    case 'call':
      lowerCall(s, instr);
      return;
    case 'launder':
      launder(s, instr);
      return;
    case 'may_goto':
      if (s.withMayGoto) s.emit(mayGoto(s.trap('fuel')));
      return;
    case 'load.memory':
    case 'store.memory':
    case 'abi':
      throw new BugError(`${instr.op} should have been expanded before lowering`);
    default:
      unreachable(instr, 'instruction');
  }
}

function lowerCall(s: Selector, instr: Extract<Instr, { op: 'call' }>): void {
  if (instr.args.length > MAX_ARGUMENTS) {
    throw new BugError(`call of ${instr.callee} with ${instr.args.length} arguments`);
  }
  for (const [i, arg] of instr.args.entries()) s.moveTo((R1 + i) as Reg, arg);
  s.emit(call(instr.callee, instr.args.length));
  if (s.usesOf(instr.id) > 0) s.emit(mov.reg(regOfValue(instr.id), R0));
}

function lowerTerminator(s: Selector, term: Terminator, labels: Labels): void {
  switch (term.op) {
    case 'br':
      passArguments(s, term.to);
      s.end({ op: 'goto', to: labelOf(labels, term.to.block), loc: term.loc });
      return;
    case 'br_if': {
      const known = s.constant(term.condition);
      if (known !== null) {
        const to = known === 0n ? term.else : term.then;
        lowerTerminator(s, { op: 'br', to, loc: term.loc }, labels);
        return;
      }
      const yes = edge(s, term.then, labels);
      const no = edge(s, term.else, labels);
      branchOn(s, term.condition, yes.label, no.label);
      yes.fill();
      no.fill();
      return;
    }
    case 'return':
      if (term.value === null) s.loadConstant(R0, 0n);
      else s.moveTo(R0, term.value);
      s.end({ op: 'exit', loc: term.loc });
      return;
    case 'trap':
      s.end({ op: 'goto', to: s.trap(term.kind), loc: term.loc });
      return;
    case 'switch':
      throw new BugError('switch should have been lowered before');
    default:
      unreachable(term, 'terminator');
  }
}

/** Where a branch goes: the block itself, or a block on the edge that passes the arguments. */
function edge(s: Selector, target: Target, labels: Labels): { label: Label; fill: () => void } {
  const to = labelOf(labels, target.block);
  if (target.args.length === 0) return { label: to, fill: () => {} };
  const label = s.newBlock();
  const fill = (): void => {
    s.enter(label);
    passArguments(s, target);
    s.end({ op: 'goto', to, loc: s.loc });
  };
  return { label, fill };
}

function passArguments(s: Selector, target: Target): void {
  const params = s.paramsOf(target.block);
  if (params.length !== target.args.length) {
    throw new BugError(`block b${target.block} takes ${params.length} arguments`);
  }
  const copies: Copy[] = [];
  const constants: [Reg, bigint][] = [];
  for (const [i, param] of params.entries()) {
    const arg = target.args[i] as ValueId;
    const constant = s.constant(arg);
    if (s.usesOf(param.id) === 0) continue;
    if (constant === null) copies.push({ dst: regOfValue(param.id), src: regOfValue(arg) });
    else constants.push([regOfValue(param.id), constant]);
  }
  for (const { dst, src } of sequence(copies, () => freshReg(s.lir))) s.emit(mov.reg(dst, src));
  for (const [dst, value] of constants) s.loadConstant(dst, value);
}
