/** Where a function's instructions lead. */
import { fallsThrough, type Instruction } from './instruction.js';

/** For each instruction the indexes of those that may follow it. */
export type Flow = readonly (readonly number[])[];

export function flowOf(body: readonly Instruction[]): Flow {
  const index = new Map(body.map((each, at) => [each, at]));
  return body.map((each, at) => {
    const next: number[] = [];
    if (fallsThrough(each) && at + 1 < body.length) next.push(at + 1);
    if (each.to) next.push(index.get(each.to) as number);
    return next;
  });
}
