/** Verdicts on their way out, a few at a time; what does not fit is counted and never waits. */
import { type Clock, create, EventsSchema } from '../control/wire/index.js';
import type { Session } from './session.js';

/** Verdicts that come together go together, in milliseconds. */
const GATHER_MS = 100;
/** Between two messages; more are lost, and counted. */
export const MAX_BATCH = 256;

export interface EventBatch {
  take(record: string): void;
  close(): void;
}

/** Sends to `session` what it is given. */
export function createEventBatch(clock: Clock, session: Session): EventBatch {
  let records: string[] = [];
  let lost = 0;
  let leave: (() => void) | null = null;
  const flush = (): void => {
    leave = null;
    const value = create(EventsSchema, { records, lost });
    if (session.tell({ case: 'events', value })) lost = 0;
    else lost += records.length;
    records = [];
  };
  return {
    take(record) {
      if (records.length >= MAX_BATCH) lost += 1;
      else records.push(record);
      leave ??= clock.after(GATHER_MS, flush);
    },
    close: () => leave?.(),
  };
}
