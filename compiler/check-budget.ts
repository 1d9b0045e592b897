/** Holds what was compiled against the budget in weft.json; the CLI's exit status for these is 7. */
import { BUNDLE_CODES } from './bundle/index.js';
import type { Manifest } from './bundle/manifest.js';
import type { ProjectConfig } from './bundle/project.js';
import { type Diagnostic, diagnostic } from './diagnostic/index.js';
import type { PlacedCost, PolicyPlan } from './table-costs.js';
import { MAX_REGEX_TABLES, TABLE_CODES } from './tables/index.js';

/** Codes of findings that mean `over budget`. */
export const BUDGET_CODES: readonly string[] = ['B206', 'B207', 'B209', 'T103'];

/** Compares instructions of each policy, its subprograms included. */
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
  return found;
}

/** So many of the largest tables are told. */
const LARGEST = 3;

/** Compares the bytes of all tables; the finding stands at the largest one. */
export function checkTableBudget(
  { budget }: ProjectConfig,
  tables: readonly PlacedCost[],
): Diagnostic[] {
  const bytes = tables.reduce((sum, table) => sum + table.bytes, 0);
  if (bytes <= budget.tableBytes) return [];
  const largest = [...tables].sort((a, b) => b.bytes - a.bytes).slice(0, LARGEST);
  const message = `tables take ${bytes} bytes, the budget is ${budget.tableBytes}`;
  const notes = largest.map(
    ({ policy, name, ...t }) => `\`${name}\` of ${policy}: ${t.bytes} for ${t.entries} entries`,
  );
  return [diagnostic('B207', message, { at: largest[0]?.at ?? null, notes, help: help('B207') })];
}

/** Each table of regular expressions is walked byte by byte by kernels without may_goto. */
export function checkRegexTables(policies: readonly PolicyPlan[]): Diagnostic[] {
  const found = policies.flatMap(({ registry, plans }) =>
    registry.patterns.filter((_, number) => plans.patterns.get(number)?.kind === 'regex'),
  );
  const over = found[MAX_REGEX_TABLES];
  if (over === undefined) return [];
  const message = `the bundle asks ${found.length} tables of regular expressions, at most ${MAX_REGEX_TABLES}`;
  return [diagnostic('T107', message, { at: over.at, help: TABLE_CODES['T107']?.help ?? null })];
}

function help(code: string): string | null {
  return BUNDLE_CODES[code]?.help ?? null;
}
