/**
 * The joined functions of a bundle, `weft_route_connection` and `weft_authorize_connection`, as IR:
 * for each attached policy (bit i of connection.policies) one call, then the rule of
 * compiler/bundle/combine.ts, of which this is the compiled form. Straight code: policies are few
 * and known, so each test is one bit of a register; where they are many, one of a group of them goes before it.
 */
import {
  type ExportName,
  REQUEST_HOOK,
  ROUTE_HOOK,
  ROUTE_MASK,
  ROUTE_STOPPED,
} from '../abi/index.js';
import type { PolicyEntry } from '../bundle/manifest.js';
import { Emitter } from '../ir/emitter.js';
import type { Block, BlockId, Func, Module, Param, Terminator, ValueId } from '../ir/types.js';
import { authorizeFunction, type DispatchRules, type MayAudit } from './dispatcher-authorize.js';
import { FUNCTION_PART, policyFunction } from './policy-function.js';
import { AttachedWords, groupPolicies, type Policies } from './policy-groups.js';

export type { DispatchRules } from './dispatcher-authorize.js';
export { policyFunction } from './policy-function.js';

export const ROUTE_FUNCTION = 'weft_route_connection';
export const AUTHORIZE_FUNCTION = 'weft_authorize_connection';
export const ROUTE_REQUEST_FUNCTION = 'weft_route_request';
export const AUTHORIZE_REQUEST_FUNCTION = 'weft_authorize_request';

/**
 * Builds the joined functions: two for connections, and two for requests where any policy is asked
 * about them. Policies' functions are externs of the module.
 */
export function buildDispatcher(rules: DispatchRules, mayAudit: MayAudit = () => true): Module {
  const externs = rules.policies.flatMap((policy) => {
    const asked = policy.exports.filter((name) => !ROUTE_HOOK.includes(name) || isEnforced(policy));
    return asked.map((name) => ({
      name: policyFunction(policy.index, FUNCTION_PART[name]),
      params: ['ptr' as const],
      result: 'i32' as const,
    }));
  });
  return {
    name: 'dispatcher',
    functions: [
      routeFunction(ROUTE_FUNCTION, 'routeConnection', rules.policies),
      authorizeFunction(AUTHORIZE_FUNCTION, 'authorizeConnection', rules, mayAudit),
      ...(hasRequests(rules.policies)
        ? [
            routeFunction(ROUTE_REQUEST_FUNCTION, 'routeRequest', rules.policies),
            authorizeFunction(AUTHORIZE_REQUEST_FUNCTION, 'authorizeRequest', rules, mayAudit),
          ]
        : []),
    ],
    images: [],
    positions: [],
    externs,
  };
}

/** A shadow policy never routes: its answer could not be told apart from an enforced one. */
function isEnforced(policy: PolicyEntry): boolean {
  return policy.mode === 'enforce';
}

/** True where any policy is asked about requests. */
export function hasRequests(policies: readonly Pick<PolicyEntry, 'exports'>[]): boolean {
  return policies.some((policy) => policy.exports.some((name) => REQUEST_HOOK.includes(name)));
}

function routeFunction(name: string, asked: ExportName, policies: readonly PolicyEntry[]): Func {
  const connection: Param = { id: 0 as ValueId, type: 'ptr' };
  const func: Func = {
    name,
    kind: 'dispatcher',
    params: [connection],
    result: 'i32',
    stopped: { trap: BigInt(ROUTE_STOPPED.trap), fuel: BigInt(ROUTE_STOPPED.fuel) },
    blocks: [],
    nextValue: 1,
    nextBlock: 0,
  };
  const add = (id: BlockId, emit: Emitter, term: Terminator, params: Param[] = []): void => {
    const block: Block = { id, params, instrs: emit.instrs, term };
    func.blocks.push(block);
  };
  const blockId = (): BlockId => func.nextBlock++ as BlockId;
  const to = (block: BlockId): { block: BlockId; args: [] } => ({ block, args: [] });

  const routing = policies.filter((p) => p.exports.includes(asked) && isEnforced(p));
  let here = blockId();
  const attached = new AttachedWords(connection.id);
  const branch = (of: Policies, past: BlockId): BlockId => {
    const test = new Emitter(func, null);
    const ask = blockId();
    const condition = attached.has(of, test);
    add(here, test, { op: 'br_if', loc: null, condition, then: to(ask), else: to(past) });
    return ask;
  };
  for (const { policies: group, isTested } of groupPolicies(routing)) {
    const end = blockId();
    if (isTested) here = branch(group, end);
    for (const [i, policy] of group.entries()) {
      const next = i === group.length - 1 ? end : blockId();
      const ask = branch([policy], next);
      const [spoke, bound, valid] = [blockId(), blockId(), blockId()];
      const call = new Emitter(func, null);
      const answer = call.call(policyFunction(policy.index, FUNCTION_PART[asked]), 'i32', [
        connection.id,
      ]);
      const route = call.with('i32', 'and', answer, ROUTE_MASK);
      const opinion = call.compareWith('i32', 'ne', route, 0);
      add(ask, call, {
        op: 'br_if',
        loc: null,
        condition: opinion,
        then: to(spoke),
        else: to(next),
      });

      // A number that the policy never declared would name another policy's cluster: it is a trap.
      // Behind this branch both are parameters, since the pass inline-policies goes past it.
      const range = new Emitter(func, null);
      const inside = range.compareWith('i32', 'le_u', route, policy.routes);
      add(spoke, range, {
        op: 'br_if',
        loc: null,
        condition: inside,
        then: { block: valid, args: [answer] },
        else: { block: bound, args: [route] },
      });

      const good = new Emitter(func, null);
      const own: Param = { id: good.fresh(), type: 'i32' };
      const value = good.with('i32', 'add', own.id, policy.firstRoute);
      add(valid, good, { op: 'return', loc: null, value }, [own]);

      const bad = new Emitter(func, null);
      const foreign: Param = { id: bad.fresh(), type: 'i32' };
      const fuel = bad.compareWith('i32', 'eq', foreign.id, ROUTE_STOPPED.fuel);
      const code = bad.select(
        'i32',
        fuel,
        bad.constant('i32', ROUTE_STOPPED.fuel),
        bad.constant('i32', ROUTE_STOPPED.trap),
      );
      add(bound, bad, { op: 'return', loc: null, value: code }, [foreign]);
      here = next;
    }
  }
  const last = new Emitter(func, null);
  add(here, last, { op: 'return', loc: null, value: last.constant('i32', 0) });
  return func;
}
