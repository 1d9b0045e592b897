/**
 * `weft_authorize_connection` as IR. The decision itself is what is remembered: masks are kept in it, and
 * the answer that decides so far is written to it at once, all but the verdict. The verdict is a block
 * parameter on the way from policy to policy, 0 where none has decided, left out where none can have yet.
 * So a verifier meets each policy with three values at most, however many answers came before it.
 */
import {
  DECISION,
  NO_POLICY,
  POLICY_WORDS,
  REASON,
  STOPPED,
  VERDICT,
  VERDICT_BITS,
  VERDICT_MASK,
} from '../abi/index.js';
import type { Outcome, PolicyEntry } from '../bundle/manifest.js';
import { Emitter } from '../ir/emitter.js';
import type { BlockId, Func, Param, Target, Terminator, ValueId } from '../ir/types.js';
import { FUNCTION_PART, policyFunction } from './policy-function.js';
import {
  AttachedWords,
  bitOf,
  byWord,
  groupPolicies,
  type Policies,
  wordOf,
} from './policy-groups.js';

export interface DispatchRules {
  readonly policies: readonly PolicyEntry[];
  readonly default: Outcome;
  readonly failure: { readonly trap: Outcome; readonly fuel: Outcome };
}
/** Whether the named function of a policy may answer Audit; yes where it is not known. */
export type MayAudit = (name: string) => boolean;

const MASKS = ['audited', 'shadowAllow', 'shadowDeny'] as const;
type Mask = (typeof MASKS)[number];
/** The verdict so far; null where there is none yet. */
type Held = ValueId | null;
/** A block that waits for its predecessors; its parameter, if it has one, is the verdict so far or an answer. */
interface Place {
  readonly block: BlockId;
  readonly param: Param | null;
}
/** An answer that may decide: what the decision says of it. */
interface Answer {
  readonly verdict: Outcome;
  readonly policy: PolicyEntry;
  readonly site: ValueId;
  readonly reason: ValueId;
}

/** Writes what an answer means behind the blocks that understood it. */
type Spoken = (on: Place, emit: Emitter, answer: Omit<Answer, 'policy'>) => void;

const CONNECTION_VALUE = 0 as ValueId;
const DECISION_VALUE = 1 as ValueId;

export type Authorizing = 'authorizeConnection' | 'authorizeRequest';

/** Builds a joined authorize function of a bundle. */
export function authorizeFunction(
  name: string,
  asked: Authorizing,
  rules: DispatchRules,
  mayAudit: MayAudit,
): Func {
  return new AuthorizeBuilder(name, asked, rules, mayAudit).build();
}

class AuthorizeBuilder {
  readonly #func: Func;
  readonly #rules: DispatchRules;
  readonly #policies: readonly PolicyEntry[];
  readonly #asked: Authorizing;
  readonly #mayAudit: MayAudit;
  readonly #attached = new AttachedWords(CONNECTION_VALUE);

  constructor(name: string, asked: Authorizing, rules: DispatchRules, mayAudit: MayAudit) {
    this.#rules = rules;
    this.#asked = asked;
    this.#mayAudit = mayAudit;
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
    let mayHold = false;
    let place = this.#clearMasks();
    let asked = 0;
    for (const { policies, isTested } of groupPolicies(this.#policies)) {
      const end = this.#place(mayHold || policies.some(isEnforced));
      if (isTested) place = this.#group(policies, place, end);
      for (const [i, policy] of policies.entries()) {
        asked += 1;
        if (isEnforced(policy)) mayHold = true;
        const next = i === policies.length - 1 ? end : this.#place(mayHold);
        const marked = this.#policies.slice(asked).some((p) => this.#marks(p));
        this.#policy(policy, place, next, marked);
        place = next;
      }
    }
    this.#finish(place);
    return this.#func;
  }

  /** True where a policy may set a bit of a mask: behind a deny only that is still of interest. */
  #marks(policy: PolicyEntry): boolean {
    return policy.mode === 'shadow' || this.#mayAudit(this.#nameOf(policy));
  }

  #nameOf(policy: PolicyEntry): string {
    return policyFunction(policy.index, FUNCTION_PART[this.#asked]);
  }

  /** The entry block. */
  #clearMasks(): Place {
    const [entry, first] = [this.#bare(), this.#bare()];
    const emit = this.#emitter();
    const zero = emit.constant('i64', 0);
    for (const mask of MASKS) {
      for (let word = 0; word < POLICY_WORDS; word += 1) {
        emit.storePointer(DECISION_VALUE, DECISION[mask] + 8 * word, 8, zero);
      }
    }
    this.#seal(entry, emit, { op: 'br', loc: null, to: to(first) });
    return first;
  }

  #emitter(): Emitter {
    return new Emitter(this.#func, null);
  }

  #place(takes: boolean): Place {
    const param: Param | null = takes
      ? { id: this.#func.nextValue++ as ValueId, type: 'i32' }
      : null;
    return { block: this.#func.nextBlock++ as BlockId, param };
  }

  #bare(): Place {
    return this.#place(false);
  }

  #seal({ block: id, param }: Place, emit: Emitter, term: Terminator): void {
    const params = param === null ? [] : [param];
    this.#func.blocks.push({ id, params, instrs: emit.instrs, term });
  }

