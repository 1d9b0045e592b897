/**
 * The IR as text; parse.ts reads it back and holds the grammar.
 */
import { unreachable } from '../diagnostic/index.js';
import type {
  Block,
  Func,
  Image,
  Instr,
  Module,
  Param,
  Target,
  Terminator,
  ValueId,
} from './types.js';

const list = (values: readonly ValueId[]): string => values.map((value) => `v${value}`).join(', ');
const params = (items: readonly Param[]): string =>
  items.map((param) => `v${param.id}: ${param.type}`).join(', ');
const target = (to: Target): string =>
  to.args.length === 0 ? `b${to.block}` : `b${to.block}(${list(to.args)})`;
const at = (loc: number | null): string => (loc === null ? '' : ` @${loc}`);

function body(instr: Instr): string {
  switch (instr.op) {
    case 'const':
      return `const ${instr.type} ${instr.value}`;
    case 'binary':
    case 'unary':
      return `${instr.kind} ${instr.type} ${list(instr.args)}`;
    case 'compare':
      return `${instr.kind} ${list(instr.args)}`;
    case 'select':
    case 'launder':
      return `${instr.op} ${instr.type} ${list(instr.args)}`;
    case 'extend_u':
    case 'extend_s':
    case 'wrap':
      return `${instr.op} ${list(instr.args)}`;
    case 'load.memory':
      return `load.memory ${instr.type} ${instr.size}${instr.signed ? 's' : 'u'} ${list(instr.args)} + ${instr.offset}`;
    case 'store.memory':
      return `store.memory ${instr.size} v${instr.args[0]} + ${instr.offset}, v${instr.args[1]}`;
    case 'load.image':
      return `load.image ${instr.type} ${instr.size} ${instr.image} ${list(instr.args)} + ${instr.offset} limit ${instr.limit}`;
    case 'load.head':
      return `load.head ${instr.type} ${instr.size} ${list(instr.args)} + ${instr.offset} limit ${instr.limit}`;
    case 'load.pointer':
      return `load.pointer ${instr.type} ${instr.size} ${list(instr.args)} + ${instr.offset}`;
    case 'store.pointer':
      return `store.pointer ${instr.size} v${instr.args[0]} + ${instr.offset}, v${instr.args[1]}`;
    case 'frame':
      return `frame ${instr.kind} ${list(instr.args)} + ${instr.offset}`;
    case 'context':
      return instr.kind === 'store'
        ? `context.store ${instr.word}, ${list(instr.args)}`
        : `context.load ${instr.type} ${instr.word}`;
    case 'loop':
      return `loop ${instr.callee} ${instr.rounds}`;
    case 'call':
      return `call ${instr.type} ${instr.callee}(${list(instr.args)})`;
    case 'abi':
      return `abi ${instr.type} ${instr.name}(${list(instr.args)})`;
    case 'may_goto':
      return 'may_goto';
    default:
      return unreachable(instr);
  }
}

/** One instruction, without indentation. */
export function printInstr(instr: Instr): string {
  return `v${instr.id} = ${body(instr)}${at(instr.loc)}`;
}

/** One terminator, without indentation. */
export function printTerm(term: Terminator): string {
  const loc = at(term.loc);
  switch (term.op) {
    case 'br':
      return `br ${target(term.to)}${loc}`;
    case 'br_if':
      return `br_if v${term.condition}, ${target(term.then)}, ${target(term.else)}${loc}`;
    case 'switch':
      return `switch v${term.value}, [${term.cases.map(target).join(', ')}], ${target(term.default)}${loc}`;
    case 'return':
      return term.value === null ? `return${loc}` : `return v${term.value}${loc}`;
    case 'trap':
      return `trap ${term.kind}${loc}`;
  }
}

function printBlock(block: Block): string {
  const head =
    block.params.length === 0 ? `b${block.id}:` : `b${block.id}(${params(block.params)}):`;
  const lines = [...block.instrs.map(printInstr), printTerm(block.term)];
  return [head, ...lines.map((line) => `  ${line}`)].join('\n');
}

/** One function. */
export function printFunc(func: Func): string {
  const { trap, fuel } = func.stopped;
  const head = `func ${func.kind} ${func.name}(${params(func.params)}) -> ${func.result ?? 'none'} stopped ${trap} ${fuel} {`;
  return [head, ...func.blocks.map(printBlock), '}'].join('\n');
}

/** Size, then each run of bytes that are not zero. */
function printImage(image: Image): string {
  const runs: string[] = [];
  const { bytes } = image;
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] === 0) continue;
    let end = i + 1;
    while (end < bytes.length && end < i + 32 && bytes[end] !== 0) end += 1;
    const hex = [...bytes.subarray(i, end)].map((byte) => byte.toString(16).padStart(2, '0'));
    runs.push(`  ${i}: ${hex.join('')}`);
    i = end - 1;
  }
  const head = `image ${image.name} align ${image.align} size ${bytes.length} {`;
  return [head, ...runs, '}'].join('\n');
}

/** A whole module. */
export function print(module: Module): string {
  const parts = [
    [
      `module ${JSON.stringify(module.name)}`,
      ...(module.scratchFrom === undefined ? [] : [`scratch ${module.scratchFrom}`]),
      ...module.positions.map(
        (p) => `position ${JSON.stringify(p.file)} ${p.line}:${p.column} ${JSON.stringify(p.text)}`,
      ),
      ...module.externs.map((e) => `extern ${e.name}(${e.params.join(', ')}) -> ${e.result}`),
    ].join('\n'),
    ...module.images.map(printImage),
    ...module.functions.map(printFunc),
  ];
  return `${parts.join('\n\n')}\n`;
}
