/**
 * Joins the modules of a bundle's policies and the dispatcher into one. Images that no instruction
 * reads are left out: linear memory mostly folds into constants.
 */
import { BugError } from './diagnostic/index.js';
import type { Block, Func, Instr, Loc, Module } from './ir/index.js';

/** Joins modules; throws BugError where two define one name. */
export function joinModules(name: string, modules: readonly Module[]): Module {
  const joined: Module = { name, functions: [], images: [], positions: [], externs: [] };
  for (const module of modules) {
    const offset = joined.positions.length;
    joined.functions.push(...module.functions.map((func) => moveFunction(func, offset)));
    joined.positions.push(...module.positions);
    const read = imagesRead(module);
    joined.images.push(...module.images.filter((image) => read.has(image.name)));
  }
  refuseTwins('function', joined.functions);
  refuseTwins('image', joined.images);
  const defined = new Set(joined.functions.map((f) => f.name));
  const externs = modules.flatMap((m) => m.externs).filter((e) => !defined.has(e.name));
  return { ...joined, externs };
}

/** Gives an image of a module another name, in its reads too. */
export function renameImage(module: Module, from: string, to: string): void {
  module.images = module.images.map((i) => (i.name === from ? { ...i, name: to } : i));
  for (const func of module.functions) {
    for (const block of func.blocks) {
      block.instrs = block.instrs.map((instr) =>
        instr.op === 'load.image' && instr.image === from ? { ...instr, image: to } : instr,
      );
    }
  }
}

function imagesRead(module: Module): ReadonlySet<string> {
  const instrs = module.functions.flatMap((f) => f.blocks.flatMap((b) => b.instrs));
  return new Set(instrs.flatMap((i) => (i.op === 'load.image' ? [i.image] : [])));
}

function moveFunction(func: Func, offset: number): Func {
  const move = (loc: Loc): Loc => (loc === null ? null : loc + offset);
  const blocks = func.blocks.map(
    (block): Block => ({
      ...block,
      instrs: block.instrs.map((instr): Instr => ({ ...instr, loc: move(instr.loc) })),
      term: { ...block.term, loc: move(block.term.loc) },
    }),
  );
  return { ...func, blocks };
}

function refuseTwins(what: string, things: readonly { readonly name: string }[]): void {
  const seen = new Set<string>();
  for (const { name } of things) {
    if (seen.has(name)) throw new BugError(`two modules define the ${what} ${name}`);
    seen.add(name);
  }
}
