/**
 * The engine in a thread of its own, under a deadline: a policy that never ends (which fuel should
 * make impossible) costs a thread, not the process. A killed thread is replaced at the next call.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { CONNECTION, NO_POLICY, ROUTE_STOPPED } from '../../compiler/abi/index.js';
import { BugError } from '../../compiler/diagnostic/index.js';
import { type EngineAnswer, type EngineSetup, MAX_STOPS, type Stop } from './engine.js';
import type { Reply, Request, WorkerSetup } from './protocol.js';
import { ASKED, type Ask, RECORD, writeDecision } from './record.js';
import { SimulateError } from './simulate-error.js';

/** Connections a message: a deadline is for these, so that long batches need no longer one. */
const CHUNK = 4096;
/**
 * Long, because it is time by the clock: fuel ends every policy long before, and an answer must not hang
 * on what else the machine does.
 */
export const DEFAULT_DEADLINE_MS: number = 20_000;
/**
 * A deadline passes in so many parts, one after the other: where this process itself gets no time, only
 * one of them does, and an answer that has come meanwhile is heard before the next.
 */
const DEADLINE_PARTS = 20;
/** Starting a thread and its modules may take this long on a loaded machine. */
const START_DEADLINE_MS = 30_000;

/** Beside this module under tests, beside the bundled program in the package. */
function workerFile(): string {
  const candidates = ['./worker.js', './simulate-worker.mjs', '../../simulate-worker.mjs'];
  const paths = candidates.map((name) => fileURLToPath(new URL(name, import.meta.url)));
  const found = paths.find((path) => existsSync(path));
  if (found === undefined) throw new BugError(`no simulator worker among ${paths.join(', ')}`);
  return found;
}

interface Pending {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: SimulateError) => void;
}

/** One thread; `next` is the reply that is waited for. */
class Thread {
  private readonly worker: Worker;
  private pending: Pending | null = null;
  isDead = false;

  constructor(setup: WorkerSetup) {
    this.worker = new Worker(workerFile(), { workerData: setup, execArgv: [] });
    this.worker.unref();
    this.worker.on('message', (reply: Reply) => this.settle((p) => p.resolve(reply)));
    this.worker.on('error', (cause) => this.die('SIMULATE_WORKER', cause.message));
    this.worker.on('exit', () => this.die('SIMULATE_WORKER', 'the simulator thread ended'));
  }

  private settle(how: (pending: Pending) => void): void {
    const { pending } = this;
    this.pending = null;
    this.worker.unref();
    if (pending !== null) how(pending);
  }

  private die(code: 'SIMULATE_WORKER' | 'SIMULATE_DEADLINE', message: string): void {
    this.isDead = true;
    this.settle((p) => p.reject(new SimulateError(code, message)));
  }

  /** Waits for a reply; kills the thread at the deadline. */
  async exchange(request: Request | null, deadlineMs: number): Promise<Reply> {
    const late = `no answer within ${deadlineMs} ms`;
    let parts = 0;
    const timer = setInterval(() => {
      parts += 1;
      if (parts < DEADLINE_PARTS) return;
      this.die('SIMULATE_DEADLINE', late);
      void this.worker.terminate();
    }, deadlineMs / DEADLINE_PARTS);
    try {
      return await new Promise<Reply>((resolve, reject) => {
        this.pending = { resolve, reject };
        this.worker.ref();
        if (request !== null) this.worker.postMessage(request);
      });
    } finally {
      clearInterval(timer);
    }
  }

  async close(): Promise<void> {
    this.isDead = true;
    await this.worker.terminate();
  }
}

export interface WorkerOptions {
  /** Longest time for one batch of decisions. */
  readonly deadlineMs: number;
  /** File of libwasmtime; null: V8 runs the policies. */
  readonly wasmtime: string | null;
}

export interface WorkerEngine extends AsyncDisposable {
  /** As Engine.decide; a connection whose decision never ends counts as a trap of no policy. */
  readonly decide: (connections: Uint8Array, ask: Ask) => Promise<EngineAnswer>;
}

