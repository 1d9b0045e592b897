import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  CONNECTION,
  DECISION,
  MAX_POLICIES,
  policiesAt,
  putPolicies,
  STOPPED,
  VERDICT,
} from '../../compiler/abi/index.js';
import {
  type CombineRules,
  combine,
  combineRoutes,
  type Outcome,
  type PolicyEntry,
  reasonNumber,
} from '../../compiler/bundle/index.js';
import { evaluate, verifyModule } from '../../compiler/ir/index.js';
import {
  AUTHORIZE_FUNCTION,
  buildDispatcher,
  type DispatchRules,
  ROUTE_FUNCTION,
} from '../../compiler/lower/dispatcher.js';
import { Prng } from '../support/prng.js';
import { sampleBundle } from '../support/sample-bundle.js';

const test = suite('dispatcher');

interface Shape {
  readonly mode: 'enforce' | 'shadow';
  readonly canAllow: boolean;
}
/** Site 9 and a verdict; early stops; two values that are no verdict. */
const ANSWERS = [
  ...Object.values(VERDICT).map((code) => (9 << 8) | code),
  STOPPED.trap,
  STOPPED.fuel,
  (9 << 8) | 7,
  0,
];
const SHAPES: readonly Shape[] = [
  { mode: 'enforce', canAllow: true },
  { mode: 'enforce', canAllow: false },
  { mode: 'shadow', canAllow: true },
];
const OUTCOMES: readonly Outcome[] = ['deny', 'allow'];

function entries(shapes: readonly Partial<PolicyEntry>[]): PolicyEntry[] {
  return sampleBundle().manifest.policies.flatMap((sample) =>
    shapes.map((shape, index) => ({ ...sample, ...shape, index })),
  );
}

function product<T>(items: readonly T[], count: number): T[][] {
  if (count === 0) return [[]];
  return product(items, count - 1).flatMap((head) => items.map((item) => [...head, item]));
}

/** Attached policies: bit i of the mask. */
function connection(mask: bigint | number): Uint8Array {
  const bytes = new Uint8Array(CONNECTION.size);
  putPolicies(new DataView(bytes.buffer), CONNECTION.policies, BigInt(mask));
  return bytes;
}

function compare(
  rules: CombineRules & DispatchRules,
  masks: readonly (bigint | number)[],
  answers: readonly number[][],
): void {
  const module = buildDispatcher(rules);
  assert.equal(verifyModule(module), []);
  for (const mask of masks) {
    for (const values of answers) {
      const decision = new Uint8Array(DECISION.size).fill(0xaa);
      const { value } = evaluate(module, AUTHORIZE_FUNCTION, {
        pointers: [connection(mask), decision],
        call: (callee) => BigInt(values[Number(/\d+/.exec(callee)?.[0])] ?? 0),
      });
      const attached = rules.policies.filter((p) => (BigInt(mask) >> BigInt(p.index)) & 1n);
      const wanted = combine(
        rules,
        attached.map((p) => ({ policy: p.index, value: values[p.index] ?? 0 })),
      );
      const view = new DataView(decision.buffer);
      const got = {
        verdict: view.getUint32(DECISION.verdict, true),
        site: view.getUint32(DECISION.site, true),
        policy: view.getUint32(DECISION.policy, true),
        reason: view.getUint32(DECISION.reason, true),
        audited: policiesAt(view, DECISION.audited),
        shadowAllow: policiesAt(view, DECISION.shadowAllow),
        shadowDeny: policiesAt(view, DECISION.shadowDeny),
      };
      const want = {
        ...wanted,
        verdict: VERDICT[wanted.verdict],
        reason: reasonNumber(wanted.reason),
      };
      assert.equal(
        got,
        want,
        JSON.stringify({
          mask: String(mask),
          values,
          shapes: rules.policies.map((p) => [p.mode, p.canAllow]),
        }),
      );
      assert.is(Number(value), got.verdict);
    }
  }
}

const DENIED = { trap: 'deny', fuel: 'deny' } as const;

