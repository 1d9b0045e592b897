/**
 * Pass:    expand-tables
 * Reads:   calls of `table_get`, `table_has`, `key_*`, `rules_*`, `cidr_contains`, `ports_contain`, `view_table_*`,
 *          `view_pattern_*`, and the plans of their tables
 * Writes:  the look-ups as code, one image for each plan that has one, and a function for
 *          each table of patterns and each rule list
 * Refuses: nothing (planTables refused what does not fit)
 * Keeps:   value numbers of the answers; order of blocks, with those of tries behind their block
 */
import { CONNECTION, PARTY } from '../abi/index.js';
import { BugError } from '../diagnostic/index.js';
import { Emitter } from '../ir/emitter.js';
import type { Block, Func, Image, Instr, Module, ValueId } from '../ir/index.js';
import { type FamilyPlan, KEY_WORDS, type TablePlans, type TableUses } from '../tables/index.js';
import { connectionOf } from './expand-abi.js';
import { type AbiNumbering, slotOf } from './expand-abi-numbering.js';
import type { AbiCall, AbiInstr, ResolvedAbi } from './expand-abi-resolve.js';
import { type CidrLookup, emitStraight, isStraight, splitAtLookup } from './expand-tables-cidr.js';
import { emitExact } from './expand-tables-exact.js';
import { emitKeys } from './expand-tables-keys.js';
import { emitPatternLookup } from './expand-tables-patterns.js';
import { emitPorts } from './expand-tables-ports.js';
import { emitViewLookup } from './expand-tables-views.js';
import { patternFunction } from './pattern-functions.js';
import { type AttributeOffset, emitRules, rulesFunction } from './rules-function.js';

type RuleAttribute = Parameters<AttributeOffset>[0];

/** One cache line, so that a node or slot never straddles two. */
const IMAGE_ALIGN = 64;

/** Tables and sets that a module's calls look into. */
export function tableUses(
  resolved: ResolvedAbi,
): Pick<TableUses, 'tables' | 'cidrs' | 'ports' | 'patterns' | 'views' | 'keys' | 'rules'> {
  const tables = new Set<number>();
  const cidrs = new Set<number>();
  const ports = new Set<number>();
  const patterns = new Set<number>();
  const views = new Set<number>();
  const keys = new Set<number>();
  const rules = new Set<number>();
  for (const calls of resolved.calls.values()) {
    for (const call of calls.values()) {
      if (call.op === 'table') tables.add(call.table);
      if (call.op === 'cidr') cidrs.add(call.set);
      if (call.op === 'ports') ports.add(call.set);
      if (call.op === 'patterns') patterns.add(call.table);
      if (call.op === 'viewTable') views.add(call.table);
      if (call.op === 'keys') keys.add(call.table);
      if (call.op === 'rules') rules.add(call.list);
    }
  }
  return { tables, cidrs, ports, patterns, views, keys, rules };
}

/** Replaces the look-ups of a module, in place; `prefix` begins the names of its images. */
export function expandTables(
  module: Module,
  resolved: ResolvedAbi,
  {
    plans,
    prefix,
    numbering,
  }: {
    readonly plans: TablePlans;
    readonly prefix: string;
    readonly numbering: AbiNumbering;
  },
): void {
  module.images.push(...imagesOf(plans, prefix));
  for (const func of module.functions) {
    const calls = resolved.calls.get(func.name);
    if (calls !== undefined) expandFunction(func, { calls, plans, prefix });
  }
  for (const [number, plan] of plans.patterns) {
    if (plan === null) continue;
    const image = patternImage(prefix, number);
    module.functions.push(patternFunction(patternName(prefix, number), plan, image));
  }
  for (const [number, plan] of plans.rules) {
    if (plan === null) continue;
    const at = {
      image: rulesImage(prefix, number),
      offsetOf: (field: RuleAttribute): number =>
        CONNECTION[field.side] + PARTY.attributes + 4 * slotOf(numbering, field),
    };
    module.functions.push(rulesFunction(rulesName(prefix, number), plan, at));
  }
}

