/**
 * An entry that takes memory for recursion, calls the function that needs it, and gives it back however that one
 * ended. Where a decision begins to look is drawn, and others look on from there: decisions that are
 * under way at once, on other CPUs or preempted on this one, have a slot each. Who finds none is stopped as by a trap.
 */
import { CONNECTION, FRAME_SLOTS, FRAMES, STOPPED } from '../abi/index.js';
import { type Block, Emitter, type Func, type Terminator, type ValueId } from '../ir/index.js';
import { STOPPED_MARK } from './build-function.js';

/** Slots that a decision tries. */
const TRIES = 8;

/** Writes the entry's blocks; `inner` takes the connection, the fuel and the slot. */
export function takeFrames(func: Func, inner: string, fuel: bigint): void {
  const connection = func.params[0]?.id ?? (0 as ValueId);
  const loc = null;
  const make = (): { block: Block; e: Emitter } => {
    const e = new Emitter(func, loc);
    const term: Terminator = { op: 'trap', kind: 'trap', loc };
    const block = { id: e.freshBlock(), params: [], instrs: e.instrs, term };
    func.blocks.push(block);
    return { block, e };
  };
  const to = ({ block }: { block: Block }) => ({ block: block.id, args: [] });
  const begin = make();
  const call = make();
  const slot = { id: begin.e.fresh(), type: 'i32' } as const;
  call.block.params = [slot];
  const random = begin.e.emit({
    ...{ op: 'load.pointer', type: 'i32', size: 4, offset: CONNECTION.random, args: [connection] },
  });
  const first = begin.e.with('i32', 'mul', random, FRAMES.slot);
  let look = begin;
  for (let i = 0; i < TRIES; i++) {
    const { e } = look;
    const all = (FRAME_SLOTS - 1) * FRAMES.slot;
    const tried = e.with('i32', 'and', e.with('i32', 'add', first, i * FRAMES.slot), all);
    const taken = e.emit({ op: 'frame', kind: 'take', type: 'i32', offset: 0, args: [tried] });
    const next = make();
    const go = { block: call.block.id, args: [tried] };
    look.block.term = { op: 'br_if', condition: taken, then: to(next), else: go, loc };
    look = next;
  }
  const { e } = call;
  const given = e.constant('i32', fuel);
  const packed = e.call(inner, 'i64', [connection, given, slot.id]);
  e.emit({ op: 'frame', kind: 'release', type: 'i32', offset: 0, args: [slot.id] });
  const left = e.emit({ op: 'wrap', type: 'i32', args: [e.with('i64', 'shr_u', packed, 32)] });
  const value = e.emit({ op: 'wrap', type: 'i32', args: [packed] });
  const mark = e.constant('i32', STOPPED_MARK);
  const hasStopped = e.emit({ op: 'compare', kind: 'eq', type: 'i32', args: [left, mark] });
  const [stopped, returned, byFuel, byTrap] = [make(), make(), make(), make()];
  call.block.term = {
    ...{ op: 'br_if', condition: hasStopped, then: to(stopped), else: to(returned), loc },
  };
  const code = stopped.e.constant('i32', STOPPED.fuel);
  const isFuel = stopped.e.emit({ op: 'compare', kind: 'eq', type: 'i32', args: [value, code] });
  stopped.block.term = { op: 'br_if', condition: isFuel, then: to(byFuel), else: to(byTrap), loc };
  byFuel.block.term = { op: 'trap', kind: 'fuel', loc };
  returned.block.term = { op: 'return', value, loc };
}
