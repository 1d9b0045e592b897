/** What verifiers walk of a compiled bundle, by the walk that decides whether one does so (B211). */
import { parse } from '../../compiler/ir/index.js';
import { lowerModule, walkFunction } from '../../compiler/lower/index.js';

export interface WalkedAs {
  /** The form for kernels that have may_goto. */
  readonly mayGoto: boolean;
  /** As verifiers before 6.9 count. */
  readonly isOld: boolean;
}

/** Instructions that a verifier goes through of a module's functions, all or those that are picked. */
export function walkModule(ir: string, { mayGoto, isOld }: WalkedAs): number {
  const module = parse(ir);
  const lowered = lowerModule(module, { mayGoto });
  if (!lowered.ok) throw new Error('it does not lower again');
  const images = new Map(module.images.map(({ name, bytes }) => [name, bytes]));
  const walks = new Map(
    lowered.functions.map((func) => [
      func.name,
      walkFunction({ ...func, images, isOld, limit: 1_000_000 }),
    ]),
  );
  // A turn is walked as often as its call is come to.
  const comes = new Map([...walks.values()].flatMap(({ turns }) => [...turns]));
  return [...walks].reduce(
    (sum, [name, { instructions }]) => sum + instructions * (comes.get(name) ?? 1),
    0,
  );
}
