/** Look-ups in port sets as straight code; the plans are those of compiler/tables/plan-ports. */
import type { Emitter } from '../ir/emitter.js';
import type { ValueId } from '../ir/index.js';
import { PORTS, type PortsPlan } from '../tables/index.js';

export interface PortsLookup {
  readonly plan: PortsPlan;
  readonly image: string;
  readonly port: ValueId;
  /** The value number of the answer. */
  readonly id: ValueId;
}

/** Emits a look-up: 0|1. */
export function emitPorts(emit: Emitter, { plan, image, port, id }: PortsLookup): void {
  if (plan.kind === 'chain') {
    let result = emit.constant('i32', 0);
    for (const { first, last } of plan.ranges) {
      // Below the first is a large number here, so one compare looks at both ends.
      const above = emit.with('i32', 'sub', port, first);
      const hit = emit.compareWith('i32', 'le_u', above, last - first);
      result = emit.binary('i32', 'or', result, hit);
    }
    emit.with('i32', 'or', result, 0, id);
    return;
  }
  const isPort = emit.compareWith('i32', 'lt_u', port, PORTS);
  const safe = emit.select('i32', isPort, port, emit.constant('i32', 0));
  const word = emit.with('i32', 'shl', emit.with('i32', 'shr_u', safe, 6), 3);
  const limit = PORTS / 8 - 8;
  const bits = emit.loadImage(image, word, { offset: 0, limit, size: 8 });
  const shift = emit.extend(emit.with('i32', 'and', safe, 63));
  const bit = emit.wrap(emit.with('i64', 'and', emit.binary('i64', 'shr_u', bits, shift), 1));
  emit.binary('i32', 'and', bit, isPort, id);
}
