/**
 * Which open connections a change ends, one kind after the other: where only the world is another one,
 * where cgroups lie in each other, and while a handshake goes on. Each has a twin that lives.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CLIENT4, SERVER4, SERVER6 } from './fixtures/net.js';
import { OPEN_PORT, OpenNode, SHUT_PORT } from './fixtures/open-node.js';

const test = suite('kinds of open connections');
let at: OpenNode;

/** Ended where the workload that reads first is judged, reset at the other end. */
const ENDED = ['ECONNABORTED', 'ECONNRESET'];
const FAMILIES = [4, 6] as const;

/** The shut port is for those with this label alone. */
const labelled = (label: string): string => `import { Connection, Verdict } from "weft";

export function authorizeConnection(connection: Connection): Verdict {
  if (connection.destination.port < ${OPEN_PORT}) return Verdict.Deny;
  if (connection.destination.port != ${SHUT_PORT}) return Verdict.Allow;
  return connection.source.label("app").is("${label}") ? Verdict.Allow : Verdict.Deny;
}
`;

test.before.each(async () => {
  at = await OpenNode.make('k');
  await at.load('old');
  assert.is((await at.node.run('enrol', '--all')).exit, 0);
});
test.after.each(async () => {
  await at?.close();
});

test('another world alone: what it makes of a source is asked again', async () => {
  await at.build('labels', labelled('client'));
  await at.load('labels');
  for (const family of FAMILIES) {
    await at.open(`shut${family}`, SHUT_PORT, family);
    await at.open(`open${family}`, OPEN_PORT, family);
  }
  at.changeWorld((text) => text.replace('{ app: client }', '{ app: other }'));
  const open = await at.load('labels');
  assert.equal(open, { generation: 3, judged: 6, ended: 2, kept: 4, problem: null });
  for (const family of FAMILIES) {
    assert.equal([...(await at.ended(`shut${family}`))].sort(), ENDED);
    await at.isOpen(`open${family}`);
  }
});

test('another world alone, with `onChange: "keep"`: they live, and the next bundle that closes ends them', async () => {
  await at.build('labels', labelled('client'), { onChange: 'keep' });
  await at.load('labels');
  for (const family of FAMILIES) {
    await at.open(`shut${family}`, SHUT_PORT, family);
    await at.open(`open${family}`, OPEN_PORT, family);
  }
  at.changeWorld((text) => text.replace('{ app: client }', '{ app: other }'));
  assert.is(await at.load('labels'), null);
  for (const [family, server] of [
    [4, SERVER4],
    [6, SERVER6],
  ] as const) {
    await at.isOpen(`shut${family}`);
    await at.isOpen(`open${family}`);
    const refused = `connect(tcp(${family}), "${server}", ${SHUT_PORT})`;
    assert.equal(await at.client.ask(refused), { error: 'EPERM' });
  }
  const open = await at.load('new');
  assert.equal(open, { generation: 4, judged: 6, ended: 2, kept: 4, problem: null });
  for (const family of FAMILIES) {
    assert.equal([...(await at.ended(`shut${family}`))].sort(), ENDED);
    await at.isOpen(`open${family}`);
  }
});

test('a cgroup in an enrolled one: each of both is asked about what was made in it', async () => {
  const inner = at.net.cgroup('client/inner').path;
  at.changeWorld((text) =>
    text.replace(
      'services:',
      `  - name: inner.prod
    addresses: [10.77.0.9]
    labels: { app: inner }
    cgroup: ${inner.slice(at.node.paths.cgroups.length)}
services:`,
    ),
  );
  await at.load('old');
  const enrolled = await at.node.run('enrol', 'inner.prod');
  assert.is(enrolled.exit, 0, enrolled.stdout + enrolled.stderr);
  const within = at.net.peer(at.net.left, inner);
  const opened = async (): Promise<void> => {
    await at.open('inner', SHUT_PORT, 4, within);
    await at.open('inner open', OPEN_PORT, 4, within);
    await at.open('outer', SHUT_PORT);
  };
  await opened();
  // Allowed to the outer workload, and not to the inner one.
  await at.build('outer', labelled('client'));
  // Three connections at both their ends, and those of the inner process once more.
  const first = await at.load('outer');
  assert.equal(first, { generation: 3, judged: 8, ended: 1, kept: 7, problem: null });
  assert.equal(await at.ended('inner', within), ['ECONNABORTED', 'ECONNRESET']);
  await at.isOpen('inner open', within);
  await at.isOpen('outer');
  // Allowed to the inner one alone: what is made in it is also of the outer, as at connect.
  await at.load('old');
  await at.open('again', SHUT_PORT, 4, within);
  await at.build('inner', labelled('inner'));
  const second = (await at.load('inner')) as { ended: number };
  assert.is(second.ended, 2);
  assert.equal([...(await at.ended('again', within))].sort(), ENDED);
  assert.equal([...(await at.ended('outer'))].sort(), ENDED);
  await at.isOpen('inner open', within);
  const refused = `connect(tcp(), "${SERVER4}", ${SHUT_PORT})`;
  assert.equal(await within.ask(refused), { error: 'EPERM' });
});

