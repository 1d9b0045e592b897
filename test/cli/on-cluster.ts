/** Verbs run against a control plane of this process and the nodes that it knows. */
import type { EventRecord } from '../../runtime/probe/index.js';
import type { NodeReport } from '../../runtime/rollout/index.js';
import { type FakeControl, type FakeOptions, fakeControl } from '../support/fake-admin.js';
import { nodeReport } from '../support/rollout-nodes.js';
import { type Transcript, weft } from './harness.js';

export const PLACE = {
  WEFT_CONTROL: '10.0.0.1:7443',
  WEFT_CA: 'ca.pem',
  WEFT_CERT: 'ann.pem',
  WEFT_KEY: 'ann.key',
};
export const RULE = { rule: 'policies/a.ts:7', policy: 'a', verdict: 'allow', count: 40 };

export const EVENT = {
  ...{
    time: '2026-01-02T03:04:05.000Z',
    node: 'node-1',
    hook: 'connect4',
    verdict: 'deny',
    rule: 'a.ts:7',
    protocol: 'tcp',
  },
  ...{ method: null, path: null, status: null, lost: 0 },
  source: { address: '10.2.0.9:1', workload: 'batch.dev', principal: null },
  destination: { address: '10.2.0.1:80', workload: null, principal: null },
} as EventRecord;

function nodes(count: number, parts: Partial<NodeReport> = {}): NodeReport[] {
  return Array.from({ length: count }, (_, i) =>
    nodeReport({
      node: `node-${i + 1}`,
      active: null,
      labels: { zone: i < 2 ? 'a' : 'b' },
      ...parts,
    }),
  );
}
export async function cluster(count = 4, options: FakeOptions = {}): Promise<FakeControl> {
  const control = fakeControl(options);
  await control.report(nodes(count));
  return control;
}
/** A verb in `folder`, asked of `control`. */
export function runIn(
  folder: string,
  control: FakeControl,
  args: readonly string[],
  more: { readonly isTTY?: boolean },
): Promise<Transcript> {
  return weft(args, { cwd: folder, env: PLACE, openAdmin: async () => control.admin, ...more });
}
/** Without what is another each time: digests. */
export const plain = (text: string): string => text.replace(/sha256:[0-9a-f]{12}…/g, 'DIGEST');
