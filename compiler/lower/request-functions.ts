/**
 * Which functions take a struct weft_request: those that look at the head, entries and dispatchers of
 * requests, and all that pass their pointer to one of these. All others take the connection, which a
 * request begins with, so that both kinds of entry can call them.
 */
import { CONNECTION } from '../abi/index.js';
import type { Func, Instr, Module } from '../ir/types.js';

const NAMED = /_request$/;

function looksAtHead(instr: Instr): boolean {
  return (
    instr.op === 'load.head' || (instr.op === 'load.pointer' && instr.offset >= CONNECTION.size)
  );
}

/** Names of the functions of a module that take a request. */
export function requestFunctions(module: Module): ReadonlySet<string> {
  const instrs = (func: Func): Instr[] => func.blocks.flatMap((block) => block.instrs);
  const found = new Set(
    module.functions
      .filter((func) => NAMED.test(func.name) || instrs(func).some(looksAtHead))
      .map((func) => func.name),
  );
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const func of module.functions) {
      const passes = instrs(func).some(
        (i) => (i.op === 'call' || i.op === 'loop') && found.has(i.callee),
      );
      if (passes) found.add(func.name);
    }
  }
  return found;
}
