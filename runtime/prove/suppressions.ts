/**
 * Comments that take findings away: `// weft-lint-ignore F103: it is deployed next week`, on the line or the one
 * before it, in YAML behind `#`. Without a reason they are errors, and where there is nothing to take away, findings.
 */
import { type Diagnostic, diagnostic } from '../../compiler/diagnostic/index.js';
import { CODES } from './codes.js';

const COMMENT = /(?:\/\/|#)\s*weft-lint-ignore\b(.*)$/;
const SAYS = /^\s+([A-Z]\d{3})\s*(?::\s*(\S.*))?$/;

interface Suppression {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly code: string | null;
  readonly reason: string | null;
  /** Alone on its line: then it speaks of the next. */
  readonly isAlone: boolean;
}

function suppressionsOf(file: string, text: string): readonly Suppression[] {
  return text.split('\n').flatMap((line, i): Suppression[] => {
    const comment = COMMENT.exec(line);
    if (comment === null) return [];
    const [, code = null, reason = null] = SAYS.exec(comment[1] ?? '') ?? [];
    const isAlone = line.slice(0, comment.index).trim() === '';
    return [{ file, line: i + 1, column: comment.index + 1, code, reason, isAlone }];
  });
}

export interface Suppressed {
  readonly left: readonly Diagnostic[];
  /** Each with its reason. */
  readonly taken: readonly { readonly finding: Diagnostic; readonly reason: string }[];
}

/** Takes away what the comments of some files say. */
export function suppress(
  findings: readonly Diagnostic[],
  sources: Readonly<Record<string, string>>,
): Suppressed {
  const all = Object.entries(sources).flatMap(([file, text]) => suppressionsOf(file, text));
  const used = new Set<Suppression>();
  const left: Diagnostic[] = [];
  const taken: { finding: Diagnostic; reason: string }[] = [];
  for (const finding of findings) {
    const by = all.find(
      ({ file, line, code, reason, isAlone }) =>
        reason !== null &&
        code === finding.code &&
        file === finding.file &&
        finding.line === (isAlone ? line + 1 : line),
    );
    if (by === undefined) left.push(finding);
    else {
      used.add(by);
      taken.push({ finding, reason: by.reason ?? '' });
    }
  }
  for (const one of all) {
    if (used.has(one)) continue;
    const at = { file: one.file, line: one.line, column: one.column };
    if (one.reason === null) {
      left.push(
        diagnostic('F191', 'a finding is suppressed without a reason', {
          at,
          help: CODES['F191']?.help ?? null,
        }),
      );
    } else {
      const message = `there is no ${one.code} to suppress`;
      left.push(
        diagnostic('F192', message, { at, severity: 'warning', help: CODES['F192']?.help ?? null }),
      );
    }
  }
  return { left, taken };
}
