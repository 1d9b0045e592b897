// Node as a client: `http` with a keep-alive agent, or `fetch` (undici), one request after another or
// all at once. Prints [{ status, body }] in the order of the requests.
// usage: ask.mjs http|fetch one|all BASE < requests.json
import { Agent, request as httpRequest } from 'node:http';

const [kind, order, base] = process.argv.slice(2);
const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const requests = JSON.parse(Buffer.concat(chunks).toString());
const agent = new Agent({ keepAlive: true, maxSockets: 4 });

const bodyOf = ({ fill }) => (fill ? Buffer.alloc(fill, 'weft') : undefined);

function byHttp(asked) {
  return new Promise((resolve, reject) => {
    const body = bodyOf(asked);
    const headers = { host: 'shop.prod', ...asked.headers };
    if (body && !asked.chunked) headers['content-length'] = body.length;
    const request = httpRequest(new URL(asked.path, base), { method: asked.method, headers, agent });
    request.on('error', reject);
    request.on('response', async (response) => {
      const text = [];
      for await (const chunk of response) text.push(chunk);
      resolve({ status: response.statusCode, body: Buffer.concat(text).toString() });
    });
    // Two writes without a length are two chunks.
    if (body && asked.chunked) request.write(body.subarray(0, body.length >> 1));
    request.end(body && asked.chunked ? body.subarray(body.length >> 1) : body);
  });
}

async function byFetch(asked) {
  const body = bodyOf(asked);
  const stream = async function* () {
    yield body.subarray(0, body.length >> 1);
    yield body.subarray(body.length >> 1);
  };
  const response = await fetch(new URL(asked.path, base), {
    method: asked.method,
    headers: asked.headers,
    ...(body && asked.chunked ? { body: stream(), duplex: 'half' } : { body }),
  });
  return { status: response.status, body: await response.text() };
}

const ask = kind === 'fetch' ? byFetch : byHttp;
const answers = [];
if (order === 'all') answers.push(...(await Promise.all(requests.map(ask))));
else for (const one of requests) answers.push(await ask(one));
console.log(JSON.stringify(answers));
agent.destroy();
