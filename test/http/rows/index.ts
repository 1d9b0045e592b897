/** Every row of the suite. */
import type { Row } from '../stage/row.js';
import { around } from './around.js';
import { bodies } from './bodies.js';
import { chunked } from './chunked.js';
import { elsewhere } from './elsewhere.js';
import { ends } from './ends.js';
import { expectations } from './expect.js';
import { large } from './large.js';
import { malformed } from './malformed.js';
import { methods } from './methods.js';
import { persistence } from './persistence.js';
import { pipeline } from './pipeline.js';
import { policy } from './policy.js';
import { replies } from './replies.js';
import { routes } from './routes.js';
import { split } from './split.js';
import { upgrades } from './upgrade.js';

export const ROWS: readonly Row[] = [
  ...methods,
  ...bodies,
  ...chunked,
  ...split,
  ...expectations,
  ...replies,
  ...persistence,
  ...pipeline,
  ...upgrades,
  ...ends,
  ...malformed,
  ...elsewhere,
  ...policy,
  ...routes,
  ...large,
  ...around,
];