  /** Jump to a place with the verdict so far. */
  #to(place: Place, held: Held, emit: Emitter): Target {
    if (place.param === null) return to(place);
    return to(place, held ?? emit.constant('i32', 0));
  }

  /** Ends a block by a branch on `value == wanted`. */
  #branch(
    from: Place,
    emit: Emitter,
    on: { value: ValueId; equals: number; then: Target; else: Target },
  ): void {
    const condition = emit.compareWith('i32', 'eq', on.value, on.equals);
    const term = { op: 'br_if', loc: null, condition, then: on.then, else: on.else } as const;
    this.#seal(from, emit, term);
  }

  /** Goes past policies of which none is attached; where it goes on if any is. */
  #group(policies: Policies, from: Place, past: Place): Place {
    const held = from.param?.id ?? null;
    const inside = this.#place(held !== null);
    const test = this.#emitter();
    const condition = this.#attached.has(policies, test);
    const [then, over] = [this.#to(inside, held, test), this.#to(past, held, test)];
    this.#seal(from, test, { op: 'br_if', loc: null, condition, then, else: over });
    return inside;
  }

  /**
   * Asks a policy where it is attached; `marked` tells whether one behind it may still mark. What stands
   * behind the branches gets the answer as a parameter: the pass inline-policies goes past them.
   */
  #policy(policy: PolicyEntry, from: Place, next: Place, marked: boolean): void {
    const held = from.param?.id ?? null;
    const ask = this.#bare();
    const test = this.#emitter();
    const condition = this.#attached.has([policy], test);
    const past = this.#to(next, held, test);
    const term = { op: 'br_if', loc: null, condition, then: to(ask), else: past } as const;
    this.#seal(from, test, term);

    const call = this.#emitter();
    const answer = call.call(this.#nameOf(policy), 'i32', [CONNECTION_VALUE]);
    const value = call.with('i32', 'and', answer, VERDICT_MASK);
    const [notAllow, notPass, audit, notAudit] = Array.from({ length: 4 }, () => this.#bare()) as [
      Place,
      Place,
      Place,
      Place,
    ];
    const [allow, deny, stopped] = Array.from({ length: 3 }, () => this.#place(true)) as [
      Place,
      Place,
      Place,
    ];
    const equals = (on: Place, emit: Emitter, code: number, then: Target, other: Target): void =>
      this.#branch(on, emit, { value, equals: code, then, else: other });
    const passes = this.#emitter();
    equals(ask, call, VERDICT.allow, to(allow, answer), to(notAllow));
    equals(notAllow, passes, VERDICT.pass, this.#to(next, held, passes), to(notPass));
    equals(notPass, this.#emitter(), VERDICT.audit, to(audit), to(notAudit));
    equals(notAudit, this.#emitter(), VERDICT.deny, to(deny, answer), to(stopped, answer));
    this.#mark(audit, { mask: 'audited', policy }, held, next);

    const spoken: Spoken = (on, emit, { verdict, site, reason }) => {
      if (policy.mode === 'shadow') {
        const shadow = verdict === 'allow' ? 'shadowAllow' : 'shadowDeny';
        this.#mark(on, { mask: shadow, policy }, held, next);
      } else {
        const said = { verdict, policy, site, reason };
        this.#decide(on, emit, said, { held, next, marked });
      }
    };
    for (const [on, verdict] of [
      [allow, 'allow'],
      [deny, 'deny'],
    ] as const) {
      const emit = this.#emitter();
      const site = emit.with('i32', 'shr_u', on.param?.id ?? answer, VERDICT_BITS);
      spoken(on, emit, { verdict, site, reason: emit.constant('i32', REASON.policy) });
    }
    this.#stopped(stopped, spoken);
  }

  /** Codes of early stops, and what is no verdict, count as the bundle says. */
  #stopped(from: Place, spoken: Spoken): void {
    const { trap, fuel } = this.#rules.failure;
    const emit = this.#emitter();
    const code = emit.with('i32', 'and', from.param?.id ?? CONNECTION_VALUE, VERDICT_MASK);
    const say = (on: Place, with_: Emitter, verdict: Outcome, reason: ValueId): void =>
      spoken(on, with_, { verdict, site: with_.constant('i32', 0), reason });
    if (trap === fuel) {
      const isFuel = emit.compareWith('i32', 'eq', code, STOPPED.fuel);
      const [ofFuel, ofTrap] = [REASON.fuel, REASON.trap].map((r) => emit.constant('i32', r)) as [
        ValueId,
        ValueId,
      ];
      say(from, emit, trap, emit.select('i32', isFuel, ofFuel, ofTrap));
      return;
    }
    const [fuels, traps] = [this.#bare(), this.#bare()];
    const on = { value: code, equals: STOPPED.fuel, then: to(fuels), else: to(traps) };
    this.#branch(from, emit, on);
    const [ofFuel, ofTrap] = [this.#emitter(), this.#emitter()];
    say(fuels, ofFuel, fuel, ofFuel.constant('i32', REASON.fuel));
    say(traps, ofTrap, trap, ofTrap.constant('i32', REASON.trap));
  }

  /** Sets a bit of one of the decision's masks. */
  #mark(from: Place, set: { mask: Mask; policy: PolicyEntry }, held: Held, next: Place): void {
    const emit = this.#emitter();
    const at = DECISION[set.mask] + 8 * wordOf(set.policy);
    const old = emit.loadPointer(DECISION_VALUE, at, 8);
    emit.storePointer(DECISION_VALUE, at, 8, emit.with('i64', 'or', old, bitOf(set.policy)));
    this.#seal(from, emit, { op: 'br', loc: null, to: this.#to(next, held, emit) });
  }

  /** Writes an answer where none decided before it: no deny before a deny, nothing before an allow. */
  #decide(
    from: Place,
    emit: Emitter,
    answer: Answer,
    way: { readonly held: Held; readonly next: Place; readonly marked: boolean },
  ): void {
    const { held, next } = way;
    const verdict = emit.constant('i32', VERDICT[answer.verdict]);
    const isLast = answer.verdict === 'deny' ? !way.marked : this.#policies.length === 1;
    if (held === null) {
      this.#write(from, emit, answer, isLast ? null : next);
      return;
    }
    const write = this.#bare();
    const [kind, than] =
      answer.verdict === 'deny' ? (['eq', VERDICT.deny] as const) : (['ne', 0] as const);
    const condition = emit.compareWith('i32', kind, held, than);
    const kept = answer.verdict === 'deny' ? verdict : held;
    const term = { op: 'br_if', loc: null, condition, then: this.#to(next, kept, emit) } as const;
    this.#seal(from, emit, { ...term, else: to(write) });
    this.#write(write, this.#emitter(), answer, isLast ? null : next);
  }

  /** Stores what an answer says and goes on; with null for `next` the answer is the decision. */
  #write(
    from: Place,
    emit: Emitter,
    { verdict, policy, site, reason }: Answer,
    next: Place | null,
  ) {
    const value = emit.constant('i32', VERDICT[verdict]);
    this.#store(emit, { site, policy: emit.constant('i32', policy.index), reason });
    if (next === null) this.#return(from, emit, value);
    else this.#seal(from, emit, { op: 'br', loc: null, to: this.#to(next, value, emit) });
  }

  #return(from: Place, emit: Emitter, verdict: ValueId): void {
    emit.storePointer(DECISION_VALUE, DECISION.verdict, 4, verdict);
    this.#seal(from, emit, { op: 'return', loc: null, value: verdict });
  }

  /** Behind the last policy: the verdict so far, else what is said where none has one. */
  #finish(from: Place): void {
    const [spoken, silent] = [this.#bare(), this.#bare()];
    if (from.param === null) {
      this.#seal(from, this.#emitter(), { op: 'br', loc: null, to: to(silent) });
    } else {
      const { id } = from.param;
      const on = { value: id, equals: 0, then: to(silent), else: to(spoken) };
      this.#branch(from, this.#emitter(), on);
      this.#return(spoken, this.#emitter(), id);
    }
    this.#silent(silent);
  }

  #silent(place: Place): void {
    const emit = this.#emitter();
    const capable = byWord(this.#policies.filter((p) => isEnforced(p) && this.#canAllow(p)));
    let reason = emit.constant('i32', REASON.default);
    let verdict = emit.constant('i32', VERDICT[this.#rules.default]);
    if (capable.length > 0) {
      const attached = capable.map((of) => this.#attached.bits(of, emit));
      const any = attached.reduce((a, b) => emit.binary('i64', 'or', a, b));
      const needed = emit.compareWith('i64', 'ne', any, 0);
      reason = emit.select('i32', needed, emit.constant('i32', REASON.noAllow), reason);
      if (this.#rules.default === 'allow') {
        verdict = emit.select('i32', needed, emit.constant('i32', VERDICT.deny), verdict);
      }
    }
    const policy = emit.constant('i32', NO_POLICY);
    this.#store(emit, { site: emit.constant('i32', 0), policy, reason });
    this.#return(place, emit, verdict);
  }

  #canAllow(policy: PolicyEntry): boolean {
    return this.#asked === 'authorizeRequest' ? policy.canAllowRequest : policy.canAllow;
  }

  #store(emit: Emitter, parts: Record<'site' | 'policy' | 'reason', ValueId>): void {
    for (const field of ['site', 'policy', 'reason'] as const) {
      emit.storePointer(DECISION_VALUE, DECISION[field], 4, parts[field]);
    }
  }
}

function isEnforced({ mode }: PolicyEntry): boolean {
  return mode === 'enforce';
}

function to({ block }: Place, ...args: readonly ValueId[]): Target {
  return { block, args };
}
