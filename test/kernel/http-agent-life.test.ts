/** The agent away, killed, back again, and under bundles that others load. */
import { readdirSync, rmSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { startAgentProcess } from './fixtures/agent-process.js';
import { POLICY } from './fixtures/exchange.js';
import { CANARY, exchangeSuite, text } from './fixtures/exchange-suite.js';
import { VIP4 } from './fixtures/http.js';

const on = exchangeSuite('http exchanges: the agent', 'w');
const { test } = on;

/** Requests on which a policy has spoken. */
const verdicts = (): bigint => {
  const { allow = 0n, deny = 0n } = on.net.status().reasons['policy'] ?? {};
  return allow + deny;
};

test('without an agent: 503 where it is needed, all else goes on; with the next one all again', async () => {
  await on.open();
  await on.ask('/warm', true);
  await on.settles();
  await on.net.stopAgent();
  assert.equal(await on.ask('/b', true), [503, '', false]);
  assert.equal(await on.ask('/a'), text('v1', '/a'));
  assert.equal(await on.ask('/old'), [503, '', false]);
  assert.equal(await on.ask('/private'), [403, 'RBAC: access denied', false]);
  await on.net.startAgent();
  assert.equal(await on.ask('/b', true), text('v2', '/b'));
  await on.settles();
});

test('a bundle that another process loads: the agent judges by it at once, and by the next', async () => {
  const [bundles, pins] = [
    `${on.net.http.paths.run}/generations`,
    `${on.net.http.paths.pins}/generations`,
  ];
  const kept = (): readonly string[] => readdirSync(bundles).sort();
  await on.open();
  assert.equal(await on.ask('/old/x'), text('v2', '/new/x'));
  for (const word of ['newer', 'newest', 'new']) {
    await on.net.load(POLICY.replace('"/new"', `"/${word}"`));
    assert.equal(await on.ask('/old/x'), text('v2', `/${word}/x`));
    assert.equal(await on.ask('/b', true), text('v2', '/b'));
    assert.equal(kept(), readdirSync(pins).sort(), 'as long as its generation, no longer');
  }
  // One of which nothing was kept: nobody knows what it says.
  await on.net.load();
  rmSync(`${bundles}/${kept().at(-1)}`, { recursive: true });
  assert.equal(await on.ask('/old/x'), [503, '', false]);
  assert.equal(await on.ask('/a'), text('v1', '/a'));
  await on.net.load();
  assert.equal(await on.ask('/old/x'), text('v2', '/new/x'));
  await on.settles();
});

test('an agent that is killed: what needs it is refused, what was under way ends, and the next one has it all', async () => {
  const pins = (): readonly string[] =>
    readdirSync(on.net.http.paths.pins, { recursive: true, encoding: 'utf8' }).sort();
  const before = pins();
  await on.net.stopAgent();
  const agent = await startAgentProcess(on.net.http.paths);
  try {
    await on.net.server.value('gates["k"] = threading.Event()');
    await on.open();
    assert.equal(await on.ask('/warm', true), text('v2', '/warm'));
    assert.equal(await on.ask('/old/x'), text('v2', '/new/x'));
    await on.settles();
    // One in the middle of a reply of a pooled connection, one in a door.
    await on.net.client(`t = open_to("${VIP4}", 80); t.settimeout(10)
u = open_to("${VIP4}", 80); u.settimeout(10)
t.sendall(get("/half/k", ${CANARY}).encode()); u.sendall(get("/upgrade", more="x-canary: 1\\r\\nconnection: upgrade\\r\\nupgrade: echo\\r\\n").encode())
[t.recv(99), u.recv(99)]; 1`);
  } finally {
    await agent.kill();
  }
  const refused = (): bigint => on.net.status().reasons['fault']?.deny ?? 0n;
  const [before503, judged] = [refused(), verdicts()];
  assert.equal(await on.ask('/b', true), [503, '', false]);
  assert.equal(await on.ask('/old'), [503, '', false]);
  assert.is(refused(), before503 + 2n, 'each that needed it is counted');
  assert.equal(await on.ask('/a'), text('v1', '/a'));
  assert.equal(await on.ask('/private'), [403, 'RBAC: access denied', false]);
  assert.is(refused(), before503 + 2n, 'and no other');
  assert.is(verdicts(), judged + 4n, 'none passed unjudged');
  await on.net.startAgent();
  for (const socket of ['t', 'u'])
    assert.equal(await on.net.http.client.ask(`[${socket}.recv(99), ${socket}.recv(99)]`), {
      error: 'ECONNABORTED',
    });
  assert.equal(await on.ask('/b', true), text('v2', '/b'));
  assert.equal(await on.ask('/old/x'), text('v2', '/new/x'));
  await on.settles();
  assert.equal(pins(), before);
  assert.is(on.net.entries('weft_upstream_index'), on.pools().size);
  await on.net.server.value('[gate.set() for gate in gates.values()]; 1');
});

test.run();
