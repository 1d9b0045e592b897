/** The reader of the local API's calls, for test/fuzz/readers.ts: `METHOD target`, a newline, the body. */
import { readCall } from '../../runtime/agent/api/read-call.js';

export const CALL_SEEDS: readonly string[] = [
  'GET /v1/status\n',
  'GET /v1/events?verdict=deny&workload=a.prod&rule=a.ts%3A9&hook=connect4&limit=5&passing=true\n',
  'POST /v1/drain\n{"milliseconds": 1000}',
  'POST /v1/rollback\n{"to": 7}',
  'POST /v1/rollback\n',
];

/** What is read is within its bounds, and what is refused says why. */
export function readCallInput(input: string): void {
  const [line = '', ...rest] = input.split('\n');
  const [method = '', ...target] = line.split(' ');
  const read = readCall(method, target.join(' '), Buffer.from(rest.join('\n'), 'latin1'));
  if (!read.ok) {
    if (read.status < 400 || read.status > 499 || read.message === '')
      throw new Error('refused without a word');
    return;
  }
  const { call } = read;
  const isChange = call.kind === 'drain' || call.kind === 'rollback';
  if (isChange !== (method === 'POST')) throw new Error('a change by another method');
  if (call.kind === 'drain' && !(call.milliseconds >= 0 && call.milliseconds <= 3_600_000))
    throw new Error('another time');
  if (
    call.kind === 'rollback' &&
    call.to !== null &&
    !(Number.isSafeInteger(call.to) && call.to > 0)
  )
    throw new Error('another generation');
  if (call.kind !== 'events') return;
  const { verdict, limit, workload, rule, hook } = call.filter;
  if (verdict !== null && verdict !== 'allow' && verdict !== 'deny') throw new Error('verdict');
  if (limit !== null && !(Number.isSafeInteger(limit) && limit > 0)) throw new Error('limit');
  for (const text of [workload, rule, hook])
    if (text !== null && (text === '' || text.length > 256)) throw new Error('a long text');
}