test('three policies: every verdict, mode and default as combine says', () => {
  const answers = product(ANSWERS.slice(0, 5), 3);
  for (const shapes of product(SHAPES, 3)) {
    for (const outcome of OUTCOMES) {
      compare({ policies: entries(shapes), default: outcome, failure: DENIED }, [7], answers);
    }
  }
});

test('two policies: every answer, mask and declared outcome of failures as combine says', () => {
  const answers = product(ANSWERS, 2);
  for (const shapes of product(SHAPES, 2)) {
    for (const [outcome = 'deny', trap = 'deny', fuel = 'deny'] of product(OUTCOMES, 3)) {
      const policies = entries(shapes);
      compare({ policies, default: outcome, failure: { trap, fuel } }, [1, 2, 3], answers);
    }
  }
});

test('no policy attached, or none in the bundle: the default', () => {
  for (const outcome of OUTCOMES) {
    const all = entries(SHAPES);
    compare({ policies: all, default: outcome, failure: DENIED }, [0], [[1, 1, 1]]);
    compare({ policies: [], default: outcome, failure: DENIED }, [0, 1], [[]]);
  }
});

test('each policy around the ends of words and groups decides with its own bit and number, and no other', () => {
  const all = entries(
    Array.from({ length: MAX_POLICIES }, () => ({ mode: 'enforce', canAllow: true }) as const),
  );
  const module = buildDispatcher({ policies: all, default: 'deny', failure: DENIED });
  assert.equal(verifyModule(module), []);
  for (const index of [0, 7, 8, 62, 63, 64, 65, 71, 72, MAX_POLICIES - 1]) {
    const decision = new Uint8Array(DECISION.size);
    const asked: string[] = [];
    evaluate(module, AUTHORIZE_FUNCTION, {
      pointers: [connection(1n << BigInt(index)), decision],
      call: (callee) => BigInt(asked.push(callee) * 0 + ((5 << 8) | VERDICT.allow)),
    });
    assert.equal(asked, [`p${index}_authorize`]);
    const view = new DataView(decision.buffer);
    assert.is(view.getUint32(DECISION.policy, true), index);
    assert.is(view.getUint32(DECISION.site, true), 5);
  }
});

test('many policies of all modes, of which some are attached, as combine says', () => {
  const random = new Prng(100);
  for (const count of [16, 17, 65, MAX_POLICIES]) {
    for (const outcome of OUTCOMES) {
      const policies = entries(Array.from({ length: count }, () => random.pick(SHAPES)));
      const all = (1n << BigInt(count)) - 1n;
      const bit = (): bigint => 1n << BigInt(random.below(count));
      const masks = [
        0n,
        all,
        all - 1n,
        1n << BigInt(count - 1),
        bit() | bit() | bit(),
        all ^ bit(),
      ];
      const answers = Array.from({ length: 3 }, () =>
        Array.from({ length: count }, () => random.pick(ANSWERS)),
      );
      const silent = Array.from({ length: count }, () => VERDICT.pass);
      compare({ policies, default: outcome, failure: DENIED }, masks, [...answers, silent]);
    }
  }
});

test('routes of many policies: the first opinion of those that are attached', () => {
  const policies = entries(
    Array.from({ length: MAX_POLICIES }, (_, i) => ({
      exports: ['routeConnection'] as const,
      mode: i % 5 === 0 ? ('shadow' as const) : ('enforce' as const),
      firstRoute: i,
      routes: 1,
    })),
  );
  const module = buildDispatcher({ policies, default: 'deny', failure: DENIED });
  assert.equal(verifyModule(module), []);
  const routeOf = (mask: bigint, silent: number): number => {
    const { value } = evaluate(module, ROUTE_FUNCTION, {
      pointers: [connection(mask)],
      call: (callee) => (callee === `p${silent}_route` ? 0n : 1n),
    });
    return Number(value);
  };
  const bit = (i: number): bigint => 1n << BigInt(i);
  for (const i of [1, 8, 63, 64, 66, 127]) assert.is(routeOf(bit(i), -1), i + 1, String(i));
  assert.is(routeOf(bit(3) | bit(64) | bit(127), 3), 65);
  assert.is(routeOf(bit(63) | bit(127), 63), 128);
  assert.is(routeOf(bit(65) | bit(126), -1), 127, 'a shadow policy never routes');
  assert.is(routeOf(0n, -1), 0);
});

