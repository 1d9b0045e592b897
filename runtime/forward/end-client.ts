/**
 * The end of a client's connection as a server makes it: behind all that the client was sent. Where
 * its socket cannot be had (docs/limits.md) it is ended by an error, once the client has read.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { ClientStream } from './client-stream.js';
import type { ClientId } from './layout.js';

/** How long a client may take to read what was its last, where the end is an error. */
const LAST_READ_MS = 5000;

export interface Ender {
  /** The client reads what it has, then the end; false where that cannot be done. */
  finish(client: ClientId, cgroup: bigint): boolean;
  /** Ends it at once, with an error. */
  destroy(client: ClientId, cgroup: bigint): void;
}

export async function endClient(ender: Ender, stream: ClientStream, cgroup: bigint): Promise<void> {
  if (!(await stream.arrived()) || ender.finish(stream.client, cgroup)) return;
  await Promise.race([stream.drained(), wait(LAST_READ_MS)]);
  ender.destroy(stream.client, cgroup);
}
