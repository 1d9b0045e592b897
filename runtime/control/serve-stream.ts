/**
 * One discovery stream: a machine of its variant between a gRPC call and what the node is to have. Ends
 * by a status when the client breaks the protocol, when its certificate does, or when it does not read.
 */
import { status } from '@grpc/grpc-js';
import type { Peer } from '../spiffe/index.js';
import { type NodeSelf, readNode } from './read-node.js';
import type { View } from './resource.js';
import type { SendGate } from './send-gate.js';
import { StreamFault, type StreamMachine, type Told } from './stream-machine.js';
import type { Clock, Node } from './wire/index.js';

/** A message that nobody has read after so long ends its stream, in milliseconds; a large one has longer. */
export const UNREAD_MS = 60_000;
/** Whoever reads slower than this, in bytes a millisecond, is as good as silent. */
export const SLOWEST_BYTES = 8;

/** A call as the library hands it over, as far as it is used here. */
export interface StreamCall<Request, Response> {
  on(event: 'data', listener: (request: Request) => void): unknown;
  on(event: 'end' | 'close' | 'cancelled', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  write(response: Response, callback: (error?: Error | null) => void): boolean;
  end(): unknown;
  emit(event: 'error', error: { readonly code: status; readonly details: string }): boolean;
}

export interface StreamWorld {
  readonly clock: Clock;
  readonly gate: SendGate;
  view(node: NodeSelf): View;
  onChange(listener: () => void): () => void;
  /** A node is there; answers with how to say that it is gone. */
  joined(node: NodeSelf): () => void;
  told(node: NodeSelf, told: readonly Told[]): void;
}

export interface Variant<Request, Response> {
  readonly machine: StreamMachine<Request, Response>;
  nodeOf(request: Request): Node | undefined;
  sizeOf(response: Response): number;
}

/** Serves one stream of a peer that was let in. */
export function serveStream<Request, Response>(
  call: StreamCall<Request, Response>,
  peer: Peer,
  { machine, nodeOf, sizeOf }: Variant<Request, Response>,
  world: StreamWorld,
): void {
  const { clock, gate } = world;
  let node: NodeSelf | null = null;
  let isOpen = true;
  let isBusy = false;
  let isAsked = false;
  const endings: (() => void)[] = [];

  function close(): void {
    if (!isOpen) return;
    isOpen = false;
    for (const ending of endings) ending();
  }

  function fail(code: status, details: string): void {
    if (!isOpen) return;
    close();
    call.emit('error', { code, details });
  }

  async function send(response: Response): Promise<void> {
    const size = sizeOf(response);
    const leave = await gate.enter(size);
    if (!isOpen) return leave();
    const unread = clock.after(UNREAD_MS + size / SLOWEST_BYTES, () =>
      fail(status.DEADLINE_EXCEEDED, 'the message before was not read'),
    );
    await new Promise<void>((resolve) => {
      endings.push(resolve);
      call.write(response, () => resolve());
    });
    endings.pop();
    unread();
    leave();
  }

  async function pump(): Promise<void> {
    isAsked = true;
    if (isBusy) return;
    isBusy = true;
    while (isAsked && isOpen && node !== null) {
      isAsked = false;
      const response = machine.next(world.view(node));
      if (response === null) continue;
      await send(response);
      isAsked = true;
    }
    isBusy = false;
  }

  function enter(request: Request): NodeSelf {
    const self = readNode(nodeOf(request), peer);
    endings.push(
      world.joined(self),
      world.onChange(() => void pump()),
    );
    return self;
  }

  call.on('data', (request) => {
    if (!isOpen) return;
    try {
      node ??= enter(request);
      const told = machine.receive(request);
      if (told.length > 0) world.told(node, told);
    } catch (error) {
      if (!(error instanceof StreamFault)) throw error;
      return fail(status.INVALID_ARGUMENT, error.message);
    }
    void pump();
  });
  call.on('end', () => {
    close();
    call.end();
  });
  call.on('close', close);
  call.on('cancelled', close);
  call.on('error', close);
}
