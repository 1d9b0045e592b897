/** The readers of what a node, a control plane and an operator take from each other beside requests, for test/fuzz/readers.ts. */

import { readCaseLayer } from '../../compiler/bundle/cases.js';
import { canonicalJson } from '../../compiler/bundle/index.js';
import { Refusal } from '../../compiler/bundle/refusal.js';
import { createEventDesk } from '../../runtime/control/event-desk.js';
import { readReport } from '../../runtime/control/read-report.js';
import {
  create,
  DeltaDiscoveryResponseSchema,
  EventFilterSchema,
  encodeItem,
  FromNodeSchema,
  fromBinary,
  NODE_BUNDLE_URL,
  toBinary,
} from '../../runtime/control/wire/index.js';
import { openHeld } from '../../runtime/link/held.js';
import { takeResponse } from '../../runtime/link/take-response.js';
import {
  decodeRollout,
  desired,
  encodeRollout,
  RolloutError,
  readPlan,
  step,
} from '../../runtime/rollout/index.js';
import { nodeReports, rollout } from '../support/rollout-nodes.js';
import { json, type Reader, utf8 } from './reader.js';

const ITEM = {
  ...{ name: 'shop', digest: 'sha256:aa', mode: 'enforce' as const },
  ...{ bundle: new Uint8Array(40), signatures: new Uint8Array(8) },
};
const RESOURCE = { typeUrl: NODE_BUNDLE_URL, value: encodeItem(ITEM) };

/** What protobuf refuses, gRPC refuses: the call ends. */
function message<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

export const RECEIVE_READERS: Readonly<Record<string, Reader>> = {
  'xds-response': {
    seeds: [
      toBinary(
        DeltaDiscoveryResponseSchema,
        create(DeltaDiscoveryResponseSchema, {
          ...{ typeUrl: NODE_BUNDLE_URL, nonce: '1', removedResources: ['old', 'old/shadow'] },
          resources: [{ name: 'shop', version: 'v1', resource: RESOURCE }],
        }),
      ),
    ],
    read: async (input) => {
      const response = message(() => fromBinary(DeltaDiscoveryResponseSchema, input));
      if (response === null) return;
      let isTaken = 0;
      const refused = await takeResponse(
        response,
        openHeld(null, () => {}),
        {
          apply: async (item) => {
            isTaken += 1;
            const want = item.mode === 'shadow' ? `${item.name}/shadow` : item.name;
            if (!response.resources.some(({ name }) => name === want)) throw new Error('another');
            return { ok: true, generation: 1 };
          },
          withdraw: async () => {},
          running: () => [],
          report: async () => ({}),
          events: () => {},
        },
      );
      if (refused === null && isTaken < response.resources.length) throw new Error('passed over');
    },
  },
  'from-node': {
    seeds: [
      { case: 'report' as const, value: '{"agent":"1","counters":{"allowed":1}}' },
      {
        case: 'events' as const,
        value: { records: ['{"verdict":"deny","source":{"workload":"a"}}', 'null', '{}'], lost: 3 },
      },
    ].map((said) => toBinary(FromNodeSchema, create(FromNodeSchema, { message: said }))),
    read: (input) => {
      const said = message(() => fromBinary(FromNodeSchema, input))?.message;
      if (said?.case === 'report') readReport(said.value);
      if (said?.case !== 'events') return;
      const desk = createEventDesk();
      desk.watch({
        node: '',
        filter: create(EventFilterSchema, { wanted: true, verdict: 'deny', workload: 'a' }),
        take: ({ records }) => {
          for (const record of records)
            if (JSON.parse(record).verdict !== 'deny') throw new Error('not asked for');
        },
      });
      desk.take('n1', said.value);
    },
  },
  plan: {
    seeds: [
      json({ stages: [{ stage: 'canary', percent: 10, for: '5m' }, { stage: 'all' }] }),
      utf8('target: { tier: web }\nstages:\n  - { stage: shadow, for: 5m }\n  - stage: all\n'),
      utf8('stages: [{ stage: all }]\ngates: { silence: 30s, confirm: 2m, rise: 0.1 }\n'),
    ],
    read: (input) => {
      const { spec, diagnostics } = readPlan(new TextDecoder().decode(input), 'plan.yaml');
      if (spec === null && diagnostics.length === 0) throw new Error('refused without a word');
      if (spec === null) return;
      if (spec.stages.at(-1)?.kind !== 'all') throw new Error('it never ends');
      if (!(spec.gates.silenceMs >= 20_000)) throw new Error('a gate that always shuts');
    },
  },
  rollout: {
    seeds: [encodeRollout(rollout({ stages: [{ stage: 'all', for: '1s' }] }, nodeReports(2)))],
    read: (input) => {
      let document: ReturnType<typeof decodeRollout>;
      try {
        document = decodeRollout(input, 'rollouts/shop');
      } catch (error) {
        if (!(error instanceof RolloutError)) throw error;
        return;
      }
      desired([document], { node: 'n1', labels: { zone: 'a' } });
      step(document, { nodes: nodeReports(2), now: 1e12, watchedSince: 0 });
    },
  },
  cases: {
    seeds: [
      utf8(
        canonicalJson({
          schemaVersion: 1,
          worlds: [{ file: 'world.yaml', document: { workloads: [] } }],
          files: [{ file: 'scenario.yaml', world: 0, left: 0, cases: [] }],
        }),
      ),
    ],
    read: (input) => {
      try {
        const layer = readCaseLayer(input);
        if (canonicalJson(layer) !== new TextDecoder().decode(input)) throw new Error('otherwise');
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
      }
    },
  },
};
