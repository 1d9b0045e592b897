/**
 * The ends of a search, for all inputs that begin it: `contains` by whether the text is there, others by questions that
 * nobody answers, with values that are known by name only.
 */
import type { Target, ValueId } from '../../compiler/index.js';
import { type Asking, opaqueGuard } from './compare-leaves.js';
import { ALL, NONE, TooLarge } from './diagram.js';
import type { Guard, Guards } from './guards.js';
import { type Leaf, rangeLeaf, type Value } from './leaf.js';
import type { SearchLoop } from './search-loop.js';
import { always } from './value.js';

/** Ways in which a search may begin. */
const MAX_STARTS = 64;

export interface SearchRun extends Asking {
  readonly reach: Guard;
  /** Of the loop's header, with what they begin as. */
  readonly params: readonly (readonly [ValueId, Value])[];
  readonly read: (id: ValueId) => Value;
  /** Goes on behind the loop. */
  readonly enter: (target: Target, reach: Guard, value: (id: ValueId) => Value) => void;
}

interface Start {
  readonly key: string;
  readonly guard: Guard;
  readonly leaves: readonly Leaf[];
}

function startsOf(guards: Guards, reach: Guard, values: readonly Value[]): readonly Start[] {
  let starts: readonly Start[] = [{ key: '', guard: reach, leaves: [] }];
  for (const value of values) {
    starts = starts
      .flatMap(({ key, guard, leaves }) =>
        value.map(([leaf, where]) => ({
          key: `${key} ${leaf.key}`,
          guard: guards.and(guard, where),
          leaves: [...leaves, leaf],
        })),
      )
      .filter(({ guard }) => guard !== NONE);
    if (starts.length > MAX_STARTS) throw new TooLarge('a search begins in too many ways');
  }
  return starts;
}

function mostFuel(params: SearchRun['params'], fuel: ReadonlySet<ValueId>): bigint {
  const leaves = params.flatMap(([id, value]) => (fuel.has(id) ? value : [])).map(([leaf]) => leaf);
  return leaves.reduce((most, leaf) => {
    const high = leaf.kind === 'const' ? leaf.value : leaf.kind === 'range' ? leaf.high : 0n;
    return high > most ? high : most;
  }, 1n);
}

/** Goes on behind a search. Throws TooLarge. */
export function leaveSearch(search: SearchLoop, run: SearchRun): void {
  const { guards, opaques, at, params, read, enter } = run;
  const fuel = rangeLeaf(1n, mostFuel(params, search.fuel));
  const begun = params.filter(([id]) => !search.fuel.has(id)).map(([, value]) => value);
  for (const { key: start, guard, leaves } of startsOf(guards, run.reach, [
    ...begun,
    ...search.inputs.map(read),
  ])) {
    const key = `${search.key} from${start}`;
    const value = (id: ValueId): Value => {
      if (search.fuel.has(id)) return always(fuel);
      const number = search.numbers.get(id);
      return number === undefined ? read(id) : always(opaques.leaf(`${key} value ${number}`, at));
    };
    const view = leaves.find((leaf) => leaf.kind === 'view');
    if (search.contains !== null && view?.kind === 'view') {
      const { text, found, missed } = search.contains;
      const holds = guards.text(view.field, { op: 'contains', text, ignoresCase: false });
      enter(found, guards.and(guard, holds), value);
      enter(missed, guards.and(guard, guards.not(holds)), value);
      continue;
    }
    let rest = guard;
    for (const [i, target] of search.exits.entries()) {
      const isLast = i === search.exits.length - 1;
      const taken = isLast ? ALL : opaqueGuard(run, `${key} exit ${i}`);
      enter(target, guards.and(rest, taken), value);
      rest = guards.and(rest, guards.not(taken));
    }
  }
}
