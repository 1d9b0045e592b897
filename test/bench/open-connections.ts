/**
 * Open connections of a node, judged again by a generation that takes over: how long it takes from the write
 * that activates it, where it refuses none of them and where it refuses all, beside `ss`, which lists the
 * same sockets, or ends them, and asks nobody about them.
 */
import { spawnSync } from 'node:child_process';
import { rollback } from '../../runtime/agent/rollback.js';
import { openKernel } from '../../runtime/kernel/index.js';
import { SERVER4 } from '../kernel/fixtures/net.js';
import { OPEN_PORT, OpenNode, SHUT_PORT } from '../kernel/fixtures/open-node.js';
import { type BenchResult, type Figure, judgePairs } from './pairs.js';

const CONNECTIONS = 10_000;
const TURNS = 5;
const QUICK_TURNS = 2;
/** Generations: the first one refuses SHUT_PORT, the second one does not. */
const [NEW, OLD] = [1, 2];

interface Took {
  readonly ms: number;
  readonly cpuMs: number;
}

/** Both processes with room for so many, and a listener that takes all. */
async function prepare(at: OpenNode): Promise<void> {
  const room =
    'import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (20000, 20000)); many = []';
  await at.client.value(room);
  await at.server.value(room);
  for (const port of [OPEN_PORT, SHUT_PORT])
    await at.server.value(`
def take(s=socks["4:${port}"]):
    s.settimeout(None); s.listen(4096)
    while True: many.append(s.accept()[0])
threading.Thread(target=take, daemon=True).start()`);
}

async function open(at: OpenNode, port: number): Promise<void> {
  await at.client.value(`
for _ in range(${CONNECTIONS}):
    many.append(tcp()); many[-1].connect(("${SERVER4}", ${port}))`);
  while ((await at.server.value('len(many)')) !== CONNECTIONS);
}

async function close(at: OpenNode): Promise<void> {
  // With a reset: no port of theirs waits.
  const reset = 'socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)';
  const each = `[(s.setsockopt(${reset}), s.close()) for s in many]; many.clear()`;
  await at.client.value(each);
  await at.server.value(each);
}

/** Goes to this generation; how long from its activation until all is judged. */
async function change(at: OpenNode, to: number, ended: number): Promise<Took> {
  let [began, cpu] = [0, process.cpuUsage()];
  const onStep = (step: string): void => {
    if (step !== 'activated') return;
    [began, cpu] = [performance.now(), process.cpuUsage()];
  };
  const { settled } = await rollback(openKernel(), at.node.paths, { to, onStep });
  const ms = performance.now() - began;
  const { user, system } = process.cpuUsage(cpu);
  const said = settled.open;
  if (said?.judged !== CONNECTIONS || said.ended !== ended || said.problem !== null)
    throw new Error(`not all were judged: ${JSON.stringify(said)}`);
  return { ms, cpuMs: (user + system) / 1000 };
}

/** `ss` on the client's side, by these words. */
function ss(at: OpenNode, port: number, words: readonly string[]): number {
  const began = performance.now();
  const command = ['netns', 'exec', at.net.left, 'ss', '-tnH', ...words, 'dport', '=', `:${port}`];
  const { status, stdout } = spawnSync('ip', command, { encoding: 'utf8', maxBuffer: 1 << 26 });
  const ms = performance.now() - began;
  if (status !== 0 || stdout.split('\n').length - 1 !== CONNECTIONS)
    throw new Error('ss does not tell of all of them');
  return ms;
}

const figure = (metric: string, unit: string, peer: string): Figure => ({
  ...{ bench: `agent/open/${metric}`, metric, unit, peer, limit: null },
});

function resultsOf(
  name: string,
  peer: string,
  ours: readonly Took[],
  theirs: readonly number[],
): BenchResult[] {
  const times = ours.map(({ ms }) => ms);
  const each = (ms: number): number => (ms * 1000) / CONNECTIONS;
  const cpu = ours.map(({ cpuMs }) => each(cpuMs));
  return [
    judgePairs(figure(name, 'ms', peer), times, theirs),
    judgePairs(figure(`${name}-each`, 'us', peer), times.map(each), theirs.map(each)),
    judgePairs(figure(`${name}-cpu-each`, 'us', 'of it, time'), cpu, times.map(each)),
  ];
}

/** Measures a node of its own. Throws where not all connections are judged. */
export async function benchOpen({ quick }: { readonly quick: boolean }): Promise<BenchResult[]> {
  const at = await OpenNode.make('b');
  try {
    await at.load('new');
    await at.load('old');
    const enrolled = await at.node.run('enrol', 'client.prod');
    if (enrolled.exit !== 0) throw new Error(enrolled.stderr);
    await prepare(at);
    const turns = Array.from({ length: quick ? QUICK_TURNS : TURNS }, (_, i) => i);
    const [kept, listed, ended, killed]: [Took[], number[], Took[], number[]] = [[], [], [], []];
    await open(at, OPEN_PORT);
    for (const _ of turns) {
      kept.push(await change(at, NEW, 0));
      listed.push(ss(at, OPEN_PORT, []));
      await change(at, OLD, 0);
    }
    await close(at);
    for (const _ of turns) {
      await open(at, SHUT_PORT);
      ended.push(await change(at, NEW, CONNECTIONS));
      await close(at);
      await rollback(openKernel(), at.node.paths, { to: OLD });
      await open(at, SHUT_PORT);
      killed.push(ss(at, SHUT_PORT, ['-K']));
      await close(at);
    }
    return [
      ...resultsOf('none-refused', 'ss -tn', kept, listed),
      ...resultsOf('all-refused', 'ss -K', ended, killed),
    ];
  } finally {
    await at.close();
  }
}
