/**
 * The joined functions of a bundle, `weft_route_connection` and `weft_authorize_connection`, as IR:
 * for each attached policy (bit i of connection.policies) one call, then the rule of
 * compiler/bundle/combine.ts, of which this is the compiled form. Straight code: policies are few
 * and known, so each test is one bit of a register.
 */
import { CONNECTION, ROUTE_MASK, ROUTE_STOPPED } from '../abi/index.js';
import type { PolicyEntry } from '../bundle/manifest.js';
import { Emitter } from '../ir/emitter.js';
import type { Block, BlockId, Func, Module, Param, Terminator, ValueId } from '../ir/types.js';
import { authorizeFunction, type DispatchRules } from './dispatcher-authorize.js';

export type { DispatchRules } from './dispatcher-authorize.js';

export const ROUTE_FUNCTION = 'weft_route_connection';
export const AUTHORIZE_FUNCTION = 'weft_authorize_connection';

/** Name of the function that a policy's export becomes. */
export function policyFunction(index: number, what: 'authorize' | 'route'): string {
  return `p${index}_${what}`;
}

/** Builds the two joined functions; policies' functions are externs of the module. */
export function buildDispatcher(rules: DispatchRules): Module {
  const externs = rules.policies.flatMap((policy) => {
    const names: string[] = [];
    if (routes(policy)) names.push(policyFunction(policy.index, 'route'));
    if (policy.exports.includes('authorizeConnection')) {
      names.push(policyFunction(policy.index, 'authorize'));
    }
    return names.map((name) => ({
      name,
      params: ['ptr' as const],
      result: 'i32' as const,
    }));
  });
  return {
    name: 'dispatcher',
    functions: [routeFunction(rules.policies), authorizeFunction(AUTHORIZE_FUNCTION, rules)],
    images: [],
    positions: [],
    externs,
  };
}

/** A shadow policy never routes: its answer could not be told apart from an enforced one. */
function routes(policy: PolicyEntry): boolean {
  return policy.exports.includes('routeConnection') && policy.mode === 'enforce';
}

function routeFunction(policies: readonly PolicyEntry[]): Func {
  const connection: Param = { id: 0 as ValueId, type: 'ptr' };
  const func: Func = {
    name: ROUTE_FUNCTION,
    kind: 'dispatcher',
    params: [connection],
    result: 'i32',
    stopped: { trap: BigInt(ROUTE_STOPPED.trap), fuel: BigInt(ROUTE_STOPPED.fuel) },
    blocks: [],
    nextValue: 1,
    nextBlock: 0,
  };
  const add = (id: BlockId, emit: Emitter, term: Terminator): void => {
    const block: Block = { id, params: [], instrs: emit.instrs, term };
    func.blocks.push(block);
  };
  const blockId = (): BlockId => func.nextBlock++ as BlockId;
  const to = (block: BlockId): { block: BlockId; args: [] } => ({ block, args: [] });

  const routing = policies.filter(routes);
  let here = blockId();
  let mask: ValueId | null = null;
  for (const policy of routing) {
    const [ask, spoke, bound, valid, next] = [
      blockId(),
      blockId(),
      blockId(),
      blockId(),
      blockId(),
    ] as const;
    const test = new Emitter(func, null);
    mask ??= test.loadPointer(connection.id, CONNECTION.policies, 8);
    const attached = test.compareWith(
      'i64',
      'ne',
      test.with('i64', 'and', mask, 1n << BigInt(policy.index)),
      0,
    );
    add(here, test, { op: 'br_if', loc: null, condition: attached, then: to(ask), else: to(next) });

    const call = new Emitter(func, null);
    const answer = call.call(policyFunction(policy.index, 'route'), 'i32', [connection.id]);
    const route = call.with('i32', 'and', answer, ROUTE_MASK);
    const opinion = call.compareWith('i32', 'ne', route, 0);
    add(ask, call, { op: 'br_if', loc: null, condition: opinion, then: to(spoke), else: to(next) });

    // A number that the policy never declared would name another policy's cluster: it is a trap.
    const range = new Emitter(func, null);
    const inside = range.compareWith('i32', 'le_u', route, policy.routes);
    add(spoke, range, {
      op: 'br_if',
      loc: null,
      condition: inside,
      then: to(valid),
      else: to(bound),
    });

    const good = new Emitter(func, null);
    const value = good.with('i32', 'add', answer, policy.firstRoute);
    add(valid, good, { op: 'return', loc: null, value });

    const bad = new Emitter(func, null);
    const fuel = bad.compareWith('i32', 'eq', route, ROUTE_STOPPED.fuel);
    const code = bad.select(
      'i32',
      fuel,
      bad.constant('i32', ROUTE_STOPPED.fuel),
      bad.constant('i32', ROUTE_STOPPED.trap),
    );
    add(bound, bad, { op: 'return', loc: null, value: code });
    here = next;
  }
  const last = new Emitter(func, null);
  add(here, last, { op: 'return', loc: null, value: last.constant('i32', 0) });
  return func;
}
