/** What nodes tell of themselves: one stream a node, reports in, wishes (how often, which events) out. */
import { Metadata, type ServerDuplexStream, status } from '@grpc/grpc-js';
import type { Admit } from './admit.js';
import type { EventDesk } from './event-desk.js';
import type { NodeRegistry } from './node-registry.js';
import { create, type FromNode, type ToNode, ToNodeSchema } from './wire/index.js';

/** How often nodes report where nothing changed, in milliseconds: 2,000 of them are 200 a second. */
export const REPORT_MS = 10_000;

export interface ReportService {
  report(call: ServerDuplexStream<FromNode, ToNode>): void;
}

/** The service, by the names of its methods. */
export function createReports(
  admit: Admit,
  registry: NodeRegistry,
  events: EventDesk,
): ReportService {
  return {
    report(call) {
      const peer = admit.stream(call, 'node');
      if (peer === null) return;
      call.sendMetadata(new Metadata());
      const node = peer.id.name;
      const leave = events.join(node, (filter) => {
        call.write(create(ToNodeSchema, { intervalMs: REPORT_MS, events: filter }));
      });
      call.on('data', ({ message }: FromNode) => {
        if (message.case === 'events') events.take(node, message.value);
        else if (message.case === 'report' && !registry.reported(node, message.value)) {
          call.emit('error', { code: status.INVALID_ARGUMENT, details: 'this is no node report' });
        }
      });
      call.on('end', () => call.end());
      call.on('close', leave);
      call.on('cancelled', leave);
      call.on('error', leave);
    },
  };
}
