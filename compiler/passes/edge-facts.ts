/**
 * What the branches before an edge decided, for a pass that goes on in rounds: of which blocks more is known than
 * a round ago is told, so that only those are looked at again.
 */
import {
  type Block,
  type BlockId,
  type Dominators,
  dominators,
  type Func,
  type Instr,
  type ValueId,
} from '../ir/index.js';
import { branchTo, type Decided } from './decided-branches.js';
import type { FlowIndex } from './repair-ssa.js';

/** What holds on an edge, by the branches that lead there. */
export interface Facts {
  readonly constant: (value: ValueId) => bigint | null;
  /** Whether a value is known not to be 0. */
  readonly isSet: (value: ValueId) => boolean;
}
/** What a branch says of a value: which constant it is, or (null) that it is not 0. */
interface Said {
  readonly value: ValueId;
  readonly constant: bigint | null;
}
/** Where something is said of a value, which holds in all that stands behind. */
interface Known {
  readonly constants: { readonly at: BlockId; readonly constant: bigint }[];
  /** Where it is said not to be 0. */
  readonly set: BlockId[];
}
type Defs = ReadonlyMap<ValueId, Instr>;

export function constantOf(defs: Defs, value: ValueId): bigint | null {
  const def = defs.get(value);
  return def?.op === 'const' ? def.value : null;
}

/** What a decided branch says of its condition, and of what that compares. */
function saidBy({ condition, holds }: Decided, defs: Defs): readonly Said[] {
  const said: Said[] = [{ value: condition, constant: holds ? null : 0n }];
  const def = defs.get(condition);
  if (def?.op !== 'compare') return said;
  if (holds) said.push({ value: condition, constant: 1n });
  const constant = constantOf(defs, def.args[1]);
  if (constant !== null && def.kind === (holds ? 'eq' : 'ne')) {
    said.push({ value: def.args[0], constant });
  }
  return said;
}

/** The facts of a function; what they say is as of the last `renew`. */
export class EdgeFacts {
  readonly #defs: Defs;
  #entries: ReadonlyMap<BlockId, Decided | null> = new Map();
  #dominates: Dominators['dominates'] = () => false;
  #known = new Map<ValueId, Known>();

  constructor(defs: Defs) {
    this.#defs = defs;
  }

  /**
   * Looks at the function anew; the blocks of which more may be known than the last time. That branches before a
   * block decide no longer alone tells nothing new of it: else all that stands behind one copy would be looked at again.
   */
  renew(func: Func, flow: FlowIndex): ReadonlySet<BlockId> {
    const [before, didDominate] = [this.#entries, this.#dominates];
    const { parent, dominates } = dominators(func);
    this.#dominates = dominates;
    this.#known = new Map();
    const entries = new Map<BlockId, Decided | null>();
    for (const { id } of func.blocks) {
      const [only, ...others] = flow.preds.get(id) ?? [];
      const isOnly = only !== undefined && others.length === 0;
      const entry = isOnly ? branchTo(flow.blocks.get(only), id) : null;
      entries.set(id, entry);
      if (entry !== null) this.#note(entry, id);
    }
    this.#entries = entries;
    const gained = new Set<BlockId>();
    const gains = (id: BlockId): boolean =>
      !before.has(id) || isMore(entries.get(id) ?? null, before.get(id) ?? null);
    // What dominates comes first; what cannot be reached is in no order.
    for (const [id, up] of parent) {
      const isBehindMore = up !== null && (gained.has(up) || !didDominate(up, id));
      if (isBehindMore || gains(id)) gained.add(id);
    }
    for (const { id } of func.blocks) if (!parent.has(id) && gains(id)) gained.add(id);
    return gained;
  }

  /** What holds on the edge between two blocks. */
  on(from: Block, to: BlockId): Facts {
    const last = branchTo(from, to);
    const here = last === null ? [] : saidBy(last, this.#defs);
    const isBehind = (at: BlockId): boolean => this.#dominates(at, from.id);
    return {
      constant: (value) => {
        const said = here.find((one) => one.value === value && one.constant !== null);
        if (said !== undefined) return said.constant;
        return this.#known.get(value)?.constants.find(({ at }) => isBehind(at))?.constant ?? null;
      },
      isSet: (value) =>
        here.some((one) => one.value === value && one.constant === null) ||
        (this.#known.get(value)?.set.some(isBehind) ?? false),
    };
  }

  #note(entry: Decided, at: BlockId): void {
    for (const { value, constant } of saidBy(entry, this.#defs)) {
      const known = this.#known.get(value) ?? { constants: [], set: [] };
      this.#known.set(value, known);
      if (constant === null) known.set.push(at);
      else known.constants.push({ at, constant });
    }
  }
}

function isMore(now: Decided | null, before: Decided | null): boolean {
  return now !== null && (now.condition !== before?.condition || now.holds !== before.holds);
}
