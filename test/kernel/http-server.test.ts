/** Requests that arrive from outside of the mesh, at an enrolled server. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HTTP_PORT, HttpNet, OUTSIDER4 } from './fixtures/http.js';
import { SERVER4, SERVER6 } from './fixtures/net.js';

const POLICY = `import { Request, Verdict } from "weft";
export function authorizeRequest(request: Request): Verdict {
  if (request.path.startsWith("/private")) return Verdict.Deny;
  return Verdict.Allow;
}
`;
const CONNECTION = `import { Connection, Verdict } from "weft";
export function authorizeConnection(connection: Connection): Verdict { return Verdict.Allow; }
`;
const test = suite('http at the server');
let http: HttpNet;

test.before(async () => {
  http = await HttpNet.open('s');
  await http.load({ 'http.ts': POLICY });
  http.enrol();
  http.enrolServer();
});
test.after(async () => {
  await http?.close();
});

for (const host of [SERVER4, SERVER6])
  test(`${host}: who sends requests from outside of the mesh is not let in, unlike a workload`, async () => {
    const before = http.denied('requests');
    const open = `s = open_to("${host}", ${HTTP_PORT})`;
    assert.equal(await http.outsider.ask(open), { error: 'ETIMEDOUT' });
    assert.ok(http.denied('requests') > before);
    await http.client.value(open);
    assert.equal(await http.client.value('ask(s, get("/a"))'), [200, 'GET /a 0\n', false]);
  });

test('also where a policy about connections lets it in', async () => {
  await http.load({ 'http.ts': POLICY, 'tcp.ts': CONNECTION });
  const open = `s = open_to("${SERVER4}", ${HTTP_PORT})`;
  assert.equal(await http.outsider.ask(open), { error: 'ETIMEDOUT' });
});

test('without policies about requests a connection is all that is asked', async () => {
  await http.load({ 'tcp.ts': CONNECTION });
  await http.outsider.value(`s = open_to("${SERVER4}", ${HTTP_PORT})`);
  assert.is(await http.outsider.value('s.getsockname()[0]'), OUTSIDER4);
  const answer = [200, 'GET /private 0\n', false];
  assert.equal(await http.outsider.value('ask(s, get("/private"))'), answer);
});

test.run();
