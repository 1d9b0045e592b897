import type { Result } from './command-spec.js';

/** Every error says what helps; the tables are read only where one does not by itself. */
export async function remedied(result: Result): Promise<Result> {
  const found = result.diagnostics ?? [];
  if (found.every((d) => d.help !== null || d.severity !== 'error')) return result;
  const { remedyOf } = await import('./remedies.js');
  const helped = found.map((d) =>
    d.severity === 'error' ? { ...d, help: d.help ?? remedyOf(d.code) } : d,
  );
  return { ...result, diagnostics: helped };
}
