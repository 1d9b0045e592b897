/**
 * `weft_authorize_connection` as IR. Masks are kept in the decision itself. The first deny and the
 * first allow are block parameters on the way from policy to policy, left out where they cannot have
 * been set yet; with a single policy its answer is written at once.
 *
 * A remembered answer is `(policy + 1) << 32 | value`; 0 means none yet.
 */
import {
  CONNECTION,
  DECISION,
  NO_POLICY,
  REASON,
  STOPPED,
  VERDICT,
  VERDICT_BITS,
  VERDICT_MASK,
} from '../abi/index.js';
import type { Outcome, PolicyEntry } from '../bundle/manifest.js';
import { BugError } from '../diagnostic/index.js';
import { Emitter } from '../ir/emitter.js';
import type { BlockId, Func, Param, Target, Terminator, ValueId } from '../ir/types.js';
import { FUNCTION_PART, policyFunction } from './policy-function.js';

export interface DispatchRules {
  readonly policies: readonly PolicyEntry[];
  readonly default: Outcome;
  readonly failure: { readonly trap: Outcome; readonly fuel: Outcome };
}

const FIELDS = ['deny', 'allow'] as const;
type Field = (typeof FIELDS)[number];
const MASKS = ['audited', 'shadowAllow', 'shadowDeny'] as const;
type Mask = (typeof MASKS)[number];
/** Fields that may be non-zero, with the value that holds each. */
type State = ReadonlyMap<Field, ValueId>;
/** A block that waits for its predecessors: its parameters are the fields of its state. */
interface Place {
  readonly block: BlockId;
  readonly params: readonly Param[];
  readonly state: State;
}

const CONNECTION_VALUE = 0 as ValueId;
const DECISION_VALUE = 1 as ValueId;

export type Authorizing = 'authorizeConnection' | 'authorizeRequest';

/** Builds a joined authorize function of a bundle. */
export function authorizeFunction(name: string, asked: Authorizing, rules: DispatchRules): Func {
  return new AuthorizeBuilder(name, asked, rules).build();
}

class AuthorizeBuilder {
  readonly #func: Func;
  readonly #rules: DispatchRules;
  readonly #policies: readonly PolicyEntry[];
  readonly #asked: Authorizing;
  #mask: ValueId | null = null;

