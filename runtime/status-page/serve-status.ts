/** The read-only page of a cluster over HTTP: its files, its state, and verdicts as they come. */

import { type PageServer, type Reply, servePage } from '../page/index.js';
import type { EventRecord } from '../probe/index.js';
import type { EventFilter, Watched } from '../rollout/index.js';
import { pageState } from './page-state.js';

export interface StatusSource {
  state(): Promise<Watched>;
  events(filter: EventFilter, signal: AbortSignal): AsyncIterable<EventRecord>;
}

export interface StatusPlace {
  /** Of the built page: dist/status-page. */
  readonly folder: string;
  /** An address of this machine; loopback unless it says otherwise. Whoever reaches it can read the page. */
  readonly host?: string;
  readonly port: number;
}

/** Pages that follow verdicts at a time. */
const MAX_FOLLOWERS = 16;
/** A page is told of so many verdicts at once, and how many more there were. */
const MAX_BATCH = 20;
const BATCH_MS = 500;

/** What the page shows of a verdict. */
function shown({
  time,
  node,
  verdict,
  rule,
  source,
  destination,
  method,
  path,
}: EventRecord): object {
  const name = (party: EventRecord['source']): string => party.workload ?? party.address;
  const what = method === null ? '' : `${method} ${path ?? ''}`;
  return { ...{ time, node, verdict, rule, what }, from: name(source), to: name(destination) };
}

async function followEvents(source: StatusSource, { begin, signal }: Reply): Promise<void> {
  const out = begin(200, 'text/event-stream; charset=utf-8');
  let [batch, more]: [object[], number] = [[], 0];
  out.write(': verdicts\n\n');
  const flush = (): void => {
    if (batch.length === 0) return;
    out.write(`data: ${JSON.stringify({ events: batch, more })}\n\n`);
    [batch, more] = [[], 0];
  };
  const timer = setInterval(flush, BATCH_MS);
  try {
    for await (const event of source.events({}, signal)) {
      if (batch.length < MAX_BATCH) batch.push(shown(event));
      else more += 1;
    }
  } finally {
    clearInterval(timer);
    flush();
    out.end();
  }
}

/** Serves it. Rejects with the system's error where the port cannot be had. */
export function serveStatus(
  { folder, host, port }: StatusPlace,
  source: StatusSource,
): Promise<PageServer> {
  let followers = 0;
  return servePage({
    ...{ folder, port },
    ...(host === undefined ? {} : { host }),
    routes: {
      '/state.json': async ({ begin }) => {
        const text = JSON.stringify(pageState(await source.state()));
        begin(200, 'application/json').end(text);
      },
      '/events': async (reply) => {
        if (followers >= MAX_FOLLOWERS) {
          reply.begin(503, 'text/plain').end('too many pages follow verdicts\n');
          return;
        }
        followers += 1;
        try {
          await followEvents(source, reply);
        } finally {
          followers -= 1;
        }
      },
    },
  });
}