test('one policy is a handful of instructions', () => {
  const [policy] = entries([{ mode: 'enforce', canAllow: true }]);
  if (policy === undefined) return;
  const module = buildDispatcher({ policies: [policy], default: 'deny', failure: DENIED });
  const func = module.functions.find((f) => f.name === AUTHORIZE_FUNCTION);
  assert.ok((func?.blocks.length ?? 99) <= 16);
});

test('behind a deny only those are asked that may still mark the decision', () => {
  const asked = (
    second: PolicyEntry['mode'],
    audits: boolean,
  ): { calls: string[]; shadow: bigint } => {
    const policies = entries([
      { mode: 'enforce', canAllow: true },
      { mode: second, canAllow: true },
    ]);
    const rules = { policies, default: 'deny', failure: DENIED } as const;
    const module = buildDispatcher(rules, () => audits);
    assert.equal(verifyModule(module), []);
    const calls: string[] = [];
    const decision = new Uint8Array(DECISION.size);
    const answers = [VERDICT.deny, VERDICT.allow];
    evaluate(module, AUTHORIZE_FUNCTION, {
      pointers: [connection(3), decision],
      call: (callee) => BigInt(answers[calls.push(callee) - 1] ?? 0),
    });
    const view = new DataView(decision.buffer);
    assert.is(view.getUint32(DECISION.verdict, true), VERDICT.deny);
    return { calls, shadow: policiesAt(view, DECISION.shadowAllow) };
  };
  assert.equal(asked('enforce', false).calls, ['p0_authorize']);
  assert.equal(asked('enforce', true).calls, ['p0_authorize', 'p1_authorize']);
  assert.is(asked('shadow', false).shadow, 2n);
});

const ROUTES = [0, 1, 2, 3, 0xffef, 0xfff0, 0xfff1, 0xffff].map((r) =>
  r === 0 ? 0 : (4 << 16) | r,
);

test('routes: the first opinion, moved to the bundle; foreign numbers are traps', () => {
  const both = { exports: ['routeConnection'], mode: 'enforce' } as const;
  const all = entries([
    { ...both, firstRoute: 0, routes: 2 },
    { ...both, firstRoute: 2, routes: 3 },
  ]);
  const module = buildDispatcher({ policies: all, default: 'deny', failure: DENIED });
  assert.equal(verifyModule(module), []);
  for (const mask of [0, 1, 2, 3]) {
    for (const values of product(ROUTES, 2)) {
      const { value } = evaluate(module, ROUTE_FUNCTION, {
        pointers: [connection(mask)],
        call: (callee) => BigInt(values[Number(/\d+/.exec(callee)?.[0])] ?? 0),
      });
      const attached = all.filter((p) => (mask >> p.index) & 1);
      const answers = attached.map(({ index, firstRoute, routes }) => ({
        policy: index,
        value: values[index] ?? 0,
        firstRoute,
        routes,
      }));
      assert.is(Number(value), combineRoutes(answers), JSON.stringify({ mask, values }));
    }
  }
  assert.is(
    combineRoutes([{ policy: 1, value: (4 << 16) | 3, firstRoute: 2, routes: 3 }]),
    (4 << 16) | 5,
  );
  assert.is(combineRoutes([{ policy: 1, value: (4 << 16) | 4, firstRoute: 2, routes: 3 }]), 0xfff0);
});

test('a shadow policy never routes', () => {
  const all = entries([{ exports: ['routeConnection'], mode: 'shadow', routes: 1 }]);
  const module = buildDispatcher({ policies: all, default: 'deny', failure: DENIED });
  assert.equal(module.externs, []);
  assert.is(evaluate(module, ROUTE_FUNCTION, { pointers: [connection(1)] }).value, 0n);
});

test.run();
