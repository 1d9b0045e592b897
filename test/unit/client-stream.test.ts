/** When the agent's first byte may go into a client's queue: behind all that came there otherwise, and was read. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { clientStream } from '../../runtime/forward/client-stream.js';
import type { Probe } from '../../runtime/forward/layout.js';
import type { NodeWords } from '../../runtime/forward/node-words.js';

const test = suite('client stream');
const client = { cookie: 1n, socket: 2n };

/** A socket as each look finds it; what the queue took, and behind how many looks. */
function socketOf(looks: Partial<Probe>[]): { words: NodeWords; taken: number[] } {
  const taken: number[] = [];
  let looked = 0;
  const words = {
    probe: () => ({
      ...{ redirects: 0, memory: 0, unread: 0, received: 100 },
      ...looks[Math.min(looked++, looks.length - 1)],
    }),
    inject: (_agent: number, _cookie: bigint, bytes: Uint8Array) => {
      taken.push(looked);
      return bytes.length;
    },
  };
  return { words: words as unknown as NodeWords, taken };
}

async function looksBefore(
  looks: Partial<Probe>[],
  turn: (() => number | null) | null,
): Promise<readonly number[]> {
  const { words, taken } = socketOf(looks);
  const stream = clientStream(words, 3, client, turn);
  await stream.write(Uint8Array.of(1));
  assert.is(await stream.flushed(), true);
  return taken;
}

test('its turn at once', async () => {
  assert.equal(await looksBefore([{}], () => 100), [1]);
  assert.equal(await looksBefore([{}], null), [1]);
});

test('a reply that TCP does not have yet, though it is counted', async () => {
  assert.equal(await looksBefore([{ received: 90 }, { received: 100 }], () => 100), [2]);
  assert.equal(await looksBefore([{ received: 101 }], () => 100), [1], 'a FIN behind it');
  assert.equal(
    await looksBefore([{ received: -2 }, { received: 3 }], () => 3),
    [2],
    'numbers wrap',
  );
});

test('a reply that the client has not read', async () => {
  assert.equal(await looksBefore([{ unread: 10 }, {}], () => 100), [2]);
});

test('the socket is looked at behind the count: a reply that came in between is seen', async () => {
  let isThere = false;
  const { words, taken } = socketOf([{}]);
  const probe = words.probe.bind(words);
  let looks = 0;
  const late = {
    ...words,
    // Complete when it is asked for the turn, and read by the third look.
    probe: (id: typeof client) => {
      looks += 1;
      const found = probe(id);
      return found === null || !isThere || looks > 2 ? found : { ...found, unread: 10 };
    },
  };
  const stream = clientStream(late, 3, client, () => {
    isThere = true;
    return 100;
  });
  await stream.write(Uint8Array.of(1));
  assert.is(await stream.flushed(), true);
  assert.equal(taken, [3]);
});

test.run();
