/** Prints a verb's result: the answer to stdout, findings and warnings to stderr. */
import { type Diagnostic, renderDiagnostic, summarize } from '../../compiler/diagnostic/index.js';
import { jsonLine, jsonValue } from '../agent/api/json.js';
import type { Format, Result } from './command-spec.js';
import { type Env, hasColor, type Output } from './env.js';
import { SCHEMA_VERSION } from './version.js';

function printFindings(env: Env, output: Output, result: Result): void {
  const diagnostics = result.diagnostics ?? [];
  const color = hasColor(env, output);
  for (const d of diagnostics) {
    const source = d.file === null ? null : (result.sources?.(d.file) ?? null);
    output.write(renderDiagnostic(d, source, { color }));
  }
  if (diagnostics.length > 0) output.write(`${summarize(diagnostics)}\n`);
}

function document(result: Result): Record<string, unknown> {
  const diagnostics: readonly Diagnostic[] = result.diagnostics ?? [];
  return { schemaVersion: SCHEMA_VERSION, ...result.document, diagnostics };
}

/** Under json exactly one document on stdout; under text the answer, then findings. */
export function printResult(
  env: Env,
  result: Result,
  format: Format,
  findingsAreResults: boolean,
): void {
  if (format === 'json') {
    env.stdout.write(`${JSON.stringify(document(result), jsonValue, 2)}\n`);
    return;
  }
  if (result.bytes !== undefined) env.stdout.write(result.bytes);
  if (result.text !== undefined && result.text !== '') {
    env.stdout.write(result.text.endsWith('\n') ? result.text : `${result.text}\n`);
  }
  if (format === 'ndjson' && result.text === undefined && (result.diagnostics ?? []).length > 0) {
    env.stdout.write(jsonLine(document(result)));
  } else {
    printFindings(env, findingsAreResults ? env.stdout : env.stderr, result);
  }
}
