// The server of the soak: tells which address it was asked at, in bodies that can be checked. It
// closes idle connections soon, resets some, and lets one address go and come back.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';

const [port, stable, ...canaries] = process.argv.slice(2);
const RESETS = 4000; // one reply of so many is cut by a reset
const PAUSE_MS = 2000;
const AWAY_MS = 300;
const sockets = new Set();
let away = null;

/** What everybody knows of a body: the tag and the number, over and over. */
function body(tag, id, size) {
  return Buffer.alloc(size, `${tag}:${id};`);
}

const server = createServer({ keepAliveTimeout: 500, noDelay: true }, (request, response) => {
  const address = request.socket.localAddress.replace('::ffff:', '');
  const tag = address === stable ? 'v1' : 'v2';
  const [, kind, size, id] = request.url.split('/');
  const hash = createHash('sha1');
  request.on('data', (data) => hash.update(data));
  request.on('error', () => {});
  request.on('end', () => {
    if (Math.random() * RESETS < 1) {
      response.write('cut');
      request.socket.resetAndDestroy();
      return;
    }
    const bytes = body(tag, id, Number(size));
    response.setHeader('x-body', hash.digest('hex'));
    if (kind === 'chunked') {
      for (let at = 0; at < bytes.length; at += 9000) response.write(bytes.subarray(at, at + 9000));
      response.end();
      return;
    }
    response.setHeader('content-length', bytes.length);
    response.end(bytes);
  });
});
server.on('connection', (socket) => {
  socket.on('error', () => {});
  const address = socket.localAddress?.replace('::ffff:', '');
  if (address === away) socket.resetAndDestroy();
  sockets.add(socket);
  socket.on('close', () => sockets.delete(socket));
});
server.on('clientError', (_, socket) => socket.destroy());
server.listen(Number(port), '::', 2048, () => console.log('ready'));
setInterval(() => {
  away = canaries.at(-1);
  for (const socket of sockets) if (socket.localAddress?.endsWith(away)) socket.resetAndDestroy();
  setTimeout(() => {
    away = null;
  }, AWAY_MS);
}, PAUSE_MS);
