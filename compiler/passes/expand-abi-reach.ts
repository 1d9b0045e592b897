/** Which policy exports can reach a function, by the call graph of its module. */
import type { ExportName } from '../abi/index.js';
import type { Module } from '../ir/types.js';

const SUFFIX: Readonly<Record<string, ExportName>> = {
  _route: 'routeConnection',
  _authorize: 'authorizeConnection',
  _route_request: 'routeRequest',
  _authorize_request: 'authorizeRequest',
};

/** Exports by function name; entry functions are known by the ends of their names. */
export function functionExports(module: Module): ReadonlyMap<string, ReadonlySet<ExportName>> {
  const reached = new Map<string, Set<ExportName>>(
    module.functions.map((f) => [f.name, new Set<ExportName>()]),
  );
  const callees = new Map(
    module.functions.map((f) => [
      f.name,
      f.blocks.flatMap((b) => b.instrs.flatMap((i) => (i.op === 'call' ? [i.callee] : []))),
    ]),
  );
  const visit = (name: string, from: ExportName): void => {
    const exports = reached.get(name);
    if (exports === undefined || exports.has(from)) return;
    exports.add(from);
    for (const callee of callees.get(name) ?? []) visit(callee, from);
  };
  for (const { name, kind } of module.functions) {
    const suffix = Object.keys(SUFFIX).find((s) => name.endsWith(s));
    const from = suffix === undefined ? undefined : SUFFIX[suffix];
    if (kind === 'entry' && from !== undefined) visit(name, from);
  }
  return reached;
}
