/** Pipelining: requests that do not wait for replies. Replies keep the order of the requests. */
import { chunk, get, LAST_CHUNK, ok, post, postChunked } from '../stage/message.js';
import { FORBIDDEN } from '../stage/refusal.js';
import {
  client,
  exchange,
  only,
  other,
  type Row,
  type Server,
  type Step,
  v1,
  v2,
} from '../stage/row.js';

const HANDS = { v1, v2, other } as const;
type Goal = Server | 'refused';

const headersOf = (goal: Goal): Record<string, string> =>
  goal === 'refused' ? { 'x-team': 'red' } : goal === 'v1' ? {} : { 'x-to': goal };
const requestOf = (goal: Goal, n: number): string => get(`/p${n}`, headersOf(goal));
const replyOf = (goal: Goal, n: number): string =>
  goal === 'refused' ? FORBIDDEN : ok(`${goal} ${n}`);

/** A server's part: a request as it comes, and its reply. */
const serve = (goal: Goal, n: number, request: string): Step[] =>
  goal === 'refused'
    ? only('plain', v1.request(request), v1.send(FORBIDDEN))
    : [HANDS[goal].request(request), HANDS[goal].send(replyOf(goal, n))];

function pipelined(
  name: string,
  goals: readonly Goal[],
  cut: (all: readonly string[]) => readonly string[],
  requests: readonly string[] = goals.map(requestOf),
): Row {
  return {
    id: `pipeline: ${name}`,
    steps: [
      client.send(...cut(requests)),
      ...goals.flatMap((goal, n) => serve(goal, n, requests[n] ?? '')),
      client.expect(goals.map(replyOf).join('')),
      ...exchange(get('/after'), ok('after')),
    ],
  };
}

const ORDERS: Readonly<Record<string, readonly Goal[]>> = {
  'two, bound': ['v1', 'v1'],
  'three, bound': ['v1', 'v1', 'v1'],
  'four, bound': ['v1', 'v1', 'v1', 'v1'],
  'six, bound': ['v1', 'v1', 'v1', 'v1', 'v1', 'v1'],
  'fifty, bound': Array.from({ length: 50 }, () => 'v1' as const),
  'two, elsewhere': ['v2', 'v2'],
  'bound then elsewhere': ['v1', 'v2'],
  'elsewhere then bound': ['v2', 'v1'],
  'bound, elsewhere, bound': ['v1', 'v2', 'v1'],
  'three servers': ['v1', 'v2', 'other', 'v1', 'other', 'v2'],
  'refused first': ['refused', 'v1'],
  'refused last': ['v1', 'refused'],
  'refused in the middle': ['v1', 'refused', 'v1'],
  'two, refused': ['refused', 'refused'],
  'refused between others': ['v2', 'refused', 'other'],
  'bound, refused, elsewhere': ['v1', 'refused', 'v2', 'refused', 'v1'],
};
const HALF = 20;
const CUTS: Readonly<Record<string, (all: readonly string[]) => readonly string[]>> = {
  'one send': (all) => [all.join('')],
  'a send each': (all) => all,
  'cut in a later head': (all) => {
    const text = all.join('');
    const at = (all[0] ?? '').length + HALF;
    return [text.slice(0, at), text.slice(at)];
  },
};

const orders = Object.entries(ORDERS).flatMap(([name, goals]) =>
  Object.entries(CUTS).map(([how, cut]) => pipelined(`${name}, ${how}`, goals, cut)),
);

const bodied: readonly Row[] = (['v1', 'v2', 'refused'] as const).flatMap((goal) => {
  const withLength = post('/p0', 'the body', headersOf(goal)).join('');
  const inChunks = postChunked('/p0', headersOf(goal)) + chunk('the') + chunk('body') + LAST_CHUNK;
  const name = goal === 'v1' ? 'bound' : goal === 'v2' ? 'elsewhere' : goal;
  return [withLength, inChunks].flatMap((first, index) =>
    (['v1', 'v2'] as const).map((next) =>
      pipelined(
        `${index === 0 ? 'a body by length' : 'a body in chunks'}, ${name}, then ${next}`,
        [goal, next],
        (all) => [all.join('')],
        [first, requestOf(next, 1)],
      ),
    ),
  );
});

/** The second request is sent while the first reply is on its way. */
const during = (['v1', 'v2'] as const).flatMap((first) =>
  (['v1', 'v2', 'refused'] as const).map((second): Row => {
    const [one, two] = [requestOf(first, 0), requestOf(second, 1)];
    const reply = ok('a reply in two halves');
    const half = reply.length - 8;
    return {
      id: `pipeline: ${second} while ${first} replies`,
      steps: [
        client.send(one),
        HANDS[first].request(one),
        HANDS[first].send(reply.slice(0, half)),
        client.expect(reply.slice(0, half)),
        client.send(two),
        HANDS[first].send(reply.slice(half)),
        ...serve(second, 1, two),
        client.expect([reply.slice(half), replyOf(second, 1)]),
        ...exchange(get('/after'), ok('after')),
      ],
    };
  }),
);

export const pipeline: readonly Row[] = [...orders, ...bodied, ...during];
