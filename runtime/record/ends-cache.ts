/** The ends of connections as records name them, found in the world once each. */
import type { World } from '../discovery/index.js';
import { type ConnectOutcome, resolveConnect } from '../simulate/index.js';
import type { TrafficRecord } from './types.js';

/** Pairs that are kept at a time, so that a stream may name any number of them. */
const MAX_PAIRS = 65_536;

/** Finds the ends of records. */
export function endsFinder(world: World): (record: TrafficRecord) => ConnectOutcome {
  const known = { tcp: new Map<string, Map<string, ConnectOutcome>>(), udp: new Map() };
  let pairs = 0;
  return ({ from, to, protocol = 'tcp' }) => {
    const bySource: Map<string, Map<string, ConnectOutcome>> = known[protocol];
    let byPlace = bySource.get(from);
    const found = byPlace?.get(to);
    if (found !== undefined) return found;
    if (pairs >= MAX_PAIRS) {
      known.tcp.clear();
      known.udp.clear();
      byPlace = undefined;
      pairs = 0;
    }
    if (byPlace === undefined) {
      byPlace = new Map();
      bySource.set(from, byPlace);
    }
    const outcome = resolveConnect(world, { from, to, protocol });
    byPlace.set(to, outcome);
    pairs += 1;
    return outcome;
  };
}
