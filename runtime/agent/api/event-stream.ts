/**
 * Events for one caller, a line each. A caller that reads slowly loses events, never the agent's
 * memory: what finds no room is counted, and told with the next line.
 */
import type { EventRecord } from '../../probe/index.js';
import { jsonLine } from './json.js';
import type { EventFilter } from './read-call.js';

/** Bytes that wait for a caller before events are left out. */
const MAX_WAITING = 256 * 1024;

export interface LineSink {
  /** Bytes that were written and did not leave yet. */
  readonly waiting: number;
  write(line: string): void;
  end(): void;
}

function passes(filter: EventFilter, event: EventRecord): boolean {
  const { verdict, workload, rule, hook } = filter;
  return (
    (verdict === null || event.verdict === verdict) &&
    (rule === null || event.rule === rule) &&
    (hook === null || event.hook === hook) &&
    (workload === null ||
      event.source.workload === workload ||
      event.destination.workload === workload)
  );
}

/** A function that takes each event of the node; `onEnd` is called once behind the last one. */
export function eventStream(
  filter: EventFilter,
  sink: LineSink,
  onEnd: () => void,
): (event: EventRecord) => void {
  let [written, lost] = [0, 0];
  const isOver = (): boolean => filter.limit !== null && written >= filter.limit;
  return (event) => {
    if (isOver()) return;
    lost += event.lost;
    if (!passes(filter, event)) return;
    if (sink.waiting > MAX_WAITING) {
      lost += 1;
      return;
    }
    sink.write(jsonLine({ ...event, lost }));
    lost = 0;
    written += 1;
    if (!isOver()) return;
    sink.end();
    onEnd();
  };
}
