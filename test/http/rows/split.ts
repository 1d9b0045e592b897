/** Heads in pieces: cut at each byte, byte by byte, and random pieces of whole conversations by seed. */
import { Prng } from '../../support/prng.js';
import { chunk, get, LAST_CHUNK, ok, post, postChunked } from '../stage/message.js';
import { FATES, type Fate, REFUSED } from '../stage/outcome.js';
import { exchange, join, type Part, type Row, type Step } from '../stage/row.js';

const SEED = 20261122;
const CONVERSATIONS = 24;
const REQUESTS = 12;
const after = exchange(get('/after'), ok('after'));

const cut = (text: string, at: number): [string, string] => [text.slice(0, at), text.slice(at)];
const requestOf = (fate: Fate): string =>
  get('/split', { ...fate.headers, 'user-agent': 'torture' });

const cuts = FATES.flatMap((fate) => {
  const request = requestOf(fate);
  return Array.from(
    { length: request.length - 1 },
    (_, index): Row => ({
      id: `split: head cut at byte ${index + 1}, ${fate.name}`,
      steps: [...fate.play(cut(request, index + 1), ok('whole')), ...after],
    }),
  );
});

const single = FATES.map(
  (fate): Row => ({
    id: `split: head byte by byte, ${fate.name}`,
    steps: [...fate.play([...requestOf(fate)], ok('whole')), ...after],
  }),
);

const everyCut: Row = {
  id: 'split: every cut of every fate on one connection',
  steps: Array.from({ length: 60 }, (_, index) => {
    const fate = FATES[index % FATES.length] ?? REFUSED;
    return fate.play(cut(requestOf(fate), index + 1), ok(String(index)));
  }).flat(),
};

/** A head whose end and the start of its body share a piece. */
const overEnd = FATES.map((fate): Row => {
  const [head] = post('/split', 'the body', fate.headers);
  const [left, right] = cut(`${head}the body`, head.length - 2);
  const [start, rest] = cut(right, 5);
  return {
    id: `split: the end of the head with the start of the body, ${fate.name}`,
    steps: [...fate.play([left, start, rest], ok('whole')), ...after],
  };
});

/** The kernel puts what a process sends into one page after another, whichever connection it is for. */
const noisy = FATES.flatMap((fate) =>
  [1, 2, 3, 7, 20, 31, 50].map((size): Row => {
    const pieces = (text: string): string[] =>
      Array.from({ length: Math.ceil(text.length / size) }, (_, n) =>
        text.slice(n * size, (n + 1) * size),
      );
    const body = post('/split', 'a body of some length', fate.headers).join('');
    return {
      id: `split: sends of ${size} bytes among those of another connection, ${fate.name}`,
      noise: true,
      steps: [
        ...fate.play(pieces(get('/split', fate.headers)), ok('one')),
        ...fate.play(pieces(body), ok('two')),
        ...after,
      ],
    };
  }),
);

/** Text in random pieces, some of a single byte. */
function shatter(prng: Prng, text: string): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length; ) {
    const size = prng.oneIn(3) ? 1 : 1 + prng.below(prng.oneIn(4) ? text.length : 12);
    pieces.push(text.slice(at, at + size));
    at += size;
  }
  return pieces;
}

function randomRequest(prng: Prng, fate: Fate, name: string): string {
  const body = 'b'.repeat(prng.below(prng.oneIn(5) ? 5000 : 40));
  const headers = { ...fate.headers, 'x-pad': 'p'.repeat(prng.below(prng.oneIn(6) ? 3000 : 20)) };
  if (prng.oneIn(3)) return get(name, headers);
  if (prng.oneIn(2)) return post(name, body, headers).join('');
  const chunks = Array.from({ length: prng.below(4) }, () => chunk('c'.repeat(1 + prng.below(30))));
  return postChunked(name, headers) + chunks.join('') + LAST_CHUNK;
}

function conversation(seed: number): Row {
  const prng = new Prng(seed);
  const steps: Step[] = [];
  for (let n = 0; n < REQUESTS; n += 1) {
    const fate = prng.pick(FATES);
    const reply: Part[] = [ok('r'.repeat(prng.below(2000)))];
    const request = shatter(prng, randomRequest(prng, fate, `/s${n}`));
    steps.push(...fate.play(request, join(shatter(prng, String(reply[0])))));
  }
  return { id: `split: conversation of seed ${seed}`, steps };
}

export const split: readonly Row[] = [
  ...cuts,
  ...single,
  everyCut,
  ...overEnd,
  ...noisy,
  ...Array.from({ length: CONVERSATIONS }, (_, index) => conversation(SEED + index)),
];
