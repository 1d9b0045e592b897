/**
 * The agent's part in exchanges: doors for clients that the kernel hands over, pools of connections
 * for those that it redirects. Starts from nothing: whoever was in a dead agent's hands is ended.
 */
import type { Framing, HeadParser } from '../http/index.js';
import {
  isKernelError,
  type Kernel,
  type KernelMap,
  type NetworkNamespace,
} from '../kernel/index.js';
import { ByteQueue } from './byte-queue.js';
import type { DescriptorStore } from './descriptor-store.js';
import { drain, type TakenDoors } from './drain.js';
import { Endings } from './endings.js';
import { giveDoors, type Predecessor, type Successor } from './hand-over.js';
import { inheritUpstreams, type LeaseOwner, otherOwners } from './inherit.js';
import { type ClientId, DOORS, type PoolKey } from './layout.js';
import { LeaseKeeper } from './lease-keeper.js';
import { keepLooking } from './looking.js';
import { type NodeWords, openNodeWords } from './node-words.js';
import { leaveOtherHooks } from './own-hooks.js';
import { closePairs, openPairs, type Pair } from './pair.js';
import { Pools } from './pools.js';
import { type Door, type Session, type SessionWorld, startSession } from './session.js';
import type { Upstream } from './upstream.js';
import { LONGEST_WAKE_MS, WAKE_MS, Waker } from './waker.js';

const SWEEP_MS = 1000;

export interface ForwardOptions {
  readonly kernel: Kernel;
  /** The built object bpf/agent.bpf.c. */
  readonly object: Uint8Array;
  /** A map of the node; throws where it has none of that name. */
  readonly map: (name: string) => KernelMap;
  /** Directory of the cgroup in which this process makes its sockets. */
  readonly ownCgroup: string;
  /** Where pooled connections outlive this process. */
  readonly store: DescriptorStore;
  /** The agent that hands over to this one; absent: nobody does. */
  readonly predecessor?: Predecessor | undefined;
  readonly framing: Framing;
  readonly parser: HeadParser;
  /** Directory of an enrolled cgroup; null where it is not known. */
  readonly cgroupPath: (id: bigint) => string | null;
  /** True while the active generation sends somebody there. */
  readonly isWanted: (key: PoolKey) => boolean;
  readonly judge: SessionWorld['judge'];
  readonly unavailable: (isHead: boolean) => Uint8Array;
  readonly unreadable: SessionWorld['unreadable'];
  /** A fault of ours, in one exchange; the others go on. */
  readonly onFault: (error: unknown) => void;
}

export interface Forward {
  /** Clients in the agent's hands, and replies that it forwards. */
  readonly sessions: number;
  readonly replies: number;
  /** For how long the oldest request waits for its verdict, in milliseconds; 0 where none does. */
  readonly longestVerdict: number;
  /** Why the last connection could not be begun, where that is the agent's own fault and none has been since. */
  readonly unable: string | null;
  /** Before a successor is started: the numbers of the pooled connections, to which no other is added. */
  freeze(): ReadonlyMap<number, number>;
  /** It was not started: all goes on as before. */
  thaw(): void;
  /** Leaves these pooled connections to the successor that has copies; which those are. */
  leavePools(copied: ReadonlySet<number>): readonly number[];
  /** Leaves the doors to it, one by one; resolves once nothing is under way here. */
  leaveDoors(successor: Successor): Promise<void>;
  /** Takes no more work; resolves true once all that was under way has ended, false after the time. */
  drain(milliseconds: number): Promise<boolean>;
  close(): void;
}

function namespaceOf(
  options: Pick<ForwardOptions, 'kernel' | 'cgroupPath'>,
  cgroup: bigint,
  inode: bigint,
): NetworkNamespace {
  const path = options.cgroupPath(cgroup);
  if (path === null) throw new RangeError(`no enrolled cgroup ${cgroup}`);
  return options.kernel.namespaceOfCgroup(path, inode);
}

