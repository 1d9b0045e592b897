// What a request of the soak asks for, and whether a reply is the right one: to the last byte.
import { createHash, randomBytes } from 'node:crypto';

export const LONG = 100 * 1024 * 1024;
/** One in so many requests has a long reply, half of them elsewhere. */
const LONG_EVERY = 10_000;
const filler = randomBytes(200_000);

export const chance = (share) => Math.random() < share;
export const upTo = (count) => Math.floor(Math.random() * count);

function sizeOf(id) {
  if (id % LONG_EVERY === 7) return LONG;
  if (chance(0.002)) return 1_200_000 + upTo(2_000_000);
  return chance(0.1) ? upTo(60_000) : upTo(2000);
}

/** A request with a number; `size` where it is not drawn. */
export function plan(id, size = sizeOf(id)) {
  const elsewhere = size === LONG ? id % (2 * LONG_EVERY) === 7 : chance(0.3);
  return {
    id,
    size,
    tag: elsewhere ? 'v2' : 'v1',
    kind: chance(0.1) ? 'chunked' : 'plain',
    upload: chance(0.05) ? filler.subarray(upTo(100_000), 100_000 + upTo(100_000)) : null,
    leaves: chance(0.002),
    dawdles: chance(0.01),
  };
}

export const pathOf = ({ kind, size, id }) => `/${kind}/${size}/${id}`;

/** Compares a body as it comes. */
export function bodyCheck({ tag, id, size }) {
  const word = `${tag}:${id};`;
  const period = Buffer.from(word.repeat(Math.ceil(Math.min(size, 65_536) / word.length)));
  let at = 0;
  let right = true;
  return {
    take: (data) => {
      for (let done = 0; right && done < data.length; ) {
        const from = (at + done) % period.length;
        const count = Math.min(data.length - done, period.length - from);
        right = data.compare(period, from, from + count, done, done + count) === 0;
        done += count;
      }
      at += data.length;
    },
    get length() {
      return at;
    },
    get isRight() {
      return right && at === size;
    },
  };
}

/** `right`, `refused`, or what is wrong. */
export function judge({ upload }, status, xBody, body) {
  if (status === 503 && body.length === 0) return 'refused';
  if (status !== 200) return `status ${status}`;
  if (!body.isRight) return `body of ${body.length} bytes`;
  const sum = createHash('sha1')
    .update(upload ?? '')
    .digest('hex');
  return xBody === sum ? 'right' : 'the server read another body';
}
