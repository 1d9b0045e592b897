/**
 * What this control plane has heard of its nodes, on its way into the store. A change that rollouts wait
 * for (a node came, took a bundle, refused one) is written at once; counters are, now and then. Many
 * nodes go into one commit.
 */
import type { NodeReport } from '../rollout/index.js';
import { MAX_COMMIT_BYTES, type Store } from '../store/index.js';
import type { NodeSelf } from './read-node.js';
import { readReport } from './read-report.js';
import type { Told } from './stream-machine.js';
import {
  type Clock,
  fromBinary,
  MAX_REFUSAL_CHARS,
  RefusedSchema,
  type Status,
} from './wire/index.js';

/** Changes that come together are written together, in milliseconds. */
const GATHER_MS = 100;
/**
 * So often at most a report is written that changes nothing but counts. Reports come 5 to 10 s apart: were some of
 * them left out, what the store knows of a node would be up to 20 s old, most of what the gate of silence allows.
 */
export const WRITE_MS = 4_000;
/** Nodes in a commit; etcd takes 128 changes. */
const BATCH = 100;

export type Refusal = NonNullable<NodeReport['refused']>;

export interface NodeRegistry {
  /** A node has a stream here; answers with how to say that the stream is gone. */
  joined(node: NodeSelf): () => void;
  told(node: NodeSelf, told: readonly Told[]): void;
  /** Takes what a node says of itself. False where it is no report. */
  reported(node: string, text: string): boolean;
  /** Nodes with a stream here. */
  readonly connected: number;
  close(): Promise<void>;
}

export interface RegistryOptions {
  readonly store: Store;
  /** This control plane's name. */
  readonly control: string;
  readonly clock: Clock;
  readonly onFault: (error: unknown) => void;
}

interface Known {
  report: NodeReport | null;
  refused: Refusal | null;
  labels: Readonly<Record<string, string>>;
  streams: number;
  written: number;
  isDirty: boolean;
}

/** Why a node refused, out of the status that it sent. */
export function readRefusal(status: Status, time: number): Refusal {
  const detail = status.details.find((d) => d.typeUrl.endsWith('/weft.control.v1.Refused'));
  const cut = (text: string): string => text.slice(0, MAX_REFUSAL_CHARS);
  try {
    if (detail !== undefined) {
      const { digest, code, message, place } = fromBinary(RefusedSchema, detail.value);
      return {
        ...{ digest: cut(digest), code: cut(code), message: cut(message), time },
        place: place === '' ? null : cut(place),
      };
    }
  } catch {
    // What says no more than its text is a refusal all the same.
  }
  return { digest: '', code: '', message: cut(status.message), place: null, time };
}

/** What of a report rollouts wait for. */
function gist({ active, refused, shadow, drift, labels, control }: NodeReport): string {
  return JSON.stringify([active, refused, shadow?.digest, drift, labels, control]);
}

/** Opens one over a store. */
export function openNodeRegistry({
  store,
  control,
  clock,
  onFault,
}: RegistryOptions): NodeRegistry {
  const nodes = new Map<string, Known>();
  let turn: Promise<void> = Promise.resolve();
  let leaveGather: (() => void) | null = null;

  function known(name: string): Known {
    const found = nodes.get(name);
    if (found !== undefined) return found;
    const made = {
      report: null,
      refused: null,
      labels: {},
      streams: 0,
      written: 0,
      isDirty: false,
    };
    nodes.set(name, made);
    return made;
  }

  function mark(node: Known): void {
    node.isDirty = true;
    leaveGather ??= clock.after(GATHER_MS, () => {
      leaveGather = null;
      turn = turn.then(flush);
    });
  }

  async function flush(): Promise<void> {
    const dirty = [...nodes].filter(([, node]) => node.isDirty && node.report !== null);
    let writes: { key: string; value: Uint8Array }[] = [];
    let bytes = 0;
    const commit = async (): Promise<void> => {
      if (writes.length === 0) return;
      await store.commit([], writes);
      writes = [];
      bytes = 0;
    };
    try {
      for (const [name, node] of dirty) {
        const value = new TextEncoder().encode(JSON.stringify(node.report));
        if (writes.length === BATCH || bytes + value.length > MAX_COMMIT_BYTES) await commit();
        node.isDirty = false;
        node.written = clock.now();
        bytes += value.length;
        writes.push({ key: `nodes/${name}`, value });
      }
      await commit();
    } catch (error) {
      onFault(error);
      for (const [, node] of dirty) mark(node);
    }
  }

  function put(node: Known, next: NodeReport): void {
    const before = node.report;
    node.report = next;
    const isNew = before === null || gist(before) !== gist(next);
    if (isNew || clock.now() - node.written >= WRITE_MS) mark(node);
  }

  return {
    get connected() {
      return [...nodes.values()].filter(({ streams }) => streams > 0).length;
    },
    joined(self) {
      const node = known(self.node);
      node.streams += 1;
      node.labels = self.labels;
      return () => {
        node.streams -= 1;
        // What it said last stays in the store; here it is forgotten until it comes back.
        if (node.streams === 0 && !node.isDirty) nodes.delete(self.node);
      };
    },
    told(self, told) {
      const node = known(self.node);
      for (const { refused } of told) {
        node.refused = refused === null ? null : readRefusal(refused, clock.now());
      }
      // What answers is heard.
      const { refused } = node;
      if (node.report !== null) put(node, { ...node.report, refused, heard: clock.now() });
    },
    reported(name, text) {
      const said = readReport(text);
      if (said === null) return false;
      const node = known(name);
      const heard = { node: name, labels: node.labels, control, heard: clock.now() };
      put(node, { ...said, ...heard, refused: node.refused });
      return true;
    },
    async close() {
      leaveGather?.();
      await turn.then(flush);
    },
  };
}
