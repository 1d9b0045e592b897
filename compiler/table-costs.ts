/** What each declared table and set becomes, and the bytes that it takes: for `build`, `inspect`, `--emit plan` and the budget. */
import type { TableCost } from './bundle/manifest.js';
import type { Position } from './diagnostic/index.js';
import type { Registry } from './frontend/types.js';
import type {
  CidrPlan,
  ExactPlan,
  FamilyPlan,
  KeysPlan,
  PatternPlan,
  PortsPlan,
  RulesPlan,
  TablePlans,
  ViewPlan,
} from './tables/index.js';

export interface PolicyPlan {
  readonly name: string;
  readonly registry: Registry;
  readonly plans: TablePlans;
}
/** A cost and where the table is declared. */
export interface PlacedCost extends TableCost {
  readonly at: Position | null;
}
type Form = Pick<TableCost, 'form' | 'bytes'>;

/** Costs of a policy's tables, in the order of their kinds and declarations. */
export function tableCosts({ name: policy, registry, plans }: PolicyPlan): readonly PlacedCost[] {
  return [
    ...registry.tables.map(({ name, at, entries }, number) => {
      const form = exactForm(plans.tables.get(number), plans.views.get(number));
      return { policy, kind: 'table', name, entries: entries.length, ...form, at } as const;
    }),
    ...registry.cidrs.map(({ name, at, prefixes }, number) => {
      const form = cidrForm(plans.cidrs.get(number));
      return { policy, kind: 'addresses', name, entries: prefixes.length, ...form, at } as const;
    }),
    ...registry.ports.map(({ name, at, ranges }, number) => {
      const form = portsForm(plans.ports.get(number));
      return { policy, kind: 'ports', name, entries: ranges.length, ...form, at } as const;
    }),
    ...registry.keys.map(({ name, at, entries }, number) => {
      const form = keysForm(plans.keys.get(number));
      return { policy, kind: 'keys', name, entries: entries.length, ...form, at } as const;
    }),
    ...registry.rules.map(({ name, at, rules }, number) => {
      const form = rulesForm(plans.rules.get(number));
      return { policy, kind: 'rules', name, entries: rules.length, ...form, at } as const;
    }),
    ...registry.patterns.map(({ name, at, entries, kind }, number) => {
      const form = patternForm(plans.patterns.get(number));
      const plural = kind === 'regex' ? 'regexes' : (`${kind}s` as const);
      return { policy, kind: plural, name, entries: entries.length, ...form, at } as const;
    }),
  ];
}

const UNUSED: Form = { form: 'never asked: left out', bytes: 0 };
const NONE: Form = { form: 'none', bytes: 0 };

/** A table may be asked by numbers and by views, and is then there twice. */
function exactForm(plan: ExactPlan | undefined, views: ViewPlan | null | undefined): Form {
  const forms = [
    ...(plan === undefined ? [] : [numbersForm(plan)]),
    ...(views === undefined ? [] : [views === null ? NONE : viewForm(views)]),
  ];
  if (forms.length === 0) return UNUSED;
  return {
    form: forms.map(({ form }) => form).join('; '),
    bytes: forms.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

function numbersForm(plan: ExactPlan): Form {
  switch (plan.kind) {
    case 'chain':
      return { form: 'compared one by one', bytes: 0 };
    case 'dense':
      return { form: 'array', bytes: plan.bytes.length };
    case 'hash':
      return { form: `perfect hash, ${2 ** plan.slotBits} slots`, bytes: plan.bytes.length };
  }
}

function viewForm({ bytes, hashes }: ViewPlan): Form {
  return { form: 'keys of bytes', bytes: bytes.length + numbersForm(hashes).bytes };
}

function cidrForm(plan: CidrPlan | undefined): Form {
  if (plan === undefined) return UNUSED;
  const [v4, v6] = [familyForm(plan.v4), familyForm(plan.v6)];
  return { form: `IPv4 ${v4.form}; IPv6 ${v6.form}`, bytes: v4.bytes + v6.bytes };
}

function familyForm(plan: FamilyPlan): Form {
  if (plan.kind === 'chain') {
    const { length } = plan.prefixes;
    return length === 0 ? NONE : { form: `${length} compared one by one`, bytes: 0 };
  }
  const form = plan.kind === 'trie' ? `trie of ${plan.strides.join('-')}` : `${plan.records} spans`;
  return { form, bytes: plan.bytes.length };
}

function keysForm(plan: KeysPlan | null | undefined): Form {
  if (plan === undefined) return UNUSED;
  if (plan === null) return NONE;
  if (plan.kind === 'packed') return numbersForm(plan.exact);
  const form = `perfect hash of ${plan.fields.length} words, ${2 ** plan.slotBits} slots`;
  return { form, bytes: plan.bytes.length };
}

function rulesForm(plan: RulesPlan | null | undefined): Form {
  if (plan === undefined) return UNUSED;
  if (plan === null) return NONE;
  const { probes, entries } = plan;
  const most = Math.max(...probes.map((probe) => probe.most));
  const looks = `${probes.length} look-up${probes.length === 1 ? '' : 's'}`;
  return {
    form: `${looks}, ${entries} boxes, at most ${most} in one place`,
    bytes: plan.bytes.length,
  };
}

function portsForm(plan: PortsPlan | undefined): Form {
  if (plan === undefined) return UNUSED;
  if (plan.kind === 'bits') return { form: 'a bit each', bytes: plan.bytes.length };
  const { length } = plan.ranges;
  return length === 0 ? NONE : { form: `${length} compared one by one`, bytes: 0 };
}

function patternForm(plan: PatternPlan | null | undefined): Form {
  if (plan === undefined) return UNUSED;
  if (plan === null) return NONE;
  if (plan.kind === 'regex') {
    return { form: `automaton of ${plan.states} states`, bytes: plan.bytes.length };
  }
  const texts = `${plan.texts?.count ?? 0} texts`;
  const form = plan.kind === 'path' ? `automaton of ${plan.states} states, ${texts}` : texts;
  return { form, bytes: plan.bytes.length };
}
