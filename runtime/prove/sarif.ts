/** Findings as SARIF 2.1.0 (OASIS): what code hosts show beside a change. */
import type { CodeTable, Diagnostic } from '../../compiler/diagnostic/index.js';
import { CODES } from './codes.js';
import type { Suppressed } from './suppressions.js';

const SCHEMA =
  'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';

function resultOf(finding: Diagnostic, reason: string | null): object {
  const { file, line, column, endLine, endColumn } = finding;
  const region = {
    startLine: line ?? 1,
    startColumn: column ?? 1,
    ...(endLine == null ? {} : { endLine }),
    ...(endColumn == null ? {} : { endColumn }),
  };
  const location = {
    physicalLocation: { artifactLocation: { uri: (file ?? '').replaceAll('\\', '/') }, region },
  };
  return {
    ruleId: finding.code,
    level: finding.severity === 'error' ? 'error' : 'warning',
    message: { text: [finding.message, ...finding.notes].join('\n') },
    ...(file === null ? {} : { locations: [location] }),
    ...(reason === null ? {} : { suppressions: [{ kind: 'inSource', justification: reason }] }),
  };
}

/** The document. */
export function sarifReport(
  { left, taken }: Suppressed,
  version: string,
  others: CodeTable = {},
): string {
  const met = new Set([...left, ...taken.map(({ finding }) => finding)].map(({ code }) => code));
  const table = { ...others, ...CODES };
  const rules = [...met].sort().map((id) => ({
    id,
    shortDescription: { text: table[id]?.title ?? id },
    ...(table[id] === undefined ? {} : { help: { text: table[id].help } }),
  }));
  const results = [
    ...left.map((finding) => resultOf(finding, null)),
    ...taken.map(({ finding, reason }) => resultOf(finding, reason)),
  ];
  const driver = { name: 'weft', version, rules };
  return `${JSON.stringify({ $schema: SCHEMA, version: '2.1.0', runs: [{ tool: { driver }, columnKind: 'utf16CodeUnits', results }] }, null, 2)}\n`;
}
