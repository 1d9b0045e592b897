/** Pooled connections that outlive the agent: a keeper has them while it is dead, and the next agent goes on. */
import { readdirSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { runKeeper } from '../../runtime/agent/keeper.js';
import { agentCommand } from './fixtures/agent-process.js';
import { CANARY, exchangeSuite, text } from './fixtures/exchange-suite.js';
import { VIP4 } from './fixtures/http.js';

const on = exchangeSuite('http exchanges: kept connections', 'k');
const { test } = on;

interface Gate {
  readonly passed: Promise<void>;
  open(): void;
}

function gate(): Gate {
  let open: () => void = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open: () => open() };
}

test('an agent is killed: leased exchanges live on, and the next agent has the pool', async () => {
  await on.net.stopAgent();
  const { http } = on.net;
  const stop = new AbortController();
  let main = 0;
  let ready = gate();
  let start = gate();
  const logs: string[] = [];
  const keeping = runKeeper({
    ...{ kernel: http.kernel, command: agentCommand(http.paths), env: process.env },
    ...{
      run: http.paths.run,
      signal: stop.signal,
      kill: (pid, signal) => process.kill(pid, signal),
    },
    log: (_, message) => void logs.push(message),
    onMain: (pid) => {
      main = pid;
    },
    onReady: () => ready.open(),
    pause: () => start.passed,
  });
  try {
    await ready.passed;
    await on.net.server.value('gates["k"] = threading.Event(); gates["l"] = threading.Event()');
    await on.open();
    assert.equal(await on.ask('/warm', true), text('v2', '/warm'));
    await on.settles();
    const peers = 'sum(1 for c in conns if c.getsockname()[0] in CANARY)';
    const before = await on.net.server.value(peers);
    // One in the middle of a reply that the kernel redirects, one that the agent itself has.
    await on.net.client(`t = open_to("${VIP4}", 80); t.settimeout(10)
u = open_to("${VIP4}", 80); u.settimeout(10)
t.sendall(get("/half/k", ${CANARY}).encode()); u.sendall(get("/upgrade", more="x-canary: 1\\r\\nconnection: upgrade\\r\\nupgrade: echo\\r\\n").encode())
[t.recv(99), u.recv(99)]; 1`);
    ready = gate();
    process.kill(main, 'SIGKILL');
    await waitFor(() => logs.some((line) => line.includes('started again')));
    // Nobody serves now: what the kernel can do alone goes on, what needs the agent is refused.
    await on.net.server.value('gates["k"].set()');
    assert.equal(await on.net.client('t.recv(99).decode()'), 'v2');
    assert.equal(await on.ask('/b', true), text('v2', '/b'), 'on the connection that was kept');
    assert.equal(await on.ask('/old'), [503, '', false]);
    assert.equal(await on.ask('/a'), text('v1', '/a'));
    assert.equal(await on.ask('/private'), [403, 'RBAC: access denied', false]);
    // One that begins without an agent and ends with the next.
    await on.net.client(
      `t.sendall(get("/half/l", ${CANARY}).encode()); "\\r\\n\\r\\nv2" in t.recv(199).decode()`,
    );
    const kept = on.pools();
    start.open();
    start = gate();
    await ready.passed;
    assert.equal(on.pools(), kept, 'the same pool, the same lease');
    await on.net.server.value('gates["l"].set()');
    assert.equal(await on.net.client('t.recv(99).decode()'), 'v2');
    assert.equal(await on.net.http.client.ask('u.recv(99)'), { error: 'ECONNABORTED' });
    assert.equal(await on.ask('/c', true), text('v2', '/c'));
    assert.equal(await on.ask('/old/x'), text('v2', '/new/x'));
    await on.settles();
    assert.ok(Number(await on.net.server.value(peers)) <= Number(before) + 1, 'none was replaced');
    assert.is(on.net.entries('weft_upstream_index'), on.pools().size);
    // The pool's connections can end: whoever kept them lets go.
    await on.net.server.value(
      '[c.shutdown(2) for c in list(conns) if c.getsockname()[0] in CANARY]; 1',
    );
    await waitFor(() => on.pools().size === 0);
  } finally {
    stop.abort();
    start.open();
    await keeping;
  }
  assert.equal(
    readdirSync(http.paths.run).filter((name) => name.startsWith('keeper')),
    [],
  );
  await on.net.startAgent();
  assert.equal(await on.ask('/d', true), text('v2', '/d'));
  await on.settles();
});

/** A bound for what never comes. */
const PATIENCE_MS = 60_000;

async function waitFor(holds: () => boolean): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; !holds(); ) {
    if (Date.now() > end) assert.unreachable('it never came');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test.run();