/** Ends a client's connection; reports what hinders it. */
function destroyer(
  options: ForwardOptions,
  words: NodeWords,
): (client: ClientId, cgroup: bigint) => void {
  const isGone = (client: ClientId): boolean => {
    try {
      return words.probe(client) === null;
    } catch {
      return false;
    }
  };
  return (client, cgroup) => {
    try {
      const probe = words.probe(client);
      if (probe === null) return;
      using inside = namespaceOf(options, cgroup, probe.namespace);
      words.destroy(inside, client.cookie, probe.local, probe.remote);
    } catch (error) {
      // Its last process has gone meanwhile, and the socket with it.
      if (!isGone(client)) options.onFault(error);
    }
  };
}

function finisher(
  options: ForwardOptions,
  words: NodeWords,
): (client: ClientId, cgroup: bigint) => boolean {
  return (client, cgroup) => {
    const path = options.cgroupPath(cgroup);
    const probe = words.probe(client);
    // Of a client that is gone nothing is left to end.
    if (path === null || probe === null || probe.inode === 0n) return probe === null;
    return options.kernel.shutSocket(path, { inode: probe.inode, cookie: client.cookie });
  };
}

function pusher(
  { kernel, cgroupPath }: ForwardOptions,
  words: NodeWords,
): (client: ClientId, cgroup: bigint) => void {
  return (client, cgroup) => {
    const probe = words.probe(client);
    const path = probe === null || probe.unsent === 0 ? null : cgroupPath(cgroup);
    if (probe === null || path === null || probe.inode === 0n) return;
    kernel.pushSocket(path, { inode: probe.inode, cookie: client.cookie });
  };
}

function wakerOf(
  options: ForwardOptions,
  words: NodeWords,
): (client: ClientId, cgroup: bigint) => void {
  return (client, cgroup) => {
    const path = options.cgroupPath(cgroup);
    const inode = words.probe(client)?.inode ?? 0n;
    if (path !== null && inode !== 0n) {
      options.kernel.wakeSender(path, { inode, cookie: client.cookie });
    }
  };
}

/** Errors that say that this process cannot open connections, whoever asks: rights, and descriptors. */
const INABILITIES: ReadonlySet<string> = new Set([
  'KERNEL_EPERM',
  'KERNEL_EMFILE',
  'KERNEL_ENFILE',
]);

function describeInability(error: unknown): string | null {
  return isKernelError(error) && INABILITIES.has(error.code) ? error.message : null;
}

/** Starts it. Rejects with KernelError or VerifierError; then nothing is left. */
export async function startForward(options: ForwardOptions): Promise<Forward> {
  const { kernel, object, map, ownCgroup, store } = options;
  const words = openNodeWords(kernel, object, map, { cgroup: ownCgroup, store });
  const pairs: Pair[] = [];
  const destroy = destroyer(options, words);
  try {
    pairs.push(...(await openPairs(kernel, DOORS + 1)));
    const given = (await options.predecessor?.ready()) ?? null;
    const inherited = inheritUpstreams(words, store, given);
    leaveOtherHooks(store, inherited.length > 0 || given !== null);
    const kept = new Set(inherited.flatMap(({ index }) => index ?? []));
    const others = given === null ? [] : otherOwners(words, kept);
    // Where nobody hands over, whoever had it is dead.
    if (given === null) for (const { client, cgroup } of words.reset(kept)) destroy(client, cgroup);
    const predecessor = given === null ? null : (options.predecessor ?? null);
    return run(options, words, { pairs, inherited, others, predecessor }, destroy);
  } catch (error) {
    closePairs(pairs);
    words[Symbol.dispose]();
    throw error;
  }
}

interface Estate {
  readonly pairs: readonly Pair[];
  readonly inherited: readonly Upstream[];
  readonly others: readonly LeaseOwner[];
  /** Who hands doors over; null: all are ours at once. */
  readonly predecessor: Predecessor | null;
}

/** Lets clients into each door that the agent before gives away. */
async function takeDoors(
  words: NodeWords,
  doors: readonly Pair[],
  predecessor: Predecessor,
): Promise<void> {
  for (;;) {
    const given = await predecessor.doors();
    if (given === null) return;
    const near = given.flatMap((index) => {
      const pair = doors[index];
      return pair === undefined ? [] : ([[index, pair.near]] as const);
    });
    words.takeDoors(new Map(near));
  }
}

