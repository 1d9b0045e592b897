/** The channel to the process that started this one, as Node's child_process gives it. */
import type { Channel } from './agent-env.js';

interface Connected {
  readonly send?: ((message: object) => boolean) | undefined;
  on(event: 'message', handler: (message: unknown) => void): unknown;
  once(event: 'disconnect', handler: () => void): unknown;
}

/** Null where the process has none. */
export function processChannel(connected: Connected): Channel | null {
  const { send } = connected;
  if (send === undefined) return null;
  return {
    send: (message) => void send.call(connected, message),
    onMessage: (handler) => void connected.on('message', handler),
    onClose: (handler) => void connected.once('disconnect', handler),
  };
}
