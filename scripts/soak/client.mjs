// The clients of the soak: so many keep-alive connections, every reply checked to the last byte. Most
// ask by node:http, one request at a time; one in four several at a time, one in twenty leaves
// replies unread. Last line: counts as JSON.
import { Agent, request } from 'node:http';
import { count, counts, faults } from './counts.mjs';
import { bodyCheck, judge, pathOf, plan } from './plan.mjs';
import { workRaw } from './raw-client.mjs';
import { watchSilence } from './silence.mjs';

const [host, port, total, connections] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: Number(connections), noDelay: true });
let next = 0;
// Told to stop it asks for nothing more, and counts what it has.
let last = Number(total);
process.on('SIGTERM', () => {
  last = Math.min(last, next);
});
const more = () => next < last;
const take = (wanted) => Array.from({ length: Math.min(wanted, last - next) }, () => next++);

function exchange(asked) {
  return new Promise((resolve) => {
    const { tag, upload } = asked;
    let silence;
    let isDone = false;
    const done = (what) => {
      if (isDone) return;
      isDone = true;
      silence?.stop();
      resolve(what);
    };
    const sent = request({
      ...{ agent, host, port, path: pathOf(asked) },
      method: upload === null ? 'GET' : 'POST',
      headers: {
        ...(tag === 'v2' ? { 'x-canary': '1' } : {}),
        ...(upload === null ? {} : { 'content-length': upload.length }),
      },
    });
    silence = watchSilence(() => {
      done('hung');
      sent.destroy();
    });
    sent.on('error', () => done('reset'));
    sent.on('response', (response) => {
      const body = bodyCheck(asked);
      let parts = 0;
      response.on('error', () => done('reset'));
      response.on('aborted', () => done('reset'));
      response.on('data', (data) => {
        silence.hear();
        body.take(data);
        parts += 1;
        if (asked.leaves) {
          done('left');
          sent.destroy();
        } else if (asked.dawdles && parts === 1) {
          response.pause();
          setTimeout(() => response.resume(), 200);
        }
      });
      response.on('end', () =>
        done(judge(asked, response.statusCode, response.headers['x-body'], body)),
      );
    });
    sent.end(upload ?? undefined);
  });
}

async function work() {
  while (more()) {
    const asked = plan(next++);
    count(asked, await exchange(asked));
  }
}

/** How late the timers of this process come: a machine without time for it looks like a hang. */
let lag = 0;
let tick = Date.now();
const ticking = setInterval(() => {
  lag = Math.max(lag, Date.now() - tick - 1000);
  tick = Date.now();
}, 1000);
const started = Date.now();
let before = { at: started, done: 0 };
const report = setInterval(() => {
  const now = Date.now();
  const { replies, refused, resets, left, wrong, hung } = counts;
  const done = replies + refused + resets + left + wrong + hung;
  const rate = Math.round(((done - before.done) / (now - before.at)) * 1000);
  console.error(`${done} of ${total}, ${rate}/s, lag ${lag} ms: ${JSON.stringify(counts)}`);
  lag = 0;
  for (const fault of faults.slice(before.faults ?? 0)) console.error(fault);
  before = { at: now, done, faults: faults.length };
}, 10_000);
const workers = Array.from({ length: Number(connections) }, (_, n) => {
  if (n % 20 === 3) return workRaw({ host, port, more, take, unread: true });
  return n % 4 === 1 ? workRaw({ host, port, more, take, unread: false }) : work();
});
await Promise.all(workers);
clearInterval(report);
clearInterval(ticking);
agent.destroy();
console.log(JSON.stringify({ ...counts, faults }));
