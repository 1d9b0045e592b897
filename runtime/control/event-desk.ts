/**
 * Verdicts on their way from nodes to operators who look. Nodes send what somebody asked for and nothing
 * else; an operator who does not read loses events, which is counted, and never holds up a node.
 */
import { create, type EventFilter, EventFilterSchema, type Events } from './wire/index.js';

export interface Watcher {
  /** A node's name; empty for all. */
  readonly node: string;
  readonly filter: EventFilter;
  readonly take: (events: Events) => void;
}

export interface EventDesk {
  /** A node is there; `tell` is how it hears what to send, at once and whenever that changes. */
  join(node: string, tell: (filter: EventFilter) => void): () => void;
  take(node: string, events: Events): void;
  watch(watcher: Watcher): () => void;
}

/** What serves every watcher: their own filters, or all where they differ. */
function union(filters: readonly EventFilter[]): EventFilter {
  const [first] = filters;
  if (first === undefined) return create(EventFilterSchema, { wanted: false });
  const same = (read: (filter: EventFilter) => string): string =>
    filters.every((f) => read(f) === read(first)) ? read(first) : '';
  const verdict = same((f) => f.verdict);
  return create(EventFilterSchema, { wanted: true, verdict, workload: same((f) => f.workload) });
}

/** True where a record is what the filter asks for; what is no record of ours is not. */
function passes(record: string, { verdict, workload }: EventFilter): boolean {
  if (verdict === '' && workload === '') return true;
  try {
    const event: {
      verdict?: unknown;
      source?: { workload?: unknown };
      destination?: { workload?: unknown };
    } = JSON.parse(record);
    if (verdict !== '' && event.verdict !== verdict) return false;
    return (
      workload === '' || [event.source?.workload, event.destination?.workload].includes(workload)
    );
  } catch {
    return false;
  }
}

/** A desk without nodes. */
export function createEventDesk(): EventDesk {
  const nodes = new Map<string, Set<(filter: EventFilter) => void>>();
  const watchers = new Set<Watcher>();
  const watching = (node: string): readonly Watcher[] =>
    [...watchers].filter((w) => w.node === '' || w.node === node);

  function tell(node: string): void {
    const filter = union(watching(node).map((w) => w.filter));
    for (const told of nodes.get(node) ?? []) told(filter);
  }

  function tellAll(watcher: Watcher): void {
    for (const node of watcher.node === '' ? nodes.keys() : [watcher.node]) tell(node);
  }

  return {
    join(node, told) {
      const all = nodes.get(node) ?? new Set();
      nodes.set(node, all.add(told));
      told(union(watching(node).map((w) => w.filter)));
      return () => {
        all.delete(told);
        if (all.size === 0 && nodes.get(node) === all) nodes.delete(node);
      };
    },
    take(node, events) {
      for (const { filter, take } of watching(node)) {
        const records = events.records.filter((record) => passes(record, filter));
        if (records.length > 0 || events.lost > 0) take({ ...events, records });
      }
    },
    watch(watcher) {
      watchers.add(watcher);
      tellAll(watcher);
      return () => {
        watchers.delete(watcher);
        tellAll(watcher);
      };
    },
  };
}
