/** Options of `weft import` that the dialect at hand does not know. */
import { type Input, listOption, textOption } from './command-spec.js';
import { usageFault } from './usage-fault.js';

/** Options that not every dialect knows. */
const KNOWN_BY: readonly (readonly [flag: string, name: string, dialects: readonly string[]])[] = [
  ['--http-port', 'httpPort', ['istio', 'cilium']],
  ['--nodes', 'nodes', ['cilium']],
  ['--root-namespace', 'rootNamespace', ['istio']],
  ['--trust-domain', 'trustDomain', ['istio']],
  ['--claims-from', 'claimsFrom', ['istio']],
  ['--claim', 'claim', ['istio']],
  ['--remote-ip', 'remoteIp', ['istio']],
  ['--path-normalization', 'pathNormalization', ['istio']],
];

/** An option that would do nothing is refused: who gave it believes that it did something. */
export function refuseForeignOptions(input: Input): void {
  const [dialect = ''] = input.arguments;
  for (const [flag, name, dialects] of KNOWN_BY) {
    const isGiven = textOption(input, name) !== null || listOption(input, name).length > 0;
    if (!isGiven || dialects.includes(dialect)) continue;
    const whose = dialects.map((one) => `\`${one}\``).join(' and ');
    throw usageFault(`\`${flag}\` says nothing to \`${dialect}\``, `it is an option of ${whose}`);
  }
}
