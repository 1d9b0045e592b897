/** Holds what was compiled against the budget in weft.json; the CLI's exit status for these is 7. */
import { BUNDLE_CODES } from './bundle/index.js';
import type { Manifest } from './bundle/manifest.js';
import type { ProjectConfig } from './bundle/project.js';
import { type Diagnostic, diagnostic } from './diagnostic/index.js';

/** Codes of findings that mean `over budget`. */
export const BUDGET_CODES: readonly string[] = ['B206', 'B207', 'B209', 'T103'];

/** Compares instructions of each policy, its subprograms included, and bytes of all tables. */
export function checkBudget(
  { budget, policies }: ProjectConfig,
  cost: Manifest['cost'],
): Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const [index, { file, at }] of policies.entries()) {
    const own = cost.functions.filter((f) => f.name.startsWith(`p${index}_`));
    const instructions = own.reduce((sum, f) => sum + f.instructions, 0);
    if (instructions <= budget.instructions) continue;
    const notes = own.map((f) => `\`${f.name}\`: ${f.instructions}`);
    const message = `\`${file}\` takes ${instructions} instructions, the budget is ${budget.instructions}`;
    found.push(diagnostic('B206', message, { at, notes, help: help('B206') }));
  }
  if (cost.tableBytes > budget.tableBytes) {
    const message = `tables take ${cost.tableBytes} bytes, the budget is ${budget.tableBytes}`;
    found.push(diagnostic('B207', message, { help: help('B207') }));
  }
  return found;
}

function help(code: string): string | null {
  return BUNDLE_CODES[code]?.help ?? null;
}
