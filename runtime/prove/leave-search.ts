/**
 * The ends of a search, for all inputs that begin it: `contains` by whether the text is there, `query` and `cookie` by
 * whether the name is, others by questions that nobody answers, with values that are known by name only.
 */
import type { Target, ValueId } from '../../compiler/index.js';
import { type Asking, opaqueGuard } from './compare-leaves.js';
import { ALL, NONE, TooLarge } from './diagram.js';
import { itemField, listField } from './field.js';
import type { Guard, Guards } from './guards.js';
import { constant, type Leaf, rangeLeaf, type Value, viewLeaf } from './leaf.js';
import { type ListName, type NamedEnd, type NamedSearch, namedSearch } from './named-search.js';
import type { SearchLoop } from './search-loop.js';
import { always } from './value.js';

/** Ways in which a search may begin. */
const MAX_STARTS = 64;

export interface SearchRun extends Asking {
  readonly reach: Guard;
  /** Lists whose items are not looked into, since policies look into the whole. */
  readonly closedLists: ReadonlySet<ListName>;
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

type Begun = ReadonlyMap<ValueId, Leaf>;

/** The search for a name that a loop is with what it begins with; null where it is none, or where its list is closed. */
function itemSearch(
  search: SearchLoop,
  begun: Begun,
  closed: ReadonlySet<ListName>,
): NamedSearch | null {
  const start = new Map<ValueId, bigint | 'list'>();
  let whole: Leaf | null = null;
  for (const [id, leaf] of begun) {
    if (leaf.kind === 'const') start.set(id, leaf.value);
    else if (leaf.kind !== 'view' || (whole !== null && whole.key !== leaf.key)) return null;
    else {
      whole = leaf;
      start.set(id, 'list');
    }
  }
  if (whole?.kind !== 'view') return null;
  const { field } = whole;
  const isList = (list: ListName): boolean => listField(list).name === field.name;
  if (!isList('query') && !isList('cookie')) return null;
  const found = namedSearch(search.code, start);
  return found !== null && isList(found.list) && !closed.has(found.list) ? found : null;
}

/** Goes on behind a search for a name, with its value. */
function leaveNamed(
  { list, name, ends }: NamedSearch,
  guard: Guard,
  run: SearchRun,
  value: (id: ValueId) => Value,
): void {
  const { guards, enter } = run;
  const field = itemField(list, name);
  const absent = guards.absent(field);
  const reach = new Map<NamedEnd, Guard>();
  for (const kind of ['found', 'missing'] as const) {
    let rest = guards.and(guard, kind === 'missing' ? absent : guards.not(absent));
    // Which of several it is nobody tells; mostly they lead to the same.
    const able = ends.filter((end) => end[kind]);
    for (const [i, end] of able.entries()) {
      const isLast = i === able.length - 1;
      const taken = isLast ? ALL : opaqueGuard(run, `${field.name} ${kind} ${i}`);
      reach.set(end, guards.or(reach.get(end) ?? NONE, guards.and(rest, taken)));
      rest = guards.and(rest, guards.not(taken));
    }
  }
  for (const [{ exit, values }, here] of reach) {
    enter(exit, here, (id) => {
      const known = values.get(id);
      if (known === undefined) return value(id);
      return always(known === 'value' ? viewLeaf(field) : constant(known));
    });
  }
}

/** Goes on behind a search. Throws TooLarge. */
export function leaveSearch(search: SearchLoop, run: SearchRun): void {
  const { guards, opaques, at, params, read, enter } = run;
  const fuel = rangeLeaf(1n, mostFuel(params, search.fuel));
  const begun = params.filter(([id]) => !search.fuel.has(id));
  const ids = [...begun.map(([id]) => id), ...search.inputs];
  for (const { key: start, guard, leaves } of startsOf(guards, run.reach, [
    ...begun.map(([, value]) => value),
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
    const begins = new Map(ids.map((id, i) => [id, leaves[i] as Leaf] as const));
    const named = itemSearch(search, begins, run.closedLists);
    if (named !== null) {
      leaveNamed(named, guard, run, value);
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
