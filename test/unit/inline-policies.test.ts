/** Policies in the function that joins them: the same decision as combine says, answer by answer. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CONNECTION, DECISION, STOPPED, VERDICT } from '../../compiler/abi/index.js';
import { combine, type Outcome, type PolicyEntry } from '../../compiler/bundle/index.js';
import { evaluate, type Module, newValue, parse, verifyModule } from '../../compiler/ir/index.js';
import { joinModules } from '../../compiler/join-modules.js';
import {
  AUTHORIZE_FUNCTION,
  buildDispatcher,
  ROUTE_FUNCTION,
} from '../../compiler/lower/dispatcher.js';
import { inlinePolicies, optimize } from '../../compiler/passes/index.js';
import { policyEntry } from '../support/wat-bundle.js';

const test = suite('inline policies');

/** A policy whose byte of the connection's addresses chooses what it does. */
const policy = (index: number, part = 'authorize'): string => `
func entry p${index}_${part}(v0: ptr) -> i32 stopped ${part === 'route' ? '65520 65521' : '240 241'} {
b0:
  v1 = load.pointer i32 1 v0 + ${index}
  switch v1, [b1, b2, b3, b4, b5, b6], b7
b1:
  v2 = const i32 ${(9 << 8) | VERDICT.allow}
  return v2
b2:
  v3 = const i32 ${(8 << 8) | VERDICT.deny}
  return v3
b3:
  v4 = const i32 ${(7 << 8) | VERDICT.pass}
  return v4
b4:
  v5 = const i32 ${(6 << 8) | VERDICT.audit}
  return v5
b5:
  trap trap
b6:
  trap fuel
b7:
  v6 = load.pointer i32 4 v0 + 208
  return v6
}
`;
const RAW = (5 << 8) | VERDICT.deny;
const ANSWERS = [
  (9 << 8) | 1,
  (8 << 8) | 2,
  (7 << 8) | 3,
  (6 << 8) | 4,
  STOPPED.trap,
  STOPPED.fuel,
  RAW,
];

function joined(rules: Parameters<typeof buildDispatcher>[0], part?: string): Module {
  const policies = parse(
    `module "p"\n${rules.policies.map((p) => policy(p.index, part)).join('')}`,
  );
  const module = joinModules('all', [policies, buildDispatcher(rules)]);
  assert.ok(inlinePolicies(module));
  assert.equal(verifyModule(module), []);
  const called = module.functions.flatMap((f) => f.blocks.flatMap((b) => b.instrs));
  assert.not(called.some((instr) => instr.op === 'call'));
  const functions = module.functions.filter((f) => f.kind === 'dispatcher');
  optimize({ ...module, functions }, { verify: true });
  return module;
}

function connection(mask: number, which: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(CONNECTION.size);
  const view = new DataView(bytes.buffer);
  bytes.set(which);
  view.setBigUint64(CONNECTION.policies, BigInt(mask), true);
  view.setUint32(CONNECTION.random, RAW, true);
  return bytes;
}

const pairs = ANSWERS.flatMap((_, a) => ANSWERS.map((_, b) => [a, b] as const));

for (const [first, second] of [
  ['enforce', 'enforce'],
  ['enforce', 'shadow'],
  ['shadow', 'enforce'],
] as const) {
  test(`${first}, then ${second}: as combine says`, () => {
    for (const trap of ['deny', 'allow'] as const satisfies Outcome[]) {
      const policies: PolicyEntry[] = [first, second].map((mode, i) => ({
        ...policyEntry(i, `p${i}`, { exports: ['authorizeConnection'] }),
        mode,
        canAllow: true,
      }));
      const rules = { policies, default: 'deny', failure: { trap, fuel: 'deny' } } as const;
      const module = joined(rules);
      for (const which of pairs) {
        for (const mask of [1, 3]) {
          const decision = new Uint8Array(DECISION.size).fill(0xaa);
          const pointers = [connection(mask, which), decision];
          const { value } = evaluate(module, AUTHORIZE_FUNCTION, { pointers });
          const asked = policies.filter((p) => (mask >> p.index) & 1);
          const answers = asked.map((p) => ({
            policy: p.index,
            value: ANSWERS[which[p.index] ?? 0] ?? 0,
          }));
          const want = combine(rules, answers);
          const view = new DataView(decision.buffer);
          const told = `${which}, mask ${mask}, ${trap}`;
          assert.is(Number(value), VERDICT[want.verdict], told);
          assert.is(view.getUint32(DECISION.verdict, true), VERDICT[want.verdict], told);
          assert.is(view.getUint32(DECISION.site, true), want.site, told);
          assert.is(view.getUint32(DECISION.policy, true), want.policy >>> 0, told);
          assert.is(view.getBigUint64(DECISION.audited, true), want.audited, told);
          assert.is(view.getBigUint64(DECISION.shadowAllow, true), want.shadowAllow, told);
          assert.is(view.getBigUint64(DECISION.shadowDeny, true), want.shadowDeny, told);
        }
      }
    }
  });
}

test('a route that traps is told as one', () => {
  const entry = policyEntry(0, 'p0', { exports: ['routeConnection'], routes: 0xffef });
  const module = joined(
    { policies: [entry], default: 'deny', failure: { trap: 'deny', fuel: 'deny' } },
    'route',
  );
  const route = (which: number): bigint =>
    evaluate(module, ROUTE_FUNCTION, { pointers: [connection(1, [which])] }).value ?? 0n;
  assert.is(route(4), 65520n);
  assert.is(route(5), 65521n);
  assert.is(route(0), BigInt((9 << 8) | 1));
});

test('a policy that is long stays a call, and so do those that are too many', () => {
  const entries = Array.from({ length: 64 }, (_, i) => policyEntry(i, `p${i}`, {}));
  const failure = { trap: 'deny', fuel: 'deny' } as const;
  const policies = parse(`module "p"\n${entries.map((p) => policy(p.index)).join('')}`);
  for (const func of policies.functions) {
    // Nothing reads these: they only count.
    const entry = func.blocks[0];
    for (let i = 0; i < (func.name === 'p0_authorize' ? 200 : 20); i++) {
      const id = newValue(func);
      entry?.instrs.push({ op: 'const', type: 'i32', value: 0n, loc: null, id });
    }
  }
  const dispatcher = buildDispatcher({ policies: entries, default: 'deny', failure });
  const module = joinModules('all', [policies, dispatcher]);
  inlinePolicies(module);
  const instrs = module.functions.flatMap((f) => f.blocks.flatMap((b) => b.instrs));
  const calls = instrs.flatMap((i) => (i.op === 'call' ? [i.callee] : []));
  assert.ok(calls.includes('p0_authorize'));
  assert.not(calls.includes('p1_authorize'));
  assert.ok(calls.includes('p63_authorize'));
});
test.run();
