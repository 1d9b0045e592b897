/** The three things that become of a request, as a column of rows: the same request, three fates. */
import type { Headers } from './message.js';
import { FORBIDDEN } from './refusal.js';
import { answered, type Bytes, exchange, type Step } from './row.js';

export interface Fate {
  readonly name: string;
  /** By which the policy knows it. */
  readonly headers: Headers;
  /** The steps of one request, in the pieces given; `reply` is the server's, where one answers. */
  play(request: readonly Bytes[], reply: Bytes | readonly Bytes[]): Step[];
}

export const BOUND: Fate = { name: 'bound', headers: {}, play: (r, reply) => exchange(r, reply) };
export const ELSEWHERE: Fate = {
  name: 'elsewhere',
  headers: { 'x-to': 'v2' },
  play: (r, reply) => exchange(r, reply, { to: 'v2' }),
};
export const REFUSED: Fate = {
  name: 'refused',
  headers: { 'x-team': 'red' },
  play: (r) => answered(r, FORBIDDEN),
};
export const FATES: readonly Fate[] = [BOUND, ELSEWHERE, REFUSED];
export const SERVED: readonly Fate[] = [BOUND, ELSEWHERE];
