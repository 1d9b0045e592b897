/** When two engines say the same. */
import type { RecordFields } from '../../runtime/simulate/index.js';

/** What both engines must have in common: everything but the fuel, which the kernel does not report. */
export function sameAnswer(a: RecordFields, b: RecordFields): boolean {
  return (
    a.verdict === b.verdict &&
    a.site === b.site &&
    a.policy === b.policy &&
    a.reason === b.reason &&
    a.audited === b.audited &&
    a.shadowAllow === b.shadowAllow &&
    a.shadowDeny === b.shadowDeny &&
    a.route === b.route
  );
}