function run(
  options: ForwardOptions,
  words: NodeWords,
  { pairs, inherited, others, predecessor }: Estate,
  destroy: (client: ClientId, cgroup: bigint) => void,
): Forward {
  const [voice, ...doors] = pairs;
  if (voice === undefined) throw new RangeError('no pairs');
  // What no client took comes out here.
  voice.far.resume();
  words.addAgent(voice.near);
  const sessions = new Map<number, Session>();
  let closed = false;
  let isLeaving = false;
  let unable: string | null = null;
  const verdicts = new Set<number>();
  const taken: TakenDoors = new Set();
  const pools = new Pools({
    ...{ words, inherited, others, store: options.store },
    namespaceOf: (cgroup, inode) => namespaceOf(options, cgroup, inode),
    onActivity: (upstream) => keeper.onActivity(upstream),
    onOpened: (error) => {
      unable = error === null ? null : (describeInability(error) ?? unable);
    },
  });
  const agent = voice.near.fd;
  const { framing, parser, unavailable, unreadable } = options;
  const judge: SessionWorld['judge'] = async (asked) => {
    // Two may come at once: the set takes each time but once.
    let since = performance.now();
    while (verdicts.has(since)) since += 1e-3;
    verdicts.add(since);
    try {
      return await options.judge(asked);
    } finally {
      verdicts.delete(since);
    }
  };
  const finish = finisher(options, words);
  const push = pusher(options, words);
  const fault = (error: unknown): void => {
    if (closed) return;
    options.onFault(error);
    try {
      words.step({ step: 'fault' });
    } catch (another) {
      options.onFault(another);
    }
  };
  const world: SessionWorld = {
    ...{ words, pools, agent, framing, parser, judge, unavailable, unreadable },
    ...{ push, finish, destroy, fault, isClosed: () => closed },
  };
  const keeper = new LeaseKeeper(world);
  const endings = new Endings(words, world, options.onFault);
  const serve = (door: Door): void => {
    if (closed || sessions.has(door.index) || door.queue.bytes.length === 0) return;
    let session: Session;
    try {
      session = startSession(world, door);
    } catch (error) {
      fault(error); // tried again at the next look
      return;
    }
    sessions.set(door.index, session);
    void session.done.finally(() => {
      sessions.delete(door.index);
      serve(door);
    });
  };
  const underway = (): number => sessions.size + keeper.active;
  const served = doors.map(({ far }, index): Door => ({ index, queue: new ByteQueue(far) }));
  for (const door of served) door.queue.onActivity = () => serve(door);
  if (predecessor === null) words.openDoors(doors.map(({ near }) => near));
  else {
    void takeDoors(words, doors, predecessor).catch(options.onFault);
  }
  const sweep = setInterval(() => {
    try {
      for (const session of sessions.values()) session.look();
      for (const door of served) serve(door);
      keeper.sweep();
      if (!isLeaving) pools.sweep(options.isWanted);
    } catch (error) {
      options.onFault(error);
    }
  }, SWEEP_MS);
  const waker = new Waker({ words, pools, sessions, wake: wakerOf(options, words) });
  const waking = keepLooking({
    look: () => waker.look(),
    ...{ shortestMs: WAKE_MS, longestMs: LONGEST_WAKE_MS, onFault: options.onFault },
  });
  return {
    get sessions(): number {
      return sessions.size;
    },
    get replies(): number {
      return keeper.active;
    },
    get longestVerdict(): number {
      const [oldest] = verdicts;
      return oldest === undefined ? 0 : performance.now() - oldest;
    },
    get unable(): string | null {
      return unable;
    },
    freeze: () => {
      pools.freeze(true);
      return new Map([...pools.members()].map(({ index, fd }) => [index ?? 0, fd]));
    },
    thaw: () => pools.freeze(false),
    leavePools: (copied) => {
      endings.close();
      isLeaving = true;
      return pools.leave(copied);
    },
    leaveDoors: (successor) =>
      giveDoors({ words, taken, isClosed: () => closed, underway }, successor),
    drain: (milliseconds) =>
      drain({ words, pools, isClosed: () => closed, underway }, taken, milliseconds),
    close: () => {
      closed = true;
      clearInterval(sweep);
      endings.close();
      waking.close();
      if (!isLeaving) words.closeDoors();
      for (const { handover, abort } of sessions.values()) {
        destroy(handover.client, handover.cgroup);
        abort();
      }
      pools.close();
      closePairs(pairs);
      words[Symbol.dispose]();
    },
  };
}
