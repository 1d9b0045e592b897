/** One agent after the other under load: every request is answered as its rule says, no connection ends. */
import * as assert from 'uvu/assert';
import { handOver } from '../../runtime/agent/successor.js';
import { agentCommand } from './fixtures/agent-process.js';
import { CANARY, exchangeSuite, text } from './fixtures/exchange-suite.js';
import { VIP4 } from './fixtures/http.js';

const on = exchangeSuite('http exchanges: an upgrade of the agent', 'v');
const { test } = on;

/**
 * For the client: connections that ask without a pause, each the same four things in turn: on the bound
 * connection, elsewhere, edited by the agent, refused. What is not as it should be is kept.
 */
const LOAD = `
import threading
wrong = []; asked = [0]; over = threading.Event()
def expect(s, n):
    kinds = [("/a%d", "", 200, "v1 GET /a%d 0 0\\n"), ("/b%d", "x-canary: 1\\r\\n", 200, "v2 GET /b%d 0 0\\n"), ("/old/%d", "", 200, "v2 GET /new/%d 0 0\\n"), ("/private/%d", "", 403, "RBAC: access denied")]
    path, more, status, body = kinds[n % 4]
    got = ask(s, get(path % n, more=more))
    want = [status, body % n if "%d" in body else body, False]
    asked[0] += 1
    if list(got) != want: wrong.append([n, got, want])
def worker(s):
    n = 0
    try:
        while not over.is_set(): expect(s, n); n += 1
    except Exception as e: wrong.append(repr(e))
sockets = [open_to("${VIP4}", 80) for _ in range(6)]
for s in sockets: s.settimeout(20)
workers = [threading.Thread(target=worker, args=(s,)) for s in sockets]
for w in workers: w.start()
`;

test('under load: no request fails, no connection ends, none passes unjudged', async () => {
  const { http } = on.net;
  await on.open();
  assert.equal(await on.ask('/warm', true), text('v2', '/warm'));
  await on.settles();
  // A tunnel, which is in the old agent's hands for as long as it lasts.
  await on.net.client(`u = open_to("${VIP4}", 80); u.settimeout(20)
u.sendall(get("/upgrade", ${CANARY.replace('\\r\\n"', '\\r\\nconnection: upgrade\\r\\nupgrade: echo\\r\\n"')}).encode()); u.recv(99); 1`);
  await on.net.client(LOAD);
  const asked = async (): Promise<number> => Number(await on.net.client('asked[0]'));
  const more = async (count: number): Promise<void> => {
    const from = await asked();
    while ((await asked()) < from + count) {
      assert.equal(await on.net.client('wrong'), []);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  await more(40);
  let heir = 0;
  let served: () => void = () => {};
  const serving = new Promise<void>((resolve) => {
    served = resolve;
  });
  const handing = handOver({
    ...{ command: agentCommand(http.paths), env: process.env, forward: on.net.forward },
    onServing: async (pid) => {
      heir = pid;
      served();
    },
  });
  try {
    await Promise.race([serving, handing.then(() => assert.ok(heir > 0))]);
    await more(80);
    // The tunnel goes on by the old agent, while the new one serves everybody else.
    assert.equal(await on.net.client('u.sendall(b"ping"); u.recv(99).decode()'), 'v2ping');
    await on.net.client('u.shutdown(2); u.close(); 1');
    assert.is(await handing, null);
    await on.net.stopAgent();
    await more(40);
    await on.net.client('over.set(); [w.join() for w in workers]; 1');
    assert.equal(await on.net.client('wrong'), []);
    await on.settles();
    assert.is(on.net.entries('weft_upstream_index'), on.pools().size);
  } finally {
    if (heir > 0) process.kill(heir, 'SIGKILL');
  }
  await on.net.startAgent();
  assert.equal(await on.ask('/z', true), text('v2', '/z'));
});

test('a successor that does not start: all goes on as before', async () => {
  const { forward } = on.net;
  const command = [process.execPath, '--eval', 'process.exit(3)'];
  const onServing = async (): Promise<void> => assert.unreachable('it serves');
  const refused = await handOver({ command, env: process.env, forward, onServing });
  assert.is(refused?.code, 'A041');
  await on.open();
  assert.equal(await on.ask('/b', true), text('v2', '/b'));
  assert.equal(await on.ask('/old/x'), text('v2', '/new/x'));
  await on.settles();
});

test.run();
