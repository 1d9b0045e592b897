// The server of the soak: tells which address it was asked at, in bodies that can be checked. It
// closes idle connections soon and others at any time, resets some, and lets one address go and come
// back.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';

const [port, stable, ...canaries] = process.argv.slice(2);
const RESETS = 4000; // one reply of so many is cut by a reset
const PAUSE_MS = 2000;
const AWAY_MS = 300;
const CLOSE_MS = 100;
const PIECE = 256 * 1024;
const CHUNK = 9000;
const sockets = new Set();
let away = null;

const addressOf = (socket) => socket.localAddress?.replace('::ffff:', '');

/** What everybody knows of a body: the tag and the number, over and over; piece by piece. */
async function sendBody(response, word, size, piece) {
  const period = Buffer.from(word.repeat(Math.ceil(Math.min(size, piece) / word.length)));
  const closed = once(response, 'close').catch(() => {});
  for (let at = 0; at < size && !response.destroyed; ) {
    const from = at % period.length;
    const part = period.subarray(from, Math.min(period.length, from + size - at));
    at += part.length;
    if (!response.write(part)) await Promise.race([once(response, 'drain'), closed]);
  }
  response.end();
}

const server = createServer({ keepAliveTimeout: 500, noDelay: true }, (request, response) => {
  const tag = addressOf(request.socket) === stable ? 'v1' : 'v2';
  const [, kind, size, id] = request.url.split('/');
  const hash = createHash('sha1');
  request.on('data', (data) => hash.update(data));
  request.on('error', () => {});
  response.on('error', () => {});
  request.on('end', () => {
    if (Math.random() * RESETS < 1) {
      response.write('cut');
      request.socket.resetAndDestroy();
      return;
    }
    response.setHeader('x-body', hash.digest('hex'));
    if (kind !== 'chunked') response.setHeader('content-length', size);
    const word = `${tag}:${id};`;
    if (Number(size) === 0) response.end();
    else
      void sendBody(response, word, Number(size), kind === 'chunked' ? CHUNK : PIECE).catch(
        () => {},
      );
  });
});
server.on('connection', (socket) => {
  socket.on('error', () => {});
  if (addressOf(socket) === away) socket.resetAndDestroy();
  sockets.add(socket);
  socket.on('close', () => sockets.delete(socket));
});
server.on('clientError', (_, socket) => socket.destroy());
server.listen(Number(port), '::', 2048, () => console.log('ready'));
setInterval(() => {
  away = canaries.at(-1);
  for (const socket of sockets) if (addressOf(socket) === away) socket.resetAndDestroy();
  setTimeout(() => {
    away = null;
  }, AWAY_MS);
}, PAUSE_MS);
// A bound connection may end while another server's reply is under way on it.
setInterval(() => {
  const bound = [...sockets].filter((socket) => addressOf(socket) === stable);
  bound[Math.floor(Math.random() * bound.length)]?.end();
}, CLOSE_MS);