/** Known to the world; nobody has these addresses, so that who talks to them waits. */
const SILENT4 = '10.77.0.50';
const SILENT6 = 'fd77::50';
const neighbours = `for a in "${SILENT4}", "${SILENT6}": os.system(f"ip neigh replace {a} lladdr 02:00:00:00:77:50 dev v0")`;
const addSilent = (text: string): string =>
  text.replace(
    'services:',
    `  - name: silent.prod
    addresses: [${SILENT4}, "${SILENT6}"]
services:`,
  );

test('a client that waits for an answer: its connect fails, or goes on waiting', async () => {
  at.changeWorld(addSilent);
  await at.load('old');
  await at.client.value(neighbours);
  for (const [family, host] of [
    [4, SILENT4],
    [6, SILENT6],
  ] as const)
    for (const port of [SHUT_PORT, OPEN_PORT])
      await at.client.value(
        `s = socks["${family} ${port}"] = tcp(${family}); s.setblocking(False); s.connect_ex(("${host}", ${port}))`,
      );
  const open = await at.load('new');
  assert.equal(open, { generation: 3, judged: 4, ended: 2, kept: 2, problem: null });
  const errorOf = (name: string) =>
    at.client.value(
      `errno.errorcode.get(socks["${name}"].getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), "none")`,
    );
  // SYN_SENT is state 2 of tcp_info.
  const stateOf = (name: string) =>
    at.client.value(`socks["${name}"].getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]`);
  for (const family of FAMILIES) {
    assert.is(await errorOf(`${family} ${SHUT_PORT}`), 'ECONNABORTED');
    assert.is(await errorOf(`${family} ${OPEN_PORT}`), 'none');
    assert.is(await stateOf(`${family} ${OPEN_PORT}`), 2);
  }
});

test('a server that was asked and not answered: the request is forgotten, or kept', async () => {
  at.changeWorld(addSilent);
  await at.load('old');
  await at.server.value(neighbours);
  for (const port of [SHUT_PORT, OPEN_PORT])
    await at.outsider.value(`
for family, here, there in (socket.AF_INET, "${SILENT4}", "${SERVER4}"), (socket.AF_INET6, "${SILENT6}", "${SERVER6}"):
    raw = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
    raw.sendto((syn4 if family == socket.AF_INET else syn6)(here, there, ${port}), (there, 0))`);
  /** Ports of what is in SYN_RECV, in each family. */
  const asked = () =>
    at.server.value(
      '[sorted(int(l.split()[1].split(":")[1], 16) for l in open(f"/proc/thread-self/net/{t}") if l.split()[3] == "03") for t in ("tcp", "tcp6")]',
    );
  const both = [OPEN_PORT, SHUT_PORT];
  assert.equal(await asked(), [both, both]);
  const open = await at.load('new');
  assert.equal(open, { generation: 3, judged: 4, ended: 2, kept: 2, problem: null });
  assert.equal(await asked(), [[OPEN_PORT], [OPEN_PORT]]);
});

test('IPv4 at a socket of IPv6, on both sides', async () => {
  for (const port of [SHUT_PORT, OPEN_PORT]) {
    await at.server.value(
      `socks["4:${port}"].close(); socks["6:${port}"].close(); socks["both:${port}"] = listen("::", ${port})`,
    );
    await at.openTo(`mapped ${port}`, [`::ffff:${SERVER4}`, port], `both:${port}`);
    await at.openTo(`plain ${port}`, [SERVER4, port], `both:${port}`, at.outsider);
  }
  assert.is(await at.client.value(`socks["mapped ${OPEN_PORT}"].family == socket.AF_INET6`), true);
  const open = await at.load('new');
  assert.equal(open, { generation: 2, judged: 5, ended: 2, kept: 3, problem: null });
  assert.equal([...(await at.ended(`mapped ${SHUT_PORT}`))].sort(), ENDED);
  assert.equal(await at.ended(`plain ${SHUT_PORT}`, at.outsider), ['ECONNRESET', 'ECONNABORTED']);
  await at.isOpen(`mapped ${OPEN_PORT}`);
  await at.isOpen(`plain ${OPEN_PORT}`, at.outsider);
  assert.is(await at.outsider.value(`socks["plain ${OPEN_PORT}"].getsockname()[0]`), CLIENT4);
});

test.run();