const tableImage = (prefix: string, number: number): string => `${prefix}table${number}`;
const hashImage = (prefix: string, number: number): string => `${prefix}hashes${number}`;
const keyImage = (prefix: string, number: number): string => `${prefix}keys${number}`;
const wordsImage = (prefix: string, number: number): string => `${prefix}words${number}`;
const portsImage = (prefix: string, number: number): string => `${prefix}ports${number}`;
const patternImage = (prefix: string, number: number): string => `${prefix}patterns${number}`;
const rulesImage = (prefix: string, number: number): string => `${prefix}rules${number}`;
const rulesName = (prefix: string, number: number): string => `${prefix}match${number}`;
const patternName = (prefix: string, number: number): string => `${prefix}find${number}`;
const setImage = (prefix: string, number: number, family: 'v4' | 'v6'): string =>
  `${prefix}set${number}_${family}`;

function imagesOf(plans: TablePlans, prefix: string): Image[] {
  const images: Image[] = [];
  for (const [number, plan] of plans.tables) {
    if (plan.kind === 'chain') continue;
    images.push({ name: tableImage(prefix, number), bytes: plan.bytes, align: IMAGE_ALIGN });
  }
  for (const [number, plan] of plans.views) {
    if (plan === null) continue;
    const { hashes, bytes } = plan;
    images.push({ name: keyImage(prefix, number), bytes, align: IMAGE_ALIGN });
    if (hashes.kind === 'chain') continue;
    images.push({ name: hashImage(prefix, number), bytes: hashes.bytes, align: IMAGE_ALIGN });
  }
  for (const [number, plan] of plans.keys) {
    const made = plan?.kind === 'packed' ? plan.exact : plan;
    if (made === null || made.kind === 'chain') continue;
    images.push({ name: wordsImage(prefix, number), bytes: made.bytes, align: IMAGE_ALIGN });
  }
  for (const [number, plan] of plans.ports) {
    if (plan.kind === 'chain') continue;
    images.push({ name: portsImage(prefix, number), bytes: plan.bytes, align: IMAGE_ALIGN });
  }
  for (const [number, plan] of plans.patterns) {
    if (plan === null) continue;
    images.push({ name: patternImage(prefix, number), bytes: plan.bytes, align: IMAGE_ALIGN });
  }
  for (const [number, plan] of plans.rules) {
    if (plan === null) continue;
    images.push({ name: rulesImage(prefix, number), bytes: plan.bytes, align: IMAGE_ALIGN });
  }
  for (const [number, plan] of plans.cidrs) {
    for (const family of ['v4', 'v6'] as const) {
      const part: FamilyPlan = plan[family];
      if (part.kind === 'chain') continue;
      images.push({
        name: setImage(prefix, number, family),
        bytes: part.bytes,
        align: IMAGE_ALIGN,
      });
    }
  }
  return images;
}

interface Expansion {
  readonly calls: ReadonlyMap<ValueId, AbiCall>;
  readonly plans: TablePlans;
  readonly prefix: string;
}

function expandFunction(func: Func, expansion: Expansion): void {
  const done: Block[] = [];
  for (const block of func.blocks) {
    let current = expandExact(func, block, expansion);
    for (;;) {
      const split = splitNext(func, current, expansion);
      if (split === null) break;
      done.push(split.head, ...split.inner);
      current = split.tail;
    }
    done.push(current);
  }
  func.blocks = done;
}

/** Everything that is straight code. */
function isZero(func: Func, value: ValueId | undefined): boolean {
  return func.blocks.some(({ instrs }) =>
    instrs.some((i) => i.id === value && i.op === 'const' && i.value === 0n),
  );
}

