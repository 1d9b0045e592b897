/** What the compiler decided about the data of a bundle, as text (`--emit plan`). */
import { FIRST_SYMBOL, routeText } from './abi/index.js';
import type { AbiNumbering } from './passes/expand-abi-numbering.js';
import { attributeText } from './passes/expand-abi-resolve.js';
import { type PolicyPlan, tableCosts } from './table-costs.js';

/** Prints tables, sets, symbols, slots and bits of a bundle. */
export function printPlan(policies: readonly PolicyPlan[], numbering: AbiNumbering): string {
  const lines: string[] = [];
  for (const policy of policies) {
    lines.push(`policy ${policy.name}`);
    for (const { kind, name, entries, form, bytes } of tableCosts(policy)) {
      const size = bytes === 0 ? '' : `, ${bytes} bytes`;
      lines.push(`  ${kind} ${name}: ${entries} entries, ${form}${size}`);
    }
    policy.registry.routes.forEach(({ target }, number) => {
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
