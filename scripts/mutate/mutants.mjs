// All seeded faults. One is { class, name, file, find, replace, suite }: `find` is the exact text in
// `file`, once; `suite` is the narrowest tier that should see it, `case/cases#regex` for some case files.
// Classes name mistakes that real data planes have made, so that the list grows by reading bug reports.
import { AGENT } from './mutants-agent.mjs';
import { ANSWERS } from './mutants-answers.mjs';
import { BATCH } from './mutants-batch.mjs';
import { CHOSEN } from './mutants-chosen.mjs';
import { CONTROL } from './mutants-control.mjs';
import { DISPATCHER } from './mutants-dispatcher.mjs';
import { FORWARD } from './mutants-forward.mjs';
import { FRAMING } from './mutants-framing.mjs';
import { HOOKS } from './mutants-hooks.mjs';
import { IMPORT } from './mutants-import.mjs';
import { INLINE } from './mutants-inline.mjs';
import { INSTRUCTIONS } from './mutants-instructions.mjs';
import { LOCAL_API } from './mutants-local-api.mjs';
import { LOOK_UPS } from './mutants-look-ups.mjs';
import { LOOPS } from './mutants-loops.mjs';
import { OPEN } from './mutants-open.mjs';
import { PASSES } from './mutants-passes.mjs';
import { PATTERNS } from './mutants-patterns.mjs';
import { POLICY_TEXT } from './mutants-policy-text.mjs';
import { PROVE } from './mutants-prove.mjs';
import { REQUESTS } from './mutants-requests.mjs';
import { ROLLOUT } from './mutants-rollout.mjs';
import { SHORT } from './mutants-short.mjs';
import { SIMULATOR } from './mutants-simulator.mjs';
import { STORE } from './mutants-store.mjs';
import { TABLES } from './mutants-tables.mjs';
import { TRUST } from './mutants-trust.mjs';

export const MUTANTS = [
  ...POLICY_TEXT,
  ...INSTRUCTIONS,
  ...CHOSEN,
  ...LOOPS,
  ...LOOK_UPS,
  ...PASSES,
  ...PATTERNS,
  ...TABLES,
  ...DISPATCHER,
  ...ANSWERS,
  ...SIMULATOR,
  ...BATCH,
  ...AGENT,
  ...LOCAL_API,
  ...CONTROL,
  ...TRUST,
  ...ROLLOUT,
  ...STORE,
  ...IMPORT,
  ...PROVE,
  ...INLINE,
  ...HOOKS,
  ...OPEN,
  ...FRAMING,
  ...REQUESTS,
  ...SHORT,
  ...FORWARD,
];
