/** Which instructions may follow each of a function's, as indexes into its body. */
import { fallsThrough, type Instruction } from './instruction.js';

export function successors(body: readonly Instruction[]): readonly (readonly number[])[] {
  const index = new Map(body.map((each, at) => [each, at]));
  return body.map((each, at) => {
    const next: number[] = [];
    if (fallsThrough(each) && at + 1 < body.length) next.push(at + 1);
    if (each.to) next.push(index.get(each.to) as number);
    return next;
  });
}
