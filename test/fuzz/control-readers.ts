/** The readers of what a node and a control plane say to each other, for test/fuzz/readers.ts. */
import { createDeltaStream } from '../../runtime/control/delta-stream.js';
import { readRefusal } from '../../runtime/control/node-registry.js';
import { readNode } from '../../runtime/control/read-node.js';
import { readReport } from '../../runtime/control/read-report.js';
import { createSotwStream } from '../../runtime/control/sotw-stream.js';
import { StreamFault } from '../../runtime/control/stream-machine.js';
import {
  create,
  DeltaDiscoveryRequestSchema,
  DiscoveryRequestSchema,
  decodeItem,
  encodeItem,
  fromBinary,
  NODE_BUNDLE_URL,
  toBinary,
} from '../../runtime/control/wire/index.js';
import { json, type Reader } from './reader.js';

/** A reader of messages may refuse by throwing: gRPC ends the call. What it takes must go through the machine. */
function reading<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

/** A stream may end for a message, in the declared way. */
function faulting(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof StreamFault)) throw error;
  }
}

const NO_VIEW = { resources: new Map(), held: new Set<string>() };
const NODE = { id: 'n', metadata: { labels: { zone: 'a' } } };

export const CONTROL_READERS: Readonly<Record<string, Reader>> = {
  'xds-delta': {
    seeds: [
      toBinary(
        DeltaDiscoveryRequestSchema,
        create(DeltaDiscoveryRequestSchema, {
          ...{ node: NODE, typeUrl: NODE_BUNDLE_URL, resourceNamesSubscribe: ['*', 'shop'] },
          ...{ initialResourceVersions: { shop: 'v1' }, responseNonce: '1' },
          errorDetail: { code: 3, message: 'no' },
        }),
      ),
    ],
    read: (input) => {
      const request = reading(() => fromBinary(DeltaDiscoveryRequestSchema, input));
      if (request === null) return;
      const machine = createDeltaStream('fuzz');
      faulting(() => {
        machine.receive(request);
        machine.next(NO_VIEW);
        machine.receive(request);
      });
      if (request.errorDetail !== undefined) readRefusal(request.errorDetail, 0);
      const id = { trustDomain: 'd', kind: 'node', name: 'n' } as const;
      faulting(() => readNode(request.node, { id, notAfter: 0 }));
    },
  },
  'xds-sotw': {
    seeds: [
      toBinary(
        DiscoveryRequestSchema,
        create(DiscoveryRequestSchema, {
          ...{ node: NODE, typeUrl: NODE_BUNDLE_URL, resourceNames: ['shop'], responseNonce: '1' },
        }),
      ),
    ],
    read: (input) => {
      const request = reading(() => fromBinary(DiscoveryRequestSchema, input));
      if (request === null) return;
      const machine = createSotwStream('fuzz');
      faulting(() => {
        machine.receive(request);
        machine.next(NO_VIEW);
        machine.receive(request);
      });
    },
  },
  'node-bundle': {
    seeds: [
      encodeItem({
        ...{ name: 'shop', digest: 'sha256:aa', mode: 'shadow' },
        ...{ bundle: new Uint8Array(40), signatures: new Uint8Array(8) },
      }),
    ],
    read: (input) => {
      reading(() => decodeItem(input));
    },
  },
  'node-report': {
    seeds: [
      json({
        ...{
          agent: '1',
          kernel: '6',
          rules: [{ rule: 'a:1', policy: 'a', verdict: 'deny', count: 1 }],
        },
        ...{ active: { digest: 'd', name: 'n', generation: 1 }, shadow: null, drift: null },
        counters: { allowed: 1, denied: 2, lost: 0 },
      }),
    ],
    read: (input) => {
      readReport(new TextDecoder().decode(input));
    },
  },
};
