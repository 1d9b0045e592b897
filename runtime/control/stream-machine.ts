/**
 * One discovery stream as a machine without I/O: messages go in, what the client said of what it was
 * given comes out, and on demand the next message to it. One response at a time waits for its answer:
 * what changes meanwhile is told as of then, so a stream never holds more than one message.
 */

import type { View } from './resource.js';
import { MAX_NAME_CHARS, MAX_NAMES, NODE_BUNDLE_URL, type Status } from './wire/index.js';

/** A resource that the client took, or refused. */
export interface Told {
  readonly name: string;
  readonly version: string;
  readonly refused: Status | null;
}

export interface StreamMachine<Request, Response> {
  /** Takes a message. Throws StreamFault where the stream must end for it. */
  receive(request: Request): readonly Told[];
  /** The next message to the client, as things stand; null where there is none to send now. */
  next(view: View): Response | null;
}

/** The client broke the protocol or a limit. */
export class StreamFault extends Error {
  override readonly name = 'StreamFault';
  readonly code = 'STREAM_FAULT';
}

/** All of a type. */
export const WILDCARD = '*';

/** Throws where a message is about another type, or about more than a stream may hold. */
export function checkRequest(typeUrl: string, ...names: readonly (readonly string[])[]): void {
  if (typeUrl !== NODE_BUNDLE_URL) {
    throw new StreamFault(`resources of type \`${typeUrl.slice(0, 128)}\` are not served here`);
  }
  for (const list of names) {
    if (list.length > MAX_NAMES) throw new StreamFault(`more than ${MAX_NAMES} names`);
    if (list.some((name) => name.length > MAX_NAME_CHARS))
      throw new StreamFault('a name is too long');
  }
}
