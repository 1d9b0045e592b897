/**
 * Results in the forms that other programs read: TAP 14 (testanything.org/tap-version-14-specification), JUnit's XML
 * (as Jenkins and GitLab read it), and annotations of GitHub's workflow commands.
 */
import { type Diagnostic, hasErrors } from '../../compiler/diagnostic/index.js';
import { summarize, type TestResult } from './result.js';

export interface ReportOptions {
  /** Only what failed is told one by one. */
  readonly failuresOnly: boolean;
}

/** What kept tests from running, as failures of their own for programs that read reports alone. */
export function faultResults(diagnostics: readonly Diagnostic[]): readonly TestResult[] {
  return diagnostics
    .filter((one) => hasErrors([one]))
    .map(({ code, file, line, message, help }) => ({
      file: file ?? 'weft test',
      line: line ?? 1,
      name: code,
      isPassed: false,
      details: help === null ? [message] : [message, help],
    }));
}

/** For people. */
export function textReport(
  results: readonly TestResult[],
  { failuresOnly }: ReportOptions,
): string {
  const told = failuresOnly ? results.filter((result) => !result.isPassed) : results;
  const lines = told.flatMap(({ file, line, name, isPassed, details }) => [
    `${isPassed ? 'ok  ' : 'FAIL'} ${file}:${line}  ${name}`,
    ...details.map((detail) => `       ${detail}`),
  ]);
  const { passed, failed } = summarize(results);
  return [...lines, `${passed} passed, ${failed} failed`].join('\n');
}

/** TAP 14; the details of a failure are a YAML block. */
export function tapReport(results: readonly TestResult[]): string {
  const lines = results.flatMap(({ file, line, name, isPassed, details }, i) => {
    const point = `${isPassed ? 'ok' : 'not ok'} ${i + 1} - ${tapText(`${file} ${name}`)}`;
    if (isPassed) return [point];
    const block = [`  at: ${JSON.stringify(`${file}:${line}`)}`, '  details:'];
    return [
      point,
      '  ---',
      ...block,
      ...details.map((detail) => `    - ${JSON.stringify(detail)}`),
      '  ...',
    ];
  });
  return ['TAP version 14', `1..${results.length}`, ...lines].join('\n');
}

/** `#` begins a directive, and a backslash escapes. */
function tapText(text: string): string {
  return text.replace(/[\\#]/g, '\\$&').replace(/\s+/g, ' ');
}

/** JUnit: a suite a file. */
export function junitReport(results: readonly TestResult[]): string {
  const files = [...new Set(results.map(({ file }) => file))];
  const suites = files.map((file) => {
    const own = results.filter((result) => result.file === file);
    const { failed } = summarize(own);
    const cases = own.map(({ line, name, isPassed, details }) => {
      const head = `    <testcase classname="${xml(file)}" name="${xml(name)}" file="${xml(file)}" line="${line}"`;
      if (isPassed) return `${head}/>`;
      const message = xml(details[0] ?? 'failed');
      return `${head}>\n      <failure message="${message}">${xml(details.join('\n'))}</failure>\n    </testcase>`;
    });
    const counts = `tests="${own.length}" failures="${failed}" errors="0" skipped="0"`;
    return `  <testsuite name="${xml(file)}" ${counts}>\n${cases.join('\n')}\n  </testsuite>`;
  });
  const { passed, failed } = summarize(results);
  const head = `<testsuites name="weft" tests="${passed + failed}" failures="${failed}">`;
  return ['<?xml version="1.0" encoding="UTF-8"?>', head, ...suites, '</testsuites>'].join('\n');
}

const ENTITIES: Readonly<Record<string, string>> = {
  ...{ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\n': '&#10;' },
};

/** Characters that XML 1.0 lacks (2.2) are replaced. */
function xml(text: string): string {
  return text
    .replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '\u{fffd}')
    .replace(/[&<>"\n]/g, (char) => ENTITIES[char] ?? char);
}

/** Annotations of failures for GitHub Actions (docs.github.com: workflow commands), then the counts. */
export function githubReport(results: readonly TestResult[]): string {
  const lines = results.flatMap(({ file, line, name, isPassed, details }) => {
    if (isPassed) return [];
    const place = `file=${githubProperty(file)},line=${line},title=${githubProperty(name)}`;
    return [`::error ${place}::${githubData(details.join('\n'))}`];
  });
  const { passed, failed } = summarize(results);
  return [...lines, `${passed} passed, ${failed} failed`].join('\n');
}

function githubData(text: string): string {
  return text.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A');
}

function githubProperty(text: string): string {
  return githubData(text).replace(/:/g, '%3A').replace(/,/g, '%2C');
}
