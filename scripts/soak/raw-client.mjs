// Clients that write HTTP themselves: several requests in a send, cut anywhere, and some that leave
// replies unread for seconds, or for ever.
import { connect } from 'node:net';
import { count } from './counts.mjs';
import { bodyCheck, chance, judge, pathOf, plan, upTo } from './plan.mjs';
import { watchSilence } from './silence.mjs';

const DEPTH = 6;
const UNREAD = 3_000_000;

function head(asked) {
  const { tag, upload } = asked;
  const canary = tag === 'v2' ? 'x-canary: 1\r\n' : '';
  const length = upload === null ? '' : `content-length: ${upload.length}\r\n`;
  const method = upload === null ? 'GET' : 'POST';
  return Buffer.from(`${method} ${pathOf(asked)} HTTP/1.1\r\nhost: shop\r\n${canary}${length}\r\n`);
}

const TEXT_END = Buffer.from('\r\n\r\n');

/** Reads replies in the order of the requests; `done` gets each reply's status, digest and body. */
function replyReader(nextBody, done) {
  let waiting = Buffer.alloc(0);
  let reply = null;
  const line = () => {
    const end = waiting.indexOf('\r\n');
    if (end < 0) return null;
    const text = waiting.subarray(0, end).toString('latin1');
    waiting = waiting.subarray(end + 2);
    return text;
  };
  const begin = () => {
    const end = waiting.indexOf(TEXT_END);
    if (end < 0) return false;
    const [first, ...lines] = waiting.subarray(0, end).toString('latin1').split('\r\n');
    waiting = waiting.subarray(end + 4);
    const fields = new Map(lines.map((text) => text.toLowerCase().split(': ')));
    const isChunked = fields.get('transfer-encoding') === 'chunked';
    const left = isChunked ? 0 : Number(fields.get('content-length') ?? 0);
    const status = Number(first.split(' ')[1]);
    const [xBody, closes] = [fields.get('x-body'), fields.get('connection') === 'close'];
    reply = { status, xBody, closes, isChunked, left, isLast: !isChunked, body: nextBody() };
    return true;
  };
  /** True where a step was made. */
  const step = () => {
    if (reply === null) return begin();
    if (reply.left > 0) {
      if (waiting.length === 0) return false;
      const part = waiting.subarray(0, reply.left);
      waiting = waiting.subarray(part.length);
      reply.left -= part.length;
      reply.body.take(part);
      if (reply.left === 0 && reply.isChunked) reply.ends = true;
      return true;
    }
    if (reply.isLast) {
      const whole = reply;
      reply = null;
      done(whole);
      return true;
    }
    const text = line();
    if (text === null) return false;
    if (reply.ends) {
      reply.ends = false;
      reply.isLast = reply.wasLast === true;
      return true;
    }
    reply.left = Number.parseInt(text, 16);
    if (reply.left === 0) {
      reply.wasLast = true;
      reply.ends = true;
    }
    return true;
  };
  return (data) => {
    waiting = waiting.length === 0 ? data : Buffer.concat([waiting, data]);
    while (step());
  };
}

/** One connection, until it ends or nothing more is asked. */
function converse({ host, port, take, unread }) {
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), noDelay: true });
    const asked = [];
    let isUnread = false;
    let leaves = false;
    const end = (what) => {
      silence.stop();
      // Behind the first one they wait for it.
      const [first, ...others] = asked.splice(0);
      if (first !== undefined) count(first, what);
      for (const one of others) count(one, what === 'hung' ? 'reset' : what);
      socket.destroy();
      resolve();
    };
    const silence = watchSilence(() => {
      if (!isUnread && asked.length > 0) end('hung');
    });
    const send = () => {
      const batch = take(unread ? 4 : 1 + upTo(DEPTH)).map((id) =>
        unread ? plan(id, upTo(UNREAD)) : plan(id),
      );
      if (batch.length === 0) return end('left');
      asked.push(...batch);
      silence.hear();
      leaves = chance(unread ? 0.3 : 0.005);
      const bytes = Buffer.concat(
        batch.flatMap((one) => [head(one), one.upload ?? '']).map(Buffer.from),
      );
      const cut = chance(0.2) ? upTo(bytes.length) : bytes.length;
      socket.write(bytes.subarray(0, cut));
      if (cut < bytes.length) setImmediate(() => socket.write(bytes.subarray(cut)));
      if (!unread) return;
      isUnread = true;
      socket.pause();
      setTimeout(() => {
        isUnread = false;
        silence.hear();
        if (leaves) end('left');
        else socket.resume();
      }, 500 + upTo(4000));
    };
    const read = replyReader(
      () => bodyCheck(asked[0] ?? { tag: 'nobody', id: 0, size: 0 }),
      ({ status, xBody, closes, body }) => {
        const one = asked.shift();
        if (one === undefined) {
          count({ at: 'nobody' }, 'a reply that was not asked for');
          return end('left');
        }
        count(one, judge(one, status, xBody, body));
        if (closes) end('reset');
        else if (asked.length === 0) send();
      },
    );
    socket.on('data', (data) => {
      silence.hear();
      if (leaves) {
        if (chance(0.5)) socket.resetAndDestroy();
        return end('left');
      }
      read(data);
    });
    socket.on('error', () => end('reset'));
    socket.on('close', () => end('reset'));
    socket.on('connect', send);
  });
}

/** Connection after connection, as long as `take` has numbers. */
export async function workRaw(options) {
  while (options.more()) await converse(options);
}
