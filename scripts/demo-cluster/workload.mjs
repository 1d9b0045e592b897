// One workload of the cluster demo. `api ADDRESS PORT` serves; `web OWN SERVICE PORT` asks the service
// until standard input ends, over connections that it keeps for a while, and then says how that went.
import { Agent, createServer, request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';

const [role, own, service, port] = process.argv.slice(2);
const say = (document) => process.stdout.write(`${JSON.stringify(document)}\n`);
/** Requests over one connection. */
const KEPT = 40;
const PAUSE_MS = 30;
const LIMIT_MS = 20_000;

if (role === 'api') {
  const server = createServer((asked, answer) => {
    asked.resume();
    answer.end(`order ${asked.url.split('/').at(-1)}`);
  });
  // The client says when a connection ends: a request never meets a server that just gave up waiting.
  server.keepAliveTimeout = 0;
  server.listen(Number(service), own, () => say({ ready: true }));
} else {
  let isOver = false;
  process.stdin.resume().on('end', () => {
    isOver = true;
  });
  const counts = { requests: 0, failed: 0, faults: {} };
  const ask = (agent, id) =>
    new Promise((resolve) => {
      const done = (fault) => {
        counts.requests += 1;
        if (fault !== null) {
          counts.failed += 1;
          counts.faults[fault] = (counts.faults[fault] ?? 0) + 1;
        }
        resolve();
      };
      const options = {
        agent,
        host: service,
        port: Number(port),
        localAddress: own,
        path: `/orders/${id}`,
      };
      const asked = request({ ...options, timeout: LIMIT_MS }, (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (part) => {
          text += part;
        });
        answer.on('end', () => {
          const isRight = answer.statusCode === 200 && text === `order ${id}`;
          done(isRight ? null : `${answer.statusCode} ${text.slice(0, 40)}`);
        });
        answer.on('error', (error) => done(error.code ?? error.message));
      });
      asked.on('timeout', () => asked.destroy(new Error('no answer in time')));
      asked.on('error', (error) => done(error.code ?? error.message));
      asked.end();
    });
  say({ ready: true });
  for (let id = 0; !isOver; ) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let i = 0; i < KEPT && !isOver; i += 1, id += 1) {
      await ask(agent, id);
      await wait(PAUSE_MS);
    }
    agent.destroy();
  }
  say(counts);
}
