/**
 * An agent that may not do all that it needs: without CAP_SYS_PTRACE it does not start; where the kernel
 * refuses it copies of sockets all the same, what it cannot end in order ends with an error.
 */
import * as assert from 'uvu/assert';
import type { Kernel } from '../../runtime/kernel/index.js';
import { startAgentProcess, without } from './fixtures/agent-process.js';
import { CANARY, exchangeSuite, text } from './fixtures/exchange-suite.js';

const on = exchangeSuite('http exchanges: an agent that may not do all', 'u');
const { test } = on;
let agent: Kernel;

test.before(async () => {
  // As with kernel.yama.ptrace_scope=3: pidfd_getfd(2) gives EPERM.
  const refused = { shutSocket: () => false, pushSocket: () => false, wakeSender: () => false };
  agent = { ...on.net.http.kernel, ...refused };
  await on.net.stopAgent();
  await on.net.startAgent(agent);
  await on.net.client(`
def to_error(s):
    data = b""
    try:
        while more := s.recv(65536): data += more
        return [data.decode(), "end"]
    except OSError as e: return [data.decode(), errno.errorcode.get(e.errno, "timeout")]`);
});

test('a reply that ends with its connection: all of it, then ECONNABORTED', async () => {
  for (let again = 0; again < 2; again++) {
    await on.open();
    await on.net.client(`s.sendall(get("/open", ${CANARY}).encode())`);
    const whole = 'HTTP/1.1 200 OK\r\n\r\nv2 GET /open 0 0\n';
    assert.equal(await on.net.client('to_error(s)'), [whole, 'ECONNABORTED']);
    await on.settles();
  }
});

test('a refusal that says so ends with ECONNABORTED behind its last byte', async () => {
  await on.open();
  await on.net.client(`s.sendall(get("/private", more="connection: close\\r\\n").encode())`);
  const [said, end] = (await on.net.client('to_error(s)')) as [string, string];
  assert.match(said, /^HTTP\/1.1 403 .*\r\n\r\nRBAC: access denied$/s);
  assert.is(end, 'ECONNABORTED');
});

test('requests in one send, to two servers: both answered, in order', async () => {
  await on.open();
  await on.net.client(`s.sendall((get("/1") + get("/2", ${CANARY})).encode())`);
  assert.equal(await on.net.client('takes(s, 2)'), ['v1 GET /1 0 0\n', 'v2 GET /2 0 0\n']);
  assert.equal(await on.ask('/a', true), text('v2', '/a'));
  await on.settles();
});

test('without CAP_SYS_PTRACE it says so and does not start; the kernel goes on alone', async () => {
  await on.net.stopAgent();
  const { error } = await startAgentProcess(on.net.http.paths, without('sys_ptrace')).then(
    () => ({ error: 'it started' }),
    (reason: Error) => ({ error: reason.message }),
  );
  assert.match(error, 'A026 this process may not look into those of workloads (CAP_SYS_PTRACE)');
  await on.open();
  assert.equal(await on.ask('/a'), text('v1', '/a'));
  assert.equal(await on.ask('/b', true), [503, '', false]);
  assert.equal(await on.ask('/private'), [403, 'RBAC: access denied', false]);
  await on.net.startAgent(agent);
  assert.equal(await on.ask('/b', true), text('v2', '/b'));
  await on.settles();
});

test.run();
