/** What block parameters may be: the values that jumps pass to them. */
import { type Func, targetsOf, type ValueId } from '../ir/index.js';

/** Values by parameter, duplicates included. */
export function incomingValues(func: Func): ReadonlyMap<ValueId, readonly ValueId[]> {
  const params = new Map(func.blocks.map((b) => [b.id, b.params]));
  const incoming = new Map<ValueId, ValueId[]>();
  for (const { id } of func.blocks.flatMap((b) => b.params)) incoming.set(id, []);
  for (const { term } of func.blocks) {
    for (const target of targetsOf(term)) {
      params.get(target.block)?.forEach(({ id }, i) => {
        const value = target.args[i];
        if (value !== undefined) incoming.get(id)?.push(value);
      });
    }
  }
  return incoming;
}