  constructor(name: string, asked: Authorizing, rules: DispatchRules) {
    this.#rules = rules;
    this.#asked = asked;
    this.#policies = rules.policies.filter((p) => p.exports.includes(asked));
    this.#func = {
      name,
      kind: 'dispatcher',
      params: [
        { id: CONNECTION_VALUE, type: 'ptr' },
        { id: DECISION_VALUE, type: 'ptr' },
      ],
      result: 'i32',
      stopped: { trap: BigInt(VERDICT.deny), fuel: BigInt(VERDICT.deny) },
      blocks: [],
      nextValue: 2,
      nextBlock: 0,
    };
  }

  build(): Func {
    const seen = new Set<Field>();
    let place = this.#clearMasks();
    for (const policy of this.#policies) {
      if (policy.mode === 'enforce' && !this.#isSingle()) for (const f of FIELDS) seen.add(f);
      const next = this.#place(seen);
      this.#policy(policy, place, next);
      place = next;
    }
    this.#finish(place);
    return this.#func;
  }

  /** True where the one answer is the decision, so that nothing need be remembered. */
  #isSingle(): boolean {
    return this.#policies.length === 1;
  }

  /** The entry block. */
  #clearMasks(): Place {
    const [entry, first] = [this.#bare(), this.#bare()];
    const emit = this.#emitter();
    const zero = emit.constant('i64', 0);
    for (const mask of MASKS) emit.storePointer(DECISION_VALUE, DECISION[mask], 8, zero);
    this.#mask = emit.loadPointer(CONNECTION_VALUE, CONNECTION.policies, 8);
    const to = { block: first.block, args: [] };
    this.#seal(entry, emit, { op: 'br', loc: null, to });
    return first;
  }

  #emitter(): Emitter {
    return new Emitter(this.#func, null);
  }

  #place(fields: ReadonlySet<Field>): Place {
    const held = FIELDS.filter((f) => fields.has(f));
    const params = held.map(
      (): Param => ({
        id: this.#func.nextValue++ as ValueId,
        type: 'i64',
      }),
    );
    const state = new Map(held.map((f, i) => [f, params[i]?.id ?? CONNECTION_VALUE]));
    return { block: this.#func.nextBlock++ as BlockId, params, state };
  }

  #bare(): Place {
    return this.#place(new Set());
  }

  #seal(place: Place, emit: Emitter, term: Terminator): void {
    const { block: id, params } = place;
    this.#func.blocks.push({ id, params: [...params], instrs: emit.instrs, term });
  }

  /** Jump to a place with a state; fields that the state lacks are zero. */
  #to(place: Place, state: State, emit: Emitter): Target {
    const args = [...place.state.keys()].map((f) => state.get(f) ?? emit.constant('i64', 0));
    return { block: place.block, args };
  }

  /** Ends a block by a branch on `value == wanted`. */
  #branch(
    from: Place,
    emit: Emitter,
    on: { value: ValueId; equals: number; then: Target; else: Target },
  ): void {
    const condition = emit.compareWith('i32', 'eq', on.value, on.equals);
    this.#seal(from, emit, {
      op: 'br_if',
      loc: null,
      condition,
      then: on.then,
      else: on.else,
    });
  }

  #policy(policy: PolicyEntry, from: Place, next: Place): void {
    const bit = 1n << BigInt(policy.index);
    const ask = this.#bare();
    const test = this.#emitter();
    const mask = this.#mask;
    if (mask === null) throw new BugError('dispatcher without a mask');
    const attached = test.compareWith('i64', 'ne', test.with('i64', 'and', mask, bit), 0);
    this.#seal(from, test, {
      op: 'br_if',
      loc: null,
      condition: attached,
      then: { block: ask.block, args: [] },
      else: this.#to(next, from.state, test),
    });

    const call = this.#emitter();
    const answer = call.call(policyFunction(policy.index, FUNCTION_PART[this.#asked]), 'i32', [
      CONNECTION_VALUE,
    ]);
    const code = call.with('i32', 'and', answer, VERDICT_MASK);
    const [allow, notAllow, notPass, audit, stopped] = [
      this.#bare(),
      this.#bare(),
      this.#bare(),
      this.#bare(),
      this.#bare(),
    ] as const;
    const bare = (place: Place): Target => ({ block: place.block, args: [] });
    this.#branch(ask, call, {
      value: code,
      equals: VERDICT.allow,
      then: bare(allow),
      else: bare(notAllow),
    });
    const passes = this.#emitter();
    this.#branch(notAllow, passes, {
      value: code,
      equals: VERDICT.pass,
      then: this.#to(next, from.state, passes),
      else: bare(notPass),
    });
    this.#branch(notPass, this.#emitter(), {
      value: code,
      equals: VERDICT.audit,
      then: bare(audit),
      else: bare(stopped),
    });
    this.#mark(audit, { mask: 'audited', value: bit }, from.state, next);

    const deny = this.#failures(stopped, code, allow);
    if (policy.mode === 'shadow') {
      this.#mark(allow, { mask: 'shadowAllow', value: bit }, from.state, next);
      this.#mark(deny, { mask: 'shadowDeny', value: bit }, from.state, next);
    } else {
      this.#remember(allow, { field: 'allow', policy, answer }, from.state, next);
      this.#remember(deny, { field: 'deny', policy, answer }, from.state, next);
    }
  }

  /** Sends codes of early stops to `allow` where the bundle says so; returns where denials go. */
  #failures(from: Place, code: ValueId, allow: Place): Place {
    const { trap, fuel } = this.#rules.failure;
    if (trap === 'deny' && fuel === 'deny') return from;
    const deny = this.#bare();
    const bare = (place: Place): Target => ({ block: place.block, args: [] });
    const outcome = (o: Outcome): Target => bare(o === 'allow' ? allow : deny);
    const notDeny = this.#bare();
    this.#branch(from, this.#emitter(), {
      value: code,
      equals: VERDICT.deny,
      then: bare(deny),
      else: bare(notDeny),
    });
    this.#branch(notDeny, this.#emitter(), {
      value: code,
      equals: STOPPED.fuel,
      then: outcome(fuel),
      else: outcome(trap),
    });
    return deny;
  }

  /** Sets a bit of one of the decision's masks. */
  #mark(from: Place, set: { mask: Mask; value: bigint }, state: State, next: Place): void {
    const emit = this.#emitter();
    const at = DECISION[set.mask];
    const old = emit.loadPointer(DECISION_VALUE, at, 8);
    emit.storePointer(DECISION_VALUE, at, 8, emit.with('i64', 'or', old, set.value));
    this.#seal(from, emit, { op: 'br', loc: null, to: this.#to(next, state, emit) });
  }

  #remember(
    from: Place,
    set: { field: Field; policy: PolicyEntry; answer: ValueId },
    state: State,
    next: Place,
  ): void {
    const emit = this.#emitter();
    if (this.#isSingle()) {
      const policy = emit.constant('i32', set.policy.index);
      this.#write(from, emit, { policy, answer: set.answer, verdict: set.field });
      return;
    }
    const tag = BigInt(set.policy.index + 1) << 32n;
    const packed = emit.with('i64', 'or', emit.extend(set.answer), tag);
    const old = state.get(set.field);
    const value =
      old === undefined
        ? packed
        : emit.select('i64', emit.compareWith('i64', 'ne', old, 0), old, packed);
    const to = this.#to(next, new Map(state).set(set.field, value), emit);
    this.#seal(from, emit, { op: 'br', loc: null, to });
  }

  #finish(from: Place): void {
    const emit = this.#emitter();
    const silent = this.#bare();
    this.#spoken(from, emit, silent);
    this.#silent(silent);
  }

  /** Writes the first deny, else the first allow; goes on to `silent` where there is neither. */
  #spoken(from: Place, first: Emitter, silent: Place): void {
    let place = from;
    let emit = first;
    for (const field of FIELDS) {
      const held = from.state.get(field);
      if (held === undefined) continue;
      const [write, next] = [this.#bare(), this.#bare()];
      const condition = emit.compareWith('i64', 'ne', held, 0);
      this.#seal(place, emit, {
        op: 'br_if',
        loc: null,
        condition,
        then: { block: write.block, args: [] },
        else: { block: next.block, args: [] },
      });
      this.#unpack(write, held, field);
      place = next;
      emit = this.#emitter();
    }
    this.#seal(place, emit, { op: 'br', loc: null, to: { block: silent.block, args: [] } });
  }

  /** Unpacks a remembered answer into the decision. */
  #unpack(place: Place, held: ValueId, verdict: Field): void {
    const emit = this.#emitter();
    const number = emit.wrap(emit.with('i64', 'shr_u', held, 32));
    const policy = emit.with('i32', 'sub', number, 1);
    this.#write(place, emit, { policy, answer: emit.wrap(held), verdict });
  }

  /** Writes a deciding answer; one that stopped early has no site and another reason. */
  #write(
    place: Place,
    emit: Emitter,
    { policy, answer, verdict }: { policy: ValueId; answer: ValueId; verdict: Field },
  ): void {
    const { trap, fuel } = this.#rules.failure;
    const value = emit.constant('i32', VERDICT[verdict]);
    const zero = emit.constant('i32', 0);
    let site = emit.with('i32', 'shr_u', answer, VERDICT_BITS);
    let reason = emit.constant('i32', REASON.policy);
    if (trap === verdict || fuel === verdict) {
      const code = emit.with('i32', 'and', answer, VERDICT_MASK);
      const meant = emit.compareWith('i32', 'eq', code, VERDICT[verdict]);
      const stop = emit.select(
        'i32',
        emit.compareWith('i32', 'eq', code, STOPPED.fuel),
        emit.constant('i32', REASON.fuel),
        emit.constant('i32', REASON.trap),
      );
      site = emit.select('i32', meant, site, zero);
      reason = emit.select('i32', meant, reason, stop);
    }
    this.#store(emit, { verdict: value, site, policy, reason });
    this.#seal(place, emit, { op: 'return', loc: null, value });
  }

  #silent(place: Place): void {
    const emit = this.#emitter();
    const capable = this.#policies
      .filter((p) => p.mode === 'enforce' && this.#canAllow(p))
      .reduce((mask, p) => mask | (1n << BigInt(p.index)), 0n);
    let reason = emit.constant('i32', REASON.default);
    let verdict = emit.constant('i32', VERDICT[this.#rules.default]);
    if (capable !== 0n && this.#mask !== null) {
      const attached = emit.with('i64', 'and', this.#mask, capable);
      const needed = emit.compareWith('i64', 'ne', attached, 0);
      reason = emit.select('i32', needed, emit.constant('i32', REASON.noAllow), reason);
      if (this.#rules.default === 'allow') {
        verdict = emit.select('i32', needed, emit.constant('i32', VERDICT.deny), verdict);
      }
    }
    const site = emit.constant('i32', 0);
    this.#store(emit, { verdict, site, policy: emit.constant('i32', NO_POLICY), reason });
    this.#seal(place, emit, { op: 'return', loc: null, value: verdict });
  }

  #canAllow(policy: PolicyEntry): boolean {
    return this.#asked === 'authorizeRequest' ? policy.canAllowRequest : policy.canAllow;
  }

  #store(emit: Emitter, parts: Record<'verdict' | 'site' | 'policy' | 'reason', ValueId>): void {
    for (const field of ['verdict', 'site', 'policy', 'reason'] as const) {
      emit.storePointer(DECISION_VALUE, DECISION[field], 4, parts[field]);
    }
  }
}
