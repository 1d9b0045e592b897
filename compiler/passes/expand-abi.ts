/**
 * Pass:    expand-abi
 * Reads:   `abi` calls, as resolved by expand-abi-resolve; the numbering of the bundle
 * Writes:  loads from the connection, constants, and bit tests in their place, under the same value
 *          numbers; `out_of_fuel` becomes the end of its block
 * Refuses: nothing (what cannot be expanded was refused when it was resolved)
 * Keeps:   blocks and their order; table and CIDR calls, which are expand-tables' work
 */
import { CONNECTION, PARTY, type SideName } from '../abi/index.js';
import { BugError, unreachable } from '../diagnostic/index.js';
import { Emitter } from '../ir/emitter.js';
import type { Func, Instr, LoadSize, Module, Terminator, ValueId } from '../ir/types.js';
import {
  type AbiNumbering,
  bitOf,
  slotOf,
  symbolOf,
  valuesReadBesidesPredicates,
} from './expand-abi-numbering.js';
import type { AbiCall, FieldName, ResolvedAbi } from './expand-abi-resolve.js';
import { foldSwappedCompare } from './expand-abi-swap.js';
import { expandView, isViewCall, type ViewCall } from './expand-views.js';

const FIELD: Readonly<Record<FieldName, { readonly offset: number; readonly size: LoadSize }>> = {
  destination_port: { offset: CONNECTION.destinationPort, size: 2 },
  protocol: { offset: CONNECTION.protocol, size: 1 },
  family: { offset: CONNECTION.family, size: 1 },
  random: { offset: CONNECTION.random, size: 4 },
  now: { offset: CONNECTION.now, size: 8 },
};

/** What expand-tables replaces. */
type LookupCall = Extract<
  AbiCall,
  { readonly op: 'table' | 'cidr' | 'ports' | 'patterns' | 'viewTable' | 'keys' | 'rules' }
>;
const LOOKUPS: ReadonlySet<AbiCall['op']> = new Set([
  'table',
  'cidr',
  'ports',
  'patterns',
  'viewTable',
  'keys',
  'rules',
]);

function isLookup(call: AbiCall): call is LookupCall {
  return LOOKUPS.has(call.op);
}

/** Replaces the resolved calls of a module, in place. */
export function expandAbi(module: Module, resolved: ResolvedAbi, numbering: AbiNumbering): void {
  for (const func of module.functions) {
    const calls = resolved.calls.get(func.name);
    if (calls !== undefined && calls.size > 0) expandFunction(func, calls, numbering);
  }
}

/** The parameter that points to the connection. Throws BugError where a function has none. */
export function connectionOf(func: Func): ValueId {
  const param = func.params.find((p) => p.type === 'ptr');
  if (param === undefined) throw new BugError(`${func.name} asks the ABI without a connection`);
  return param.id;
}

function expandFunction(
  func: Func,
  calls: ReadonlyMap<ValueId, AbiCall>,
  numbering: AbiNumbering,
): void {
  const unread = unreadAttributes(func, calls);
  for (const block of func.blocks) {
    const instrs: Instr[] = [];
    let term: Terminator = block.term;
    for (const instr of block.instrs) {
      const call = instr.op === 'abi' ? calls.get(instr.id) : undefined;
      if (call?.op === 'fuel') {
        term = { op: 'trap', kind: 'fuel', loc: instr.loc };
        break;
      }
      if (unread.has(instr.id)) continue;
      if (call === undefined || isLookup(call)) {
        instrs.push(instr);
        continue;
      }
      const emit = new Emitter(func, instr.loc);
      if (isViewCall(call)) {
        const request = connectionOf(func);
        expandView(emit, { call, id: instr.id, args: argsOf(instr), request, numbering });
      } else expandCall(emit, { call, id: instr.id, connection: connectionOf(func), numbering });
      instrs.push(...emit.instrs);
    }
    block.instrs = instrs;
    block.term = term;
  }
  foldSwappedCompare(func);
}

/** Attribute calls that only predicates read: the predicates become bits, so nobody is left. */
function unreadAttributes(func: Func, calls: ReadonlyMap<ValueId, AbiCall>): Set<ValueId> {
  const read = valuesReadBesidesPredicates(func, calls);
  const unread = [...calls].filter(([id, call]) => call.op === 'attribute' && !read.has(id));
  return new Set(unread.map(([id]) => id));
}

function argsOf(instr: Instr): readonly ValueId[] {
  return 'args' in instr ? instr.args : [];
}

interface Expansion {
  readonly call: Exclude<AbiCall, ViewCall | { readonly op: 'fuel' | LookupCall['op'] }>;
  readonly id: ValueId;
  readonly connection: ValueId;
  readonly numbering: AbiNumbering;
}

function expandCall(emit: Emitter, { call, id, connection, numbering }: Expansion): void {
  const party = (side: SideName): number => CONNECTION[side];
  switch (call.op) {
    case 'field': {
      const { offset, size } = FIELD[call.name];
      emit.loadPointer(connection, offset, size, id);
      return;
    }
    case 'address': {
      const offset = party(call.side) + PARTY.address + 4 * call.word;
      emit.unary('i32', 'bswap32', emit.loadPointer(connection, offset, 4), id);
      return;
    }
    case 'attribute': {
      const slot = slotOf(numbering, call.use);
      emit.loadPointer(connection, party(call.use.side) + PARTY.attributes + 4 * slot, 4, id);
      return;
    }
    case 'symbol':
      emit.constant('i32', symbolOf(numbering, call.text), id);
      return;
    case 'predicate': {
      const bits = emit.loadPointer(connection, party(call.use.side) + PARTY.predicates, 8);
      const bit = emit.with('i64', 'and', bits, 1n << BigInt(bitOf(numbering, call.use)));
      emit.compareWith('i64', 'ne', bit, 0, id);
      return;
    }
    default:
      unreachable(call, 'ABI call');
  }
}
