/** Decides records in the thread that calls it, for one bundle in one world. */
import type { Bundle } from '../../compiler/bundle/manifest.js';
import type { Plan, World } from '../discovery/index.js';
import {
  type ConnectFault,
  createInlineDecider,
  type Flow,
  type Outcome,
} from '../simulate/index.js';
import { COLUMN, writeColumns } from './columns.js';
import { endsFinder } from './ends-cache.js';
import { recordInput } from './record-input.js';
import type { RecordBatch, TrafficRecord } from './types.js';

export interface RecordDecider {
  readonly plan: Plan;
  /** COLUMN.size words a record, in order. */
  readonly decideAll: (batch: RecordBatch) => Int32Array;
  /** The flow of one record; null where the world does not know an end of it. */
  readonly decide: (record: TrafficRecord, line: number) => Flow | null;
  /** The same in words. */
  readonly outcome: (record: TrafficRecord, line: number) => Outcome | null;
  /** Why a record is not decided; null where it is. */
  readonly faultOf: (record: TrafficRecord) => ConnectFault | null;
}

export interface RecordDeciderOptions {
  readonly world: World;
  /** Of the draws that records do not give. */
  readonly seed?: number;
}

/** Starts a decider. Throws SimulateError SIMULATE_MODULE where a policy does not start. */
export function createRecordDecider(
  bundle: Pick<Bundle, 'manifest' | 'wasm'>,
  { world, seed = 0 }: RecordDeciderOptions,
): RecordDecider {
  const decider = createInlineDecider(bundle, world);
  const { readsClock } = decider;
  const endsOf = endsFinder(world);
  const decide = (record: TrafficRecord, line: number): Flow | null => {
    const found = endsOf(record);
    return found.ok
      ? decider.decide(recordInput(record, found.ends, { seed, line, readsClock }))
      : null;
  };
  return {
    plan: decider.plan,
    decide,
    decideAll: ({ records, lines }) => {
      const out = new Int32Array(records.length * COLUMN.size);
      for (const [i, record] of records.entries()) {
        const flow = decide(record, lines[i] ?? 0);
        if (flow !== null) writeColumns(out, i, flow);
      }
      return out;
    },
    outcome: (record, line) => {
      const flow = decide(record, line);
      return flow === null ? null : decider.describe(flow);
    },
    faultOf: (record) => {
      const found = endsOf(record);
      return found.ok ? null : found.fault;
    },
  };
}