function raise(reply: Reply): Extract<Reply, { kind: 'answer' | 'ready' }> {
  if (reply.kind !== 'fault') return reply;
  if (reply.code === 'BUG') throw new BugError(reply.message);
  throw new SimulateError(
    reply.code === 'SIMULATE_MODULE' ? 'SIMULATE_MODULE' : 'SIMULATE_WORKER',
    reply.message,
  );
}

/** What stands for a decision that was cut off at the deadline. */
function cutOff(setup: EngineSetup, ask: Ask, deadlineMs: number): EngineAnswer {
  const records = new Uint8Array(RECORD.size);
  const view = new DataView(records.buffer);
  const { route, authorize } = ASKED[ask];
  if (route !== null) view.setUint32(RECORD.route, ROUTE_STOPPED.trap, true);
  if (authorize !== null) {
    const marks = { audited: 0n, shadowAllow: 0n, shadowDeny: 0n };
    const verdict = setup.manifest.failure.trap;
    writeDecision(view, 0, { verdict, site: 0, policy: NO_POLICY, reason: 'trap', ...marks });
  }
  const stop: Stop = {
    index: 0,
    policy: '',
    export: authorize ?? route ?? 'authorizeConnection',
    message: `deadline of ${deadlineMs} ms exceeded`,
  };
  return { records, stops: [stop] };
}

/**
 * Starts the engine in a worker thread. Rejects with SimulateError SIMULATE_MODULE where a policy
 * does not start.
 */
export async function startWorkerEngine(
  setup: EngineSetup,
  { deadlineMs, wasmtime }: WorkerOptions,
): Promise<WorkerEngine> {
  const open = async (): Promise<Thread> => {
    const started = new Thread({ setup, wasmtime });
    try {
      raise(await started.exchange(null, START_DEADLINE_MS));
      return started;
    } catch (error) {
      await started.close();
      throw error;
    }
  };
  let thread = await open();
  let queue: Promise<unknown> = Promise.resolve();

  /** Decides a chunk; where it is cut off, halves it until the connection at fault stands alone. */
  const decideChunk = async (connections: Uint8Array, ask: Ask): Promise<EngineAnswer> => {
    if (thread.isDead) thread = await open();
    try {
      const reply = raise(await thread.exchange({ connections, ask }, deadlineMs));
      if (reply.kind !== 'answer') throw new BugError('the simulator thread answered out of turn');
      return reply;
    } catch (error) {
      if (!(error instanceof SimulateError) || error.code !== 'SIMULATE_DEADLINE') throw error;
      const count = connections.byteLength / ASKED[ask].size;
      if (count <= 1) return cutOff(setup, ask, deadlineMs);
      return decideParts(connections, ask, Math.ceil(count / 2));
    }
  };

  const decideParts = async (
    connections: Uint8Array,
    ask: Ask,
    size: number,
  ): Promise<EngineAnswer> => {
    const { size: bytes } = ASKED[ask];
    const count = connections.byteLength / bytes;
    const records = new Uint8Array(count * RECORD.size);
    const stops: Stop[] = [];
    for (let first = 0; first < count; first += size) {
      const part = connections.slice(first * bytes, (first + size) * bytes);
      const answer = await decideChunk(part, ask);
      records.set(answer.records, first * RECORD.size);
      for (const stop of answer.stops) {
        if (stops.length < MAX_STOPS) stops.push({ ...stop, index: stop.index + first });
      }
    }
    return { records, stops };
  };

  return {
    decide: (connections, ask) => {
      const chunk = Math.ceil((CHUNK * CONNECTION.size) / ASKED[ask].size);
      const done = queue.then(() => decideParts(connections, ask, chunk));
      queue = done.catch(() => undefined);
      return done;
    },
    [Symbol.asyncDispose]: () => thread.close(),
  };
}
