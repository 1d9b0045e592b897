// One workload of the demo: an HTTP server that says who it is, a datagram echo, and a client that
// connects where standard input tells it. One JSON document a line, both ways.
import { createSocket } from 'node:dgram';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

const [name, ...listen] = process.argv.slice(2);
const say = (document) => process.stdout.write(`${JSON.stringify(document)}\n`);

const ready = [];
for (const word of listen) {
  const [protocol, port] = word.split(':');
  if (protocol === 'tcp') {
    const server = createServer((_request, response) => {
      response.writeHead(200, {
        'content-type': 'text/plain',
        connection: 'close',
        'content-length': name.length,
      });
      response.end(name);
    });
    ready.push(new Promise((resolve) => server.listen(Number(port), '::', resolve)));
  } else {
    const socket = createSocket({ type: 'udp6', ipv6Only: false });
    socket.on('message', (_message, peer) => socket.send(name, peer.port, peer.address));
    ready.push(new Promise((resolve) => socket.bind(Number(port), '::', resolve)));
  }
}

/** One exchange over TCP: who answered, or the error code of the connection. */
function tcp({ address, port, limit }) {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, family: address.includes(':') ? 6 : 4 });
    let text = '';
    const end = (result) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ ...result, peer });
    };
    let peer = null;
    // A dropped SYN has no answer: that is what a refusal at the receiving side looks like.
    const timer = setTimeout(() => end({ error: 'TIMEOUT' }), limit);
    socket.on('connect', () => {
      peer = `${socket.remoteAddress}|${socket.remotePort}`;
      socket.write('GET / HTTP/1.1\r\nhost: demo\r\nconnection: close\r\n\r\n');
    });
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('error', (error) => end({ error: error.code ?? error.message }));
    socket.on('end', () => end({ from: text.slice(text.indexOf('\r\n\r\n') + 4) }));
  });
}

/** One datagram and its answer. */
function udp({ address, port, limit, connected }) {
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    const end = (result) => {
      clearTimeout(timer);
      socket.close();
      resolve(result);
    };
    const timer = setTimeout(() => end({ error: 'TIMEOUT' }), limit);
    const failed = (error) => end({ error: error.code ?? error.message });
    socket.on('error', failed);
    socket.on('message', (message, peer) =>
      end({ from: String(message), peer: `${peer.address}|${peer.port}` }),
    );
    if (connected) {
      socket.connect(port, address, (error) => (error ? failed(error) : socket.send('vote')));
    } else {
      socket.send('vote', port, address, (error) => (error ? failed(error) : undefined));
    }
  });
}

await Promise.all(ready);
say({ ready: name });
for await (const line of createInterface({ input: process.stdin })) {
  const flow = JSON.parse(line);
  say({ id: flow.id, ...(await (flow.protocol === 'udp' ? udp(flow) : tcp(flow))) });
}
