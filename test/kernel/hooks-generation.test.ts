/** What holds where a generation is missing, changes, or nobody reads its events. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { REASON } from '../../compiler/abi/index.js';
import { encodeU32 } from '../../runtime/agent/layout.js';
import type { Mesh, Tables } from './fixtures/mesh.js';
import { type Peer, SERVER4 } from './fixtures/net.js';
import { Pair } from './fixtures/pair.js';
import { DENIED_PORT, OPEN_PORT, SERVICE4 } from './fixtures/world.js';

const SCRATCH_CPU = 8; // WEFT_SCRATCH_CPU
const PAGE = 4096; // the smallest ring buffer
const NO_GENERATION = REASON.noGeneration * 2 + 1;
const refused = { error: 'EPERM' };
const dropped = { error: 'ETIMEDOUT' };

const test = suite('generations');
let pair: Pair;
let mesh: Mesh;
let tables: Tables;
let client: Peer;
let server: Peer;
let outsider: Peer;

test.before.each(async () => {
  pair = await Pair.make('g', { eventBytes: PAGE });
  ({ mesh, tables, client, server, outsider } = pair);
  await server.value(
    `l = listen("${SERVER4}", ${OPEN_PORT}); u = echo("${SERVER4}", ${OPEN_PORT}); u.setblocking(False)`,
  );
});
test.after.each(async () => {
  await pair?.close();
});

test('without a generation nothing new starts', async () => {
  const connect = `connect(tcp(), "${SERVER4}", ${OPEN_PORT})`;
  const send = `udp().sendto(b"x", ("${SERVER4}", ${OPEN_PORT}))`;
  assert.equal(await client.ask(connect), refused);
  assert.equal(await client.ask(send), refused);
  assert.is(mesh.counter('weft_reasons', NO_GENERATION), 2n);
  assert.equal(await outsider.ask(connect), dropped);
  await outsider.value(send);
  assert.equal(await server.ask('u.recvfrom(9)'), { error: 'EAGAIN' });
  assert.ok(mesh.counter('weft_reasons', NO_GENERATION) >= 4n);
  assert.is(mesh.events().length, 0);

  mesh.activate(mesh.stage(tables));
  assert.equal(await client.ask(connect), { value: null });
  assert.equal(await outsider.ask(connect), { value: null });
  await outsider.value(send);
  assert.is(await server.value('u.recvfrom(9)[0].decode()'), 'x');
});

test('what is established outlives the generation that allowed it', async () => {
  mesh.activate(mesh.stage(tables));
  await client.value(`c = tcp(); connect(c, "${SERVICE4}", 80)`);
  await client.value(`d = udp(); d.connect(("${SERVICE4}", 80)); d.send(b"1")`);
  await server.value('a, p = l.accept()');
  await server.value('answer(u)');
  mesh.activate({ slot: 3, generation: 99 });
  await client.value('c.send(b"still")');
  assert.is(await server.value('a.settimeout(0.3); a.recv(9).decode()'), 'still');
  await client.value('d.send(b"2")');
  assert.is(await server.value('d, p = u.recvfrom(9); d.decode()'), '2');
  assert.equal(await server.ask('u.sendto(b"re", p)'), refused, 'an answer needs a generation');
  assert.equal(await client.ask(`connect(tcp(), "${SERVICE4}", 80)`), refused);
});

test('switching and going back is one write each', async () => {
  const closed = { ...tables, weft_endpoints: (tables['weft_endpoints'] ?? []).slice(2) };
  const [one, two] = [mesh.stage(tables), mesh.stage({ ...closed, weft_clusters: [] })];
  const connect = `connect(tcp(), "${SERVICE4}", 80)`;
  for (const round of [1, 2]) {
    mesh.activate(one);
    assert.equal(await client.ask(connect), { value: null }, `round ${round}`);
    mesh.activate(two);
    assert.equal(await client.ask(connect), refused, `round ${round}`);
  }
  const generations = mesh.events().filter((event) => event.hook === 'connect4');
  assert.equal(
    generations.map((event) => event.generation),
    [1, 2, 1, 2],
  );
});

test('traffic sees neither a gap nor a wrong answer while generations switch', async () => {
  const staged = [mesh.stage(tables), mesh.stage(tables)] as const;
  mesh.activate(staged[0]);
  await server.value(`
import threading
u.settimeout(None); l.settimeout(None)
def datagrams():
    while True:
        data, peer = u.recvfrom(99)
        u.sendto(data, peer)
def streams():
    while True:
        l.accept()[0].close()
for work in datagrams, streams:
    threading.Thread(target=work, daemon=True).start()`);
  let isDone = false;
  const traffic = client
    .value(`
import threading
wrong, right = [], []
note = lambda fine, what: right.append(1) if fine else wrong.append(what)
def datagrams():
    s = udp(); s.settimeout(5)
    for i in range(300):
        s.sendto(b"%d" % i, ("${SERVICE4}", 80))
        data, peer = s.recvfrom(99)
        note(data == b"%d" % i and peer == ("${SERVICE4}", 80), [data, peer])
def streams():
    for i in range(100):
        s = tcp(); s.connect(("${SERVICE4}", 80))
        note(s.getpeername() == ("${SERVICE4}", 80), s.getpeername())
        s.close()
        code = tcp().connect_ex(("${SERVICE4}", 81))
        note(code == errno.EPERM, code)
works = [threading.Thread(target=work) for work in [datagrams, streams] * 2]
for work in works: work.start()
for work in works: work.join()
[len(right), wrong]`)
    .finally(() => {
      isDone = true;
    });
  for (let round = 1; !isDone; round++) {
    mesh.activate(staged[round % 2 === 0 ? 0 : 1]);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(await traffic, [1000, []]);
  assert.is(mesh.counter('weft_reasons', NO_GENERATION), 0n);
});

test('verdicts that find no room in the ring buffer are counted, every one', async () => {
  mesh.activate(mesh.stage(tables));
  const many = 60;
  const failed = await client.value(
    `sum(tcp().connect_ex(("${SERVER4}", ${DENIED_PORT})) == errno.EPERM for i in range(${many}))`,
  );
  assert.is(failed, many, 'a full buffer changes no verdict');
  const lost = mesh.counter('weft_losses', 0);
  const read = mesh.events().length;
  assert.ok(lost > 0n && read > 0);
  assert.is(BigInt(read) + lost, BigInt(many));
  assert.is(mesh.counter('weft_reasons', REASON.policy * 2 + 1), BigInt(many));
});

test('a decision that finds no free memory is refused and counted', async () => {
  const staged = mesh.stage(tables);
  mesh.activate(staged);
  const scratch = staged.object.map('weft_scratch');
  const { maxEntries, valueSize } = scratch.info();
  const fill = (busy: number, slots: (slot: number) => boolean) => {
    const value = new Uint8Array(valueSize).fill(busy, 0, 1);
    const all = Array.from({ length: maxEntries }, (_, slot) => slot).filter(slots);
    scratch.updateBatch(all.map((slot) => [encodeU32(slot), value] as const));
  };
  const connect = `tcp().connect(("${SERVER4}", ${OPEN_PORT}))`;
  const busy = REASON.busy * 2 + 1;
  fill(1, () => true);
  assert.equal(await client.ask(connect), refused);
  assert.is(mesh.counter('weft_reasons', busy), 1n);
  fill(0, (slot) => slot % SCRATCH_CPU === SCRATCH_CPU - 1);
  assert.equal(await client.ask(connect), { value: null }, 'one free slot is enough');
  assert.equal(await client.ask(connect), { value: null }, 'and is given back');
  assert.is(mesh.counter('weft_reasons', busy), 1n);
});

test.run();
