/**
 * A control plane: the store's rollouts as resources for nodes, what nodes say into the store, and
 * operators' wishes into rollouts, over gRPC with certificates on both sides.
 */
import { Server, type ServiceDefinition } from '@grpc/grpc-js';
import { printSpiffeId, serverCredentials, type WatchedKeys } from '../spiffe/index.js';
import { type StatusPlace, serveStatus } from '../status-page/index.js';
import type { Store } from '../store/index.js';
import { createAdmit } from './admit.js';
import { ControlError } from './control-error.js';
import { createEventDesk } from './event-desk.js';
import { lead } from './lead.js';
import { openNodeRegistry } from './node-registry.js';
import { openRollouts } from './rollouts.js';
import { createSendGate } from './send-gate.js';
import { createAdmin } from './serve-admin.js';
import { createDiscovery } from './serve-discovery.js';
import { createReports } from './serve-reports.js';
import { statusSource } from './status-source.js';
import { openTargets } from './targets.js';
import {
  ADMIN_METHODS,
  type Clock,
  DISCOVERY_METHODS,
  MAX_REQUEST_BYTES,
  MAX_RESPONSE_BYTES,
  REPORT_METHODS,
} from './wire/index.js';

export interface ControlOptions {
  readonly store: Store;
  readonly keys: WatchedKeys;
  /** HOST:PORT; port 0: any that is free. */
  readonly listen: string;
  readonly clock: Clock;
  /** Where its page is served; null for none. */
  readonly page?: StatusPlace | null;
  /** With connections that say nothing: when one is asked, and how long it may take. */
  readonly patience?: { readonly askMs: number; readonly waitMs: number };
  readonly onFault: (error: unknown) => void;
  readonly onLead?: (leads: boolean) => void;
}

export interface Control {
  readonly name: string;
  readonly port: number;
  /** Of the page; null where there is none. */
  readonly page: string | null;
  /** Nodes with a stream here. */
  readonly connected: () => number;
  /** Ends streams and the lead, and writes what is left to write. The store stays open. */
  close(): Promise<void>;
}

/** Streams of one connection: a node has two, an operator some. */
const MAX_STREAMS = 32;
/** A connection without a sign of life for so long is asked, and closed when it is silent, in milliseconds. */
const KEEPALIVE_MS = 30_000;
/** The answer of a node with a slow network waits behind what it is being sent. */
const KEEPALIVE_TIMEOUT_MS = 20_000;

function bind(server: Server, listen: string, keys: WatchedKeys): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(listen, serverCredentials(keys), (error, port) => {
      if (error === null) resolve(port);
      else
        reject(new ControlError('C023', `\`${listen}\` cannot be listened on: ${error.message}`));
    });
  });
}

/** Opens one. Throws C023, C024. */
export async function openControl(options: ControlOptions): Promise<Control> {
  const { store, keys, clock, onFault, listen, onLead = () => {} } = options;
  const { id } = keys.current;
  if (id.kind !== 'control') {
    throw new ControlError('C024', `the certificate is of ${printSpiffeId(id)}`);
  }
  const stop = new AbortController();
  const { signal } = stop;
  const admit = createAdmit(id.trustDomain, clock);
  const targets = openTargets({ store, clock, signal, onFault });
  await targets.ready;
  const registry = openNodeRegistry({ store, control: id.name, clock, onFault });
  const gate = createSendGate(clock);
  const events = createEventDesk();
  const started = clock.now();
  const rollouts = openRollouts({ store, now: clock.now, watchedSince: () => started });
  const server = new Server({
    'grpc.max_receive_message_length': MAX_REQUEST_BYTES,
    'grpc.max_send_message_length': MAX_RESPONSE_BYTES,
    'grpc.max_concurrent_streams': MAX_STREAMS,
    'grpc.keepalive_time_ms': options.patience?.askMs ?? KEEPALIVE_MS,
    'grpc.keepalive_timeout_ms': options.patience?.waitMs ?? KEEPALIVE_TIMEOUT_MS,
    // Not without channelz: forceShutdown of grpc-js 1.14 leaves connections open that channelz does not list.
    'grpc.enable_channelz': 1,
  });
  const { view, onChange } = targets;
  const { joined, told } = registry;
  server.addService(DISCOVERY_METHODS as unknown as ServiceDefinition, {
    ...createDiscovery(id.name, admit, { clock, gate, view, onChange, joined, told }),
  });
  server.addService(REPORT_METHODS as unknown as ServiceDefinition, {
    ...createReports(admit, registry, events),
  });
  server.addService(ADMIN_METHODS as unknown as ServiceDefinition, {
    ...createAdmin({ store, clock, onFault, admit, rollouts, events }),
  });
  const port = await bind(server, listen, keys);
  const page =
    options.page == null
      ? null
      : await serveStatus(options.page, statusSource({ store, clock, events, onFault })).catch(
          (error: Error) => {
            stop.abort();
            server.forceShutdown();
            throw new ControlError('C023', `the page cannot be served: ${error.message}`);
          },
        );
  const leading = lead({ store, name: id.name, clock, signal, onError: onFault, onLead });
  return {
    name: id.name,
    port,
    page: page?.url ?? null,
    connected: () => registry.connected,
    async close() {
      stop.abort();
      // Without channelz the library knows of no sessions that it could end.
      admit.close();
      server.forceShutdown();
      await page?.[Symbol.asyncDispose]();
      await leading;
      await registry.close();
    },
  };
}
