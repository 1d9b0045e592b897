/** The aggregated discovery service: both variants of a stream, each for one node. */
import { Metadata, type ServerDuplexStream } from '@grpc/grpc-js';
import type { Admit } from './admit.js';
import { createDeltaStream } from './delta-stream.js';
import { type StreamWorld, serveStream } from './serve-stream.js';
import { createSotwStream } from './sotw-stream.js';
import type {
  DeltaDiscoveryRequest,
  DeltaDiscoveryResponse,
  DiscoveryRequest,
  DiscoveryResponse,
} from './wire/index.js';

/** Around a resource in a message. */
const FRAME_BYTES = 512;

export interface Discovery {
  streamAggregatedResources(call: ServerDuplexStream<DiscoveryRequest, DiscoveryResponse>): void;
  deltaAggregatedResources(
    call: ServerDuplexStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse>,
  ): void;
}

/** The service, by the names of its methods. */
export function createDiscovery(control: string, admit: Admit, world: StreamWorld): Discovery {
  return {
    streamAggregatedResources(call) {
      const peer = admit.stream(call, 'node');
      if (peer === null) return;
      call.sendMetadata(new Metadata());
      const variant = {
        machine: createSotwStream(control),
        nodeOf: (request: DiscoveryRequest) => request.node,
        sizeOf: ({ resources }: DiscoveryResponse) =>
          resources.reduce((sum, { value }) => sum + value.length, FRAME_BYTES),
      };
      serveStream(call, peer, variant, world);
    },
    deltaAggregatedResources(call) {
      const peer = admit.stream(call, 'node');
      if (peer === null) return;
      call.sendMetadata(new Metadata());
      const variant = {
        machine: createDeltaStream(control),
        nodeOf: (request: DeltaDiscoveryRequest) => request.node,
        sizeOf: ({ resources }: DeltaDiscoveryResponse) =>
          resources.reduce((sum, r) => sum + (r.resource?.value.length ?? 0), FRAME_BYTES),
      };
      serveStream(call, peer, variant, world);
    },
  };
}