function expandExact(func: Func, block: Block, expansion: Expansion): Block {
  const instrs = block.instrs.flatMap((instr): readonly Instr[] => {
    const call = instr.op === 'abi' ? expansion.calls.get(instr.id) : undefined;
    if (instr.op !== 'abi' || call === undefined) return [instr];
    const emit = new Emitter(func, instr.loc);
    if (call.op === 'table') {
      const plan = expansion.plans.tables.get(call.table);
      const [, key, fallback] = instr.args;
      if (plan === undefined || key === undefined) throw new BugError('table call without plan');
      const image = tableImage(expansion.prefix, call.table);
      emitExact(emit, {
        plan,
        image,
        key,
        fallback: call.want === 'get' ? (fallback ?? null) : null,
        isFallbackZero: isZero(func, fallback),
        id: instr.id,
      });
      return emit.instrs;
    }
    if (call.op === 'viewTable') {
      const [, view, fallback] = instr.args;
      const plan = expansion.plans.views.get(call.table);
      if (plan === undefined || view === undefined) throw new BugError('table call without plan');
      const { prefix } = expansion;
      emitViewLookup(emit, {
        plan,
        images: { hashes: hashImage(prefix, call.table), keys: keyImage(prefix, call.table) },
        request: connectionOf(func),
        view,
        fallback: call.want === 'get' ? (fallback ?? null) : null,
        id: instr.id,
      });
      return emit.instrs;
    }
    if (call.op === 'keys') {
      const plan = expansion.plans.keys.get(call.table);
      const words = instr.args.slice(2, 2 + KEY_WORDS);
      if (plan === undefined) throw new BugError('key call without plan');
      const image = wordsImage(expansion.prefix, call.table);
      const fallback = call.want === 'get' ? (instr.args[2 + KEY_WORDS] ?? null) : null;
      emitKeys(emit, { plan, image, words, fallback, id: instr.id });
      return emit.instrs;
    }
    if (call.op === 'ports') {
      const plan = expansion.plans.ports.get(call.set);
      const port = instr.args[1];
      if (plan === undefined || port === undefined) throw new BugError('port set without plan');
      const image = portsImage(expansion.prefix, call.set);
      emitPorts(emit, { plan, image, port, id: instr.id });
      return emit.instrs;
    }
    if (call.op === 'patterns') {
      const [, view, fallback] = instr.args;
      const plan = expansion.plans.patterns.get(call.table);
      if (plan === undefined || view === undefined) throw new BugError('patterns without plan');
      const { prefix } = expansion;
      emitPatternLookup(emit, {
        plan,
        image: patternImage(prefix, call.table),
        callee: patternName(prefix, call.table),
        request: connectionOf(func),
        view,
        fallback: call.want === 'get' ? (fallback ?? null) : null,
        id: instr.id,
      });
      return emit.instrs;
    }
    if (call.op === 'rules') {
      const [, kind, fallback] = instr.args;
      const plan = expansion.plans.rules.get(call.list);
      if (plan === undefined || kind === undefined) throw new BugError('rules without plan');
      const { prefix } = expansion;
      emitRules(emit, {
        plan,
        callee: rulesName(prefix, call.list),
        connection: connectionOf(func),
        kind,
        fallback: call.want === 'get' ? (fallback ?? null) : null,
        id: instr.id,
      });
      return emit.instrs;
    }
    if (call.op !== 'cidr') return [instr];
    const lookup = lookupOf(func, instr, call, expansion);
    if (!isStraight(lookup.plan)) return [instr];
    emitStraight(emit, lookup);
    return emit.instrs;
  });
  return { ...block, instrs };
}

function splitNext(
  func: Func,
  block: Block,
  expansion: Expansion,
): ReturnType<typeof splitAtLookup> | null {
  for (const [index, instr] of block.instrs.entries()) {
    const call = instr.op === 'abi' ? expansion.calls.get(instr.id) : undefined;
    if (instr.op !== 'abi' || call?.op !== 'cidr') continue;
    return splitAtLookup(func, block, { index, lookup: lookupOf(func, instr, call, expansion) });
  }
  return null;
}

function lookupOf(
  func: Func,
  instr: AbiInstr,
  call: Extract<AbiCall, { readonly op: 'cidr' }>,
  { plans, prefix }: Expansion,
): CidrLookup {
  const plan = plans.cidrs.get(call.set);
  if (plan === undefined) throw new BugError('cidr call without plan');
  return {
    plan,
    images: { v4: setImage(prefix, call.set, 'v4'), v6: setImage(prefix, call.set, 'v6') },
    connection: connectionOf(func),
    party: CONNECTION[call.side],
    id: instr.id,
    loc: instr.loc,
  };
}
