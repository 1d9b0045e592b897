// A Node server that says who it is, what it was asked, and what came as the body.
// usage: serve.mjs NAME PORT HOST...
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';

const [name, port, ...hosts] = process.argv.slice(2);
const listening = hosts.map(
  (host) =>
    new Promise((resolve) => {
      createServer((request, response) => {
        const hash = createHash('sha1');
        let length = 0;
        request.on('data', (chunk) => {
          hash.update(chunk);
          length += chunk.length;
        });
        request.on('end', () => {
          const sum = length === 0 ? '' : ` ${length} ${hash.digest('hex')}`;
          response.end(`${name} ${request.method} ${request.url}${sum}`);
        });
      }).listen(Number(port), host, resolve);
    }),
);
await Promise.all(listening);
console.log('ready');
