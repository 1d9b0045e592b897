/** Every row of the suite. */
import type { Row } from '../stage/row.js';
import { bodies } from './bodies.js';
import { chunked } from './chunked.js';
import { methods } from './methods.js';
import { split } from './split.js';

export const ROWS: readonly Row[] = [...methods, ...bodies, ...chunked, ...split];
