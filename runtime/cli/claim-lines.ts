/** What came of one claim, in words. */
import type { ClaimResult } from '../prove/index.js';
import { exampleLine, exampleNotes, whereLines } from './formal-diff.js';

/** The lines that tell of a claim. */
export function claimLines(one: ClaimResult): readonly string[] {
  const at = `${one.file}:${one.line}`;
  const claim = one.says === 'deny' ? 'never let in' : 'always let in';
  switch (one.status) {
    case 'proved':
      return [`proved     ${at}  ${claim}`];
    case 'empty':
      return [`empty      ${at}  ${claim}: nothing that there can be meets it`];
    case 'undecided':
      return [`undecided  ${at}  ${claim}: ${one.places.join(', ')} is not looked into`];
    case 'refuted': {
      const { verdict, rule, file: by, line } = one.outcome;
      return [
        `refuted    ${at}  ${claim}, but where`,
        ...whereLines(one.where).map((where) => `             ${where}`),
        `           as  ${exampleLine(one.example)}`,
        ...exampleNotes(one.example).map((note) => `               ${note}`),
        `               ${verdict} (${by === null ? rule : `${by}:${line}`})`,
      ];
    }
  }
}
