/**
 * Calls of what JavaScript has and a policy has not: clock, draws, logs, floating point. asc compiles them; what they
 * come to is refused later, by the configure phase or as code for the kernel, where only the written call says what to
 * write instead.
 */
import type { Diagnostic } from '../diagnostic/index.js';
import type { ForeignCall } from './types.js';

/** Objects whose calls are noted. */
export const FOREIGN: ReadonlySet<string> = new Set(['Date', 'Math', 'Mathf', 'console']);

const REMEDIES: readonly (readonly [pattern: RegExp, help: string])[] = [
  [
    /^Date\./,
    'the time of a decision is `connection.now` (or `request.now`), in nanoseconds since 1970; the top level has no clock, so that equal sources give equal bundles: write its times as numbers',
  ],
  [
    /^Mathf?\.random$/,
    '`split(stable, 90, canary, 10)` in `routeConnection` or `routeRequest` divides by chance; the top level has no draws, so that equal sources give equal bundles',
  ],
  [
    /^console\./,
    'a policy writes no logs: `weft explain` and tests show how it decides, and `Verdict.Audit` marks a connection in events',
  ],
  [/^Mathf?\.(?:min|max)$/, '`Math` is floating point: write `min<u32>(a, b)`, `max<u32>(a, b)`'],
  [/^Mathf?\.abs$/, '`Math` is floating point: write `abs<i32>(x)`'],
  [
    /^Mathf?\.(?:floor|trunc|round|ceil)$/,
    '`Math` is floating point: `a / b` of integers drops the rest, `(a + b - 1) / b` rounds up',
  ],
  [
    /^Mathf?\./,
    '`Math` is floating point, which the kernel lacks: compute with integers, or at the top level',
  ],
];
/** What the import behind a call is named, where it is not as the call. */
const IMPORTS: Readonly<Record<string, RegExp>> = { seed: /^Mathf?\.random$/ };

/** What to write instead of a call of that name. */
export function foreignHelp(name: string): string | null {
  return REMEDIES.find(([pattern]) => pattern.test(name))?.[1] ?? null;
}

/** The first call that leads to an import: `console.log`, `seed`. */
export function callOfImport(name: string, calls: readonly ForeignCall[]): ForeignCall | null {
  const pattern = IMPORTS[name];
  return calls.find((c) => c.name === name || pattern?.test(c.name) === true) ?? null;
}

/** Code of a library belongs to the policy's expression behind the call, which stands on its last line or within it. */
function leadsTo({ at }: ForeignCall, { file, line, column }: Diagnostic): boolean {
  if (file !== at.file || line === null || column === null) return false;
  const isBehind = line > at.line || (line === at.line && column >= at.column);
  return isBehind && line <= (at.endLine ?? at.line);
}

/** A refusal of code for the kernel, with the remedy of the call that it comes from. */
export function explainForeign(d: Diagnostic, calls: readonly ForeignCall[]): Diagnostic {
  if (d.code !== 'I101' && d.code !== 'I109') return d;
  const imported = /^the import `\w+\.([\w.]+)`/.exec(d.message)?.[1] ?? '';
  // The last that begins in front of the place: of calls in calls the innermost.
  const call = calls.filter((c) => leadsTo(c, d)).at(-1) ?? callOfImport(imported, calls);
  if (call === null) return d;
  const { file, line, column, endLine = line, endColumn = null } = call.at;
  const help = foreignHelp(call.name);
  return { ...d, file, line, column, endLine, endColumn, help };
}
