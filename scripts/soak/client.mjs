// The clients of the soak: so many keep-alive connections, every reply checked to the last byte.
// Last line: counts as JSON.
import { createHash, randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';

const [host, port, total, connections] = process.argv.slice(2);
const HANG_MS = 30_000;
const agent = new Agent({ keepAlive: true, maxSockets: Number(connections), noDelay: true });
const counts = { replies: 0, elsewhere: 0, refused: 0, resets: 0, left: 0, wrong: 0, hung: 0 };
const wrong = [];
const filler = randomBytes(200_000);
let next = 0;

const chance = (share) => Math.random() < share;
const upTo = (count) => Math.floor(Math.random() * count);

function plan(id) {
  const elsewhere = chance(0.3);
  const size = chance(0.004)
    ? 1_200_000 + upTo(2_000_000)
    : chance(0.1)
      ? upTo(60_000)
      : upTo(2000);
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

function judge({ id, size, tag, upload }, response, body) {
  if (response.statusCode === 503 && body.length === 0) return 'refused';
  if (response.statusCode !== 200) return `status ${response.statusCode}`;
  if (!body.equals(Buffer.alloc(size, `${tag}:${id};`)))
    return `body of ${body.length}: ${body.subarray(0, 40)}`;
  const sum = createHash('sha1')
    .update(upload ?? '')
    .digest('hex');
  return response.headers['x-body'] === sum ? 'right' : 'the server read another body';
}

function exchange(asked) {
  return new Promise((resolve) => {
    const { id, size, tag, kind, upload } = asked;
    let isDone = false;
    const done = (what) => {
      if (isDone) return;
      isDone = true;
      clearTimeout(timer);
      resolve(what);
    };
    const sent = request({
      ...{ agent, host, port, path: `/${kind}/${size}/${id}` },
      method: upload === null ? 'GET' : 'POST',
      headers: {
        ...(tag === 'v2' ? { 'x-canary': '1' } : {}),
        ...(upload === null ? {} : { 'content-length': upload.length }),
      },
    });
    const timer = setTimeout(() => {
      done('hung');
      sent.destroy();
    }, HANG_MS);
    sent.on('error', () => done('reset'));
    sent.on('response', (response) => {
      const parts = [];
      response.on('error', () => done('reset'));
      response.on('aborted', () => done('reset'));
      response.on('data', (data) => {
        parts.push(data);
        if (asked.leaves) {
          done('left');
          sent.destroy();
        } else if (asked.dawdles && parts.length === 1) {
          response.pause();
          setTimeout(() => response.resume(), 200);
        }
      });
      response.on('end', () => done(judge(asked, response, Buffer.concat(parts))));
    });
    sent.end(upload ?? undefined);
  });
}

async function work() {
  while (next < Number(total)) {
    const asked = plan(next++);
    const what = await exchange(asked);
    if (what === 'right') {
      counts.replies++;
      if (asked.tag === 'v2') counts.elsewhere++;
    } else if (what === 'refused') counts.refused++;
    else if (what === 'reset') counts.resets++;
    else if (what === 'left') counts.left++;
    else if (what === 'hung') counts.hung++;
    else counts.wrong++;
    if (!['right', 'refused', 'reset', 'left'].includes(what) && wrong.length < 20)
      wrong.push(`${JSON.stringify({ ...asked, upload: asked.upload?.length })}: ${what}`);
  }
}
const report = setInterval(() => console.error(`${next} of ${total}`), 10_000);
await Promise.all(Array.from({ length: Number(connections) }, work));
clearInterval(report);
agent.destroy();
console.log(JSON.stringify({ ...counts, faults: wrong }));
