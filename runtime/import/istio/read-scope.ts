/** Which workloads an object of Istio is for. */
import type { Fields, Findings } from '../fields.js';
import type { Scope } from './model.js';
import type { IstioOptions } from './options.js';

const MAX_TARGETS = 16;

/** Namespace and `selector`; null, and a finding, where it is for gateways and waypoints. */
export function readScope(
  spec: Fields | null,
  namespace: string,
  { rootNamespace }: IstioOptions,
  findings: Findings,
): Scope | null {
  const selector = spec?.map('selector') ?? null;
  const labels = selector?.map('matchLabels')?.labels() ?? {};
  selector?.end();
  const refs = (['targetRef', 'targetRefs'] as const).filter((name) => spec?.has(name));
  const [ref] = refs;
  if (spec !== null && ref !== undefined) {
    const at = spec.place(ref);
    const count = ref === 'targetRefs' ? (spec.list(ref)?.length ?? 0) : 1;
    if (selector !== null) findings.error('W503', at, `\`${ref}\` stands beside \`selector\``);
    else if (count > MAX_TARGETS) {
      findings.error('W503', at, `more than ${MAX_TARGETS} targets`);
    } else {
      const help = 'select the workloads instead, by `selector`';
      findings.error('W504', at, `\`${ref}\` is for gateways and waypoints`, help);
    }
    return null;
  }
  for (const [key, value] of Object.entries(labels)) {
    if (selector === null || (key !== '' && !`${key}${value}`.includes('*'))) continue;
    findings.error('W503', selector.at, `\`${key}: ${value}\` is no label`);
  }
  return { namespace: namespace === rootNamespace ? null : namespace, labels };
}
