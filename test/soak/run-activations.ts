/**
 * Two bundles that are activated by turns while a client asks: every reply must be wholly the one's or
 * the other's. Each of them authorizes one path and answers it, and refuses the other's; what one lets in and
 * the other answers would be a mixture. Events are held against the bundle of the generation that they name.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeBundle } from '../../compiler/bundle/index.js';
import { type NodeBundles, openNodeBundles, readEvents } from '../../runtime/agent/index.js';
import { readWorld } from '../../runtime/discovery/index.js';
import type { EventRecord } from '../../runtime/probe/index.js';
import { benchFile, compileProgram } from '../bench/clang.js';
import { HttpNet, VIP4 } from '../kernel/fixtures/http.js';
import { mustCompile } from '../support/compile-texts.js';

/** Counts of the client. */
interface Asked {
  readonly a: number;
  readonly b: number;
  readonly refused: number;
  readonly passed: number;
  /** Let in by one bundle and answered by the other. */
  readonly mixed: number;
  readonly failed: number;
  readonly seconds: number;
}

export interface ActivationsRun extends Asked {
  readonly activations: number;
  /** Activations that were loads; the others went back to a generation that is kept. */
  readonly loads: number;
  readonly requests: number;
  /** Requests a second. */
  readonly rate: number;
  /** Events that were held against their generation, and those that said otherwise than its bundle. */
  readonly events: number;
  readonly contrary: number;
}

export interface ActivationsOptions {
  readonly activations: number;
  readonly connections: number;
  /** Requests a second at most; 0: as many as there can be. */
  readonly rate: number;
  readonly onProgress: (line: string) => void;
}

/** Bundles are loaded anew after so many turns. */
const TURNS_A_BUNDLE = 20;

const policy = (
  own: 'a' | 'b',
): string => `import { cluster, Request, respond, Route, Verdict } from "weft";
const stable = cluster("shop", "v1");
const answer = respond(200, "${own}");
export function authorizeRequest(request: Request): Verdict {
  return request.path.is("/${own}") || request.path.is("/pass") ? Verdict.Allow : Verdict.Deny;
}
export function routeRequest(request: Request): Route {
  return request.path.is("/pass") ? stable : answer;
}
`;

/** How many events are looked at behind an activation: a reader costs more than a verdict. */
const EVENTS_A_LOOK = 50;

/** Does an event say what the bundle of its generation says to that path? */
function isContrary({ verdict, path }: EventRecord, own: 'a' | 'b'): boolean {
  const wanted = path === `/${own}` || path === '/pass' ? 'allow' : 'deny';
  return verdict !== wanted;
}

async function look(net: HttpNet): Promise<readonly EventRecord[]> {
  const events: EventRecord[] = [];
  await readEvents(net.kernel, net.paths, {
    onEvent: (event) => events.push(event),
    ...{
      follow: false,
      passing: false,
      limit: EVENTS_A_LOOK,
      signal: new AbortController().signal,
    },
  });
  return events.filter(({ hook }) => hook === 'request');
}

function openBundles(net: HttpNet): NodeBundles {
  const { world } = readWorld(net.world(), 'world.yaml');
  if (world === null) throw new Error('the world is not read');
  return openNodeBundles({
    ...{ kernel: net.kernel, paths: net.paths, world: () => world, trust: () => null },
    ...{ now: () => new Date(), clockOffset: () => 0n },
  });
}

/** The client, in the enrolled cgroup; `stop` ends it and gives its counts. */
async function startClient(
  net: HttpNet,
  program: string,
  { connections, rate, onProgress }: ActivationsOptions,
): Promise<{ readonly stop: () => Promise<Asked> }> {
  // The cgroup first: inside a namespace cgroup2 is not to be seen.
  const command = `echo $$ > ${net.cgroupDirectory}/cgroup.procs; exec ip netns exec ${net.net.left} "$@"`;
  const words = [program, VIP4, '80', String(connections), String(rate)];
  const child = spawn('sh', ['-c', command, 'sh', ...words], { stdio: 'pipe' });
  let text = '';
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  child.stderr.on('data', (data) => onProgress(`client: ${String(data).trimEnd()}`));
  await new Promise<void>((resolve) => {
    child.stdout.on('data', (data) => {
      text += String(data);
      resolve();
    });
    void ended.then(resolve);
  });
  return {
    stop: async () => {
      child.stdin.end();
      await ended;
      const last = text.trim().split('\n').at(-1) ?? '';
      if (!last.startsWith('{')) throw new Error(`the client died: ${text}`);
      return JSON.parse(last);
    },
  };
}

/** Runs it; everything that it made is removed. */
export async function runActivations(options: ActivationsOptions): Promise<ActivationsRun> {
  const folder = mkdtempSync(join(tmpdir(), 'weft-switch-'));
  const net = await HttpNet.open('switch');
  try {
    const program = join(folder, 'switch-client');
    compileProgram(benchFile('../soak/switch-client.c'), program);
    const names = ['a', 'b'] as const;
    const made = await Promise.all(
      names.map((own) => mustCompile(new Map([['shop.ts', policy(own)]]))),
    );
    // A bundle of its own for each stretch of turns: the first two of them are loaded, the others gone back to.
    const archiveOf = (turn: number): Uint8Array => {
      const bundle = made[turn % 2];
      if (bundle === undefined) throw new Error('two bundles');
      const fuel = bundle.manifest.fuel + Math.floor(turn / TURNS_A_BUNDLE);
      return encodeBundle({ ...bundle, manifest: { ...bundle.manifest, fuel } });
    };
    const bundles = openBundles(net);
    const owners = new Map<number, 'a' | 'b'>();
    const activate = async (turn: number): Promise<void> => {
      const own = names[turn % 2] ?? 'a';
      const applied = await bundles.apply(archiveOf(turn), null, 'enforce');
      if (!applied.ok) throw new Error(`${applied.code}: ${applied.message}`);
      owners.set(applied.generation, own);
    };
    await activate(0);
    net.enrol();
    const client = await startClient(net, program, options);
    let [events, contrary] = [0, 0];
    for (let turn = 1; turn <= options.activations; turn += 1) {
      await activate(turn);
      for (const event of await look(net)) {
        const own = owners.get(event.generation);
        if (own === undefined) throw new Error(`an event of generation ${event.generation}`);
        events += 1;
        if (isContrary(event, own)) contrary += 1;
      }
      if (turn % 100 === 0) options.onProgress(`${turn} activations`);
    }
    const asked = await client.stop();
    const requests = asked.a + asked.b + asked.refused + asked.passed + asked.mixed + asked.failed;
    const rate = Math.round(requests / asked.seconds);
    const { activations } = options;
    return { activations, loads: owners.size - 1, requests, rate, ...asked, events, contrary };
  } finally {
    await net.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
