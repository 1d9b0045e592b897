/**
 * Open connections, judged again by the generation that decides now: those that it refuses are ended,
 * unless its bundle says `onChange: "keep"`. Asked are that generation's own programs (bpf/open.h), so
 * no bundle and no world is in memory, and any process can do it, also one that starts after another
 * died on it: what was done is noted in the state document, and what was not is done again.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  isKernelError,
  type Kernel,
  type KernelMap,
  type KernelProgram,
  type NetworkNamespace,
  type SocketName,
} from '../kernel/index.js';
import { readActive } from './active.js';
import { enrolledIds } from './enrol.js';
import { decodeOpen, encodeU32, encodeU64, LAYOUT } from './layout.js';
import { openNode } from './node.js';
import { OPEN_PROGRAM, WALKED_MAP } from './open-program.js';
import { Owned } from './owned.js';
import { type Paths, pinsOf } from './paths.js';
import { readState, type State, writeState } from './state.js';

/** What became of the open connections of a change. */
export interface JudgedConnections {
  readonly generation: number;
  /** Those that were refused and ended, and those that live on. */
  readonly judged: number;
  readonly ended: number;
  readonly kept: number;
  /** Why that may not be all; null where it is. */
  readonly problem: string | null;
}

/**
 * A connection whose socket was on its way into the kernel's tables, or stood where others left the
 * table, is met by a later pass: so there are two at least, and more while there is something to end.
 */
const PASSES = 5;

interface Pass {
  readonly allowed: number;
  readonly ended: number;
  readonly undecided: number;
  /** Why the walk over a namespace broke off. */
  readonly fault: string | null;
}

const NOTHING: Pass = { allowed: 0, ended: 0, undecided: 0, fault: null };

function sum(a: Pass, b: Pass): Pass {
  return {
    allowed: a.allowed + b.allowed,
    ended: a.ended + b.ended,
    undecided: a.undecided + b.undecided,
    fault: a.fault ?? b.fault,
  };
}

/** Ends what was refused among these records. Throws KernelError where this kernel ends nothing. */
function takeRecords(kernel: Kernel, namespace: NetworkNamespace, records: Uint8Array): Pass {
  const { size } = LAYOUT.weft_open;
  const refused: SocketName[] = [];
  let [allowed, undecided] = [0, 0];
  for (let at = 0; at + size <= records.length; at += size) {
    const { verdict, ...name } = decodeOpen(records.subarray(at, at + size));
    if (verdict === 'allow') allowed += 1;
    else if (verdict === null) undecided += 1;
    else refused.push(name);
  }
  // One socket of the namespace ends them all: another one for each would take as long as the ending.
  return { allowed, ended: kernel.destroySockets(namespace, refused), undecided, fault: null };
}

async function walk(
  kernel: Kernel,
  program: KernelProgram,
  namespace: NetworkNamespace,
): Promise<Pass> {
  let pass = NOTHING;
  try {
    using sockets = kernel.walkSockets(program, namespace);
    for (let records = sockets.read(); records !== null; records = sockets.read()) {
      pass = sum(pass, takeRecords(kernel, namespace, records));
      // Whoever else lives in this process has its turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
    return pass;
  } catch (error) {
    if (!isKernelError(error)) throw error;
    return sum(pass, { ...NOTHING, fault: error.message });
  }
}

interface Walked {
  readonly id: bigint;
  readonly path: string;
}

/** Enrolled cgroups in sets of which none has one below another: a connection is judged for each. */
function layers(paths: Paths): readonly (readonly Walked[])[] {
  const known = new Map(readState(paths).enrolled.map((e) => [e.cgroupId, e.cgroup]));
  const sets = new Map<number, Walked[]>();
  for (const id of enrolledIds(paths)) {
    const path = known.get(id) ?? '';
    const above = [...known.values()].filter((other) => path.startsWith(`${other}/`)).length;
    sets.set(above, [...(sets.get(above) ?? []), { id: BigInt(id), path }]);
  }
  return [...sets.values()];
}

/** Asks about one set of cgroups in all namespaces, until nothing is left to end. */
async function judgeSet(
  kernel: Kernel,
  { program, walked }: { readonly program: KernelProgram; readonly walked: KernelMap },
  cgroups: readonly Walked[],
): Promise<Pass & { readonly unseen: number }> {
  for (const key of walked.keys()) walked.delete(key);
  walked.updateBatch(cgroups.map(({ id }) => [encodeU64(id), encodeU32(1)] as const));
  let [ended, unseen] = [0, 0];
  let last = NOTHING;
  for (let turn = 1; turn <= PASSES; turn += 1) {
    using owned = new Owned();
    const namespaces = kernel.namespaces(cgroups.map(({ path }) => path));
    unseen = namespaces.unseen;
    last = NOTHING;
    for (const namespace of namespaces.found) owned.add(namespace);
    for (const namespace of namespaces.found)
      last = sum(last, await walk(kernel, program, namespace));
    ended += last.ended;
    if (last.fault !== null || (turn > 1 && last.ended + last.undecided === 0)) break;
  }
  return { ...last, ended, unseen };
}

function problemOf({
  fault,
  unseen,
  undecided,
}: Pass & { readonly unseen: number }): string | null {
  if (fault !== null) return fault;
  if (undecided > 0) return `for ${undecided} of them there was no room to decide`;
  return unseen === 0 ? null : `${unseen} processes could not be looked into for theirs`;
}

async function judgeAll(
  kernel: Kernel,
  paths: Paths,
  generation: number,
): Promise<JudgedConnections> {
  const folder = pinsOf.generation(paths, generation);
  let [ended, kept] = [0, 0];
  let problem: string | null = null;
  if (!existsSync(join(folder, 'programs', OPEN_PROGRAM))) {
    problem = 'the generation was loaded by a version that could not';
    return { generation, judged: 0, ended, kept, problem };
  }
  using owned = new Owned();
  const program = owned.add(kernel.openProgram(join(folder, 'programs', OPEN_PROGRAM)));
  const walked = owned.add(kernel.openMap(join(folder, 'maps', WALKED_MAP)));
  for (const cgroups of layers(paths)) {
    const set = await judgeSet(kernel, { program, walked }, cgroups);
    ended += set.ended;
    kept += set.allowed + set.undecided;
    problem ??= problemOf(set);
  }
  return { generation, judged: ended + kept, ended, kept, problem };
}

/** The generation whose connections are to be judged: it is active, asks for it, and it is not done. */
function dueGeneration(kernel: Kernel, paths: Paths, state: State): number | null {
  using node = openNode(kernel, paths);
  const active = readActive(node.map('weft_active'));
  const record = state.generations.find((g) => g.generation === active);
  if (record === undefined || (record.manifest.onChange ?? 'close') === 'keep') return null;
  const { open } = state;
  return open?.generation === active && open.problem === null ? null : active;
}

/**
 * Judges what is open, where that is due; call it under `withLock`, behind an activation and wherever one
 * may have died behind it. Null where it was not due. Throws KernelError, AgentError.
 */
export async function judgeOpen(kernel: Kernel, paths: Paths): Promise<JudgedConnections | null> {
  const generation = dueGeneration(kernel, paths, readState(paths));
  if (generation === null) return null;
  const open = await judgeAll(kernel, paths, generation).catch((error: unknown) => {
    if (!isKernelError(error)) throw error;
    return { generation, judged: 0, ended: 0, kept: 0, problem: error.message };
  });
  writeState(paths, { ...readState(paths), open });
  return open;
}
