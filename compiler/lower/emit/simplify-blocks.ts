/**
 * Pass    simplify-blocks
 * Reads   allocated code
 * Writes  the same with jumps threaded through empty blocks, tests with one outcome dropped, short
 *         ends copied into their predecessors, and equal ends merged
 * Refuses nothing
 * Keeps   what is executed, but for jumps
 */
import { type Label, printInsn } from '../asm/index.js';
import { type LirBlock, type LirFunc, successorsOf } from '../lir.js';

/** Simplifies in place. */
export function simplifyBlocks(func: LirFunc): void {
  mergeEnds(func);
  threadJumps(func);
  inlineExits(func);
}

/** Where control ends up that goes to a label: empty blocks are passed through. */
function destination(blocks: readonly LirBlock[], from: Label): Label {
  let at = from;
  // An empty endless loop stays what it is.
  for (let hops = 0; hops < blocks.length; hops++) {
    const block = blocks[at];
    if (block === undefined || block.steps.length > 0 || block.exit.op !== 'goto') break;
    at = block.exit.to;
  }
  return at;
}

/** Branches to empty blocks go to where those lead. */
export function threadJumps(func: LirFunc): void {
  for (const block of func.blocks) {
    const { exit } = block;
    if (exit.op === 'goto') block.exit = { ...exit, to: destination(func.blocks, exit.to) };
    if (exit.op !== 'if') continue;
    const yes = destination(func.blocks, exit.yes);
    const no = destination(func.blocks, exit.no);
    block.exit = yes === no ? { op: 'goto', to: yes, loc: exit.loc } : { ...exit, yes, no };
  }
}

/** Ends that are no longer than the jump to them would be worth. */
function isShortEnd(block: LirBlock | undefined): block is LirBlock {
  if (block === undefined || block.exit.op !== 'exit') return false;
  return block.steps.length <= 1 && successorsOf(block).length === 0;
}

/** A jump to an end of at most one instruction and `exit` is that end itself. */
function inlineExits(func: LirFunc): void {
  for (const block of [...func.blocks]) {
    const { exit } = block;
    if (exit.op === 'goto') {
      const to = func.blocks[exit.to];
      if (!isShortEnd(to) || to === block) continue;
      block.steps = [...block.steps, ...to.steps];
      block.exit = to.exit;
    }
    // A bit test cannot be negated: what follows it must be an end of its own.
    if (exit.op !== 'if' || exit.test.kind !== 'set') continue;
    const to = func.blocks[exit.no];
    if (!isShortEnd(to)) continue;
    func.blocks.push({ steps: [...to.steps], exit: to.exit });
    block.exit = { ...exit, no: (func.blocks.length - 1) as Label };
  }
}

/** Blocks that return and have the same instructions become one. */
function mergeEnds(func: LirFunc): void {
  const first = new Map<string, Label>();
  const merged = new Map<Label, Label>();
  for (const [i, block] of func.blocks.entries()) {
    if (block.exit.op !== 'exit' || successorsOf(block).length > 0) continue;
    const text = block.steps.map(({ insn }) => printInsn(insn)).join('\n');
    const known = first.get(text);
    if (known === undefined) first.set(text, i as Label);
    else if (i !== 0) merged.set(i as Label, known);
  }
  const of = (label: Label): Label => merged.get(label) ?? label;
  for (const block of func.blocks) {
    const { exit } = block;
    if (exit.op === 'goto') block.exit = { ...exit, to: of(exit.to) };
    if (exit.op === 'if') block.exit = { ...exit, yes: of(exit.yes), no: of(exit.no) };
    block.steps = block.steps.map((step) =>
      'to' in step.insn ? { ...step, insn: { ...step.insn, to: of(step.insn.to) } } : step,
    );
  }
}
