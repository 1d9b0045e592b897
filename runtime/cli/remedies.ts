/** What helps against each code of the tool and the node, for findings that bring no better advice. The compiler's do. */
import { CODES as bundle } from '../../compiler/bundle/codes.js';
import { CODES as agent } from '../agent/codes.js';
import { CODES as config } from '../config/codes.js';
import { CODES as operator } from '../control/client/codes.js';
import { CODES as control } from '../control/codes.js';
import { CODES as discovery } from '../discovery/codes.js';
import { CODES as kernel } from '../kernel/codes.js';
import { CODES as record } from '../record/codes.js';
import { CODES as registry } from '../registry/codes.js';
import { CODES as rollout } from '../rollout/codes.js';
import { CODES as schema } from '../schema/codes.js';
import { CODES as simulate } from '../simulate/codes.js';
import { CODES as spiffe } from '../spiffe/codes.js';
import { CODES as store } from '../store/codes.js';
import { CODES as trust } from '../trust/codes.js';
import { CODES as cli } from './codes.js';

const TABLES = [
  ...[bundle, agent, config, discovery, kernel, record],
  ...[registry, schema, simulate, trust, cli],
  ...[control, operator, rollout, spiffe, store],
];

/** The remedy of a code; null for the compiler's. */
export function remedyOf(code: string): string | null {
  return TABLES.find((table) => table[code] !== undefined)?.[code]?.help ?? null;
}
