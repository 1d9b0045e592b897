/** What the compiler decided about the data of a bundle, as text (`--emit plan`). */
import { FIRST_SYMBOL, routeText } from './abi/index.js';
import type { Registry } from './frontend/types.js';
import type { AbiNumbering } from './passes/expand-abi-numbering.js';
import { attributeText } from './passes/expand-abi-resolve.js';
import type {
  CidrPlan,
  ExactPlan,
  FamilyPlan,
  PatternPlan,
  PortsPlan,
  TablePlans,
  ViewPlan,
} from './tables/index.js';

export interface PolicyPlan {
  readonly name: string;
  readonly registry: Registry;
  readonly plans: TablePlans;
}

/** Prints tables, sets, symbols, slots and bits of a bundle. */
export function printPlan(policies: readonly PolicyPlan[], numbering: AbiNumbering): string {
  const lines: string[] = [];
  for (const { name, registry, plans } of policies) {
    lines.push(`policy ${name}`);
    registry.tables.forEach((table, number) => {
      const plan = plans.tables.get(number);
      const view = plans.views.get(number);
      const text = plan === undefined && view !== undefined ? viewText(view) : exactText(plan);
      lines.push(`  table ${table.name}: ${table.entries.length} entries, ${text}`);
    });
    registry.cidrs.forEach((set, number) => {
      const plan = plans.cidrs.get(number);
      lines.push(`  set ${set.name}: ${set.prefixes.length} prefixes, ${cidrText(plan)}`);
    });
    registry.ports.forEach((set, number) => {
      const plan = plans.ports.get(number);
      lines.push(`  ports ${set.name}: ${set.ranges.length} ranges, ${portsText(plan)}`);
    });
    registry.patterns.forEach((table, number) => {
      const plan = plans.patterns.get(number);
      lines.push(
        `  ${table.kind}s ${table.name}: ${table.entries.length} patterns, ${patternText(plan)}`,
      );
    });
    registry.routes.forEach(({ target }, number) => {
      lines.push(`  route ${number + 1}: ${routeText(target)}`);
    });
  }
  for (const use of numbering.attributes) lines.push(`slot ${use.slot}: ${attributeText(use)}`);
  numbering.headers.forEach((name, i) => {
    lines.push(`header ${i}: ${name}`);
  });
  for (const use of numbering.predicates) {
    lines.push(`bit ${use.bit}: ${attributeText(use)}.${use.op}(${JSON.stringify(use.text)})`);
  }
  numbering.symbols.forEach((text, i) => {
    lines.push(`symbol ${FIRST_SYMBOL + i}: ${JSON.stringify(text)}`);
  });
  return lines.map((line) => `${line}\n`).join('');
}

const UNUSED = 'never asked: left out';

function exactText(plan: ExactPlan | undefined): string {
  if (plan === undefined) return UNUSED;
  switch (plan.kind) {
    case 'chain':
      return 'compared one by one';
    case 'dense':
      return `array, ${plan.bytes.length} bytes`;
    case 'hash':
      return `perfect hash, ${2 ** plan.slotBits} slots, ${plan.bytes.length} bytes`;
  }
}

function portsText(plan: PortsPlan | undefined): string {
  if (plan === undefined) return UNUSED;
  if (plan.kind === 'bits') return `a bit each, ${plan.bytes.length} bytes`;
  return plan.ranges.length === 0 ? 'none' : `${plan.ranges.length} compared one by one`;
}

function patternText(plan: PatternPlan | null | undefined): string {
  if (plan === undefined) return UNUSED;
  if (plan === null) return 'none';
  const texts = `${plan.texts?.count ?? 0} texts, ${plan.bytes.length} bytes`;
  return plan.kind === 'path' ? `automaton of ${plan.states} states, ${texts}` : texts;
}

function viewText(plan: ViewPlan | null): string {
  return plan === null ? 'none' : `keys of bytes, ${viewBytes(plan)} bytes`;
}

function viewBytes({ bytes, hashes }: ViewPlan): number {
  return bytes.length + (hashes.kind === 'chain' ? 0 : hashes.bytes.length);
}

function cidrText(plan: CidrPlan | undefined): string {
  if (plan === undefined) return UNUSED;
  return `IPv4 ${familyText(plan.v4)}; IPv6 ${familyText(plan.v6)}`;
}

function familyText(plan: FamilyPlan): string {
  if (plan.kind === 'trie') return `trie of ${plan.strides.join('-')}, ${plan.bytes.length} bytes`;
  if (plan.kind === 'spans') return `${plan.records} spans, ${plan.bytes.length} bytes`;
  return plan.prefixes.length === 0 ? 'none' : `${plan.prefixes.length} compared one by one`;
}

/** Bytes of all images of the plans. */
export function planBytes(plans: TablePlans): number {
  const exact = [...plans.tables.values()].map((p) => (p.kind === 'chain' ? 0 : p.bytes.length));
  const sets = [...plans.cidrs.values()].flatMap(({ v4, v6 }) =>
    [v4, v6].map((p) => (p.kind === 'chain' ? 0 : p.bytes.length)),
  );
  const views = [...plans.views.values()].map((p) => (p === null ? 0 : viewBytes(p)));
  const ports = [...plans.ports.values()].map((p) => (p.kind === 'chain' ? 0 : p.bytes.length));
  const patterns = [...plans.patterns.values()].map((p) => p?.bytes.length ?? 0);
  return [...exact, ...sets, ...ports, ...patterns, ...views].reduce((sum, n) => sum + n, 0);
}
