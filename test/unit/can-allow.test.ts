/** What a policy may answer, by its code: an Allow that is overlooked would leave the default where somebody has to allow. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { VERDICT } from '../../compiler/abi/index.js';
import { canAllow, canAudit } from '../../compiler/can-allow.js';
import { parse } from '../../compiler/ir/index.js';

const test = suite('can allow');
const SITE = 9 << 8;
const HEAD =
  'func entry f(v0: ptr) -> i32 stopped 240 241 {\nb0:\n  v1 = load.pointer i32 4 v0 + 24\n';

/** How a policy answers `code` with something else beside it. */
const WAYS: Readonly<Record<string, (code: number) => string>> = {
  'a constant': (code) => `${HEAD}  v2 = const i32 ${SITE | code}\n  return v2\n}`,
  'the first of a choice': (code) =>
    `${HEAD}  v2 = const i32 ${SITE | code}\n  v3 = const i32 0\n  v4 = select i32 v1, v2, v3\n  return v4\n}`,
  'the second of a choice': (code) =>
    `${HEAD}  v2 = const i32 ${SITE | code}\n  v3 = const i32 0\n  v4 = select i32 v1, v3, v2\n  return v4\n}`,
  'a parameter': (code) =>
    `${HEAD}  v2 = const i32 ${SITE | code}\n  v3 = const i32 0\n  br_if v1, b1(v2), b1(v3)\nb1(v4: i32):\n  return v4\n}`,
  'the low half of a packed answer': (code) =>
    `${HEAD}  v2 = const i64 ${SITE | code}\n  v3 = const i64 32\n  v4 = extend_u v1\n  v5 = shl i64 v4, v3\n  v6 = or i64 v5, v2\n  v7 = wrap v6\n  return v7\n}`,
  'a called function': (code) =>
    `${HEAD}  v2 = call i32 g(v1)\n  return v2\n}\nfunc internal g(v0: i32) -> i32 stopped 240 241 {\nb0:\n  v1 = const i32 ${SITE | code}\n  return v1\n}`,
};

for (const [name, text] of Object.entries(WAYS)) {
  test(`${name}: what is answered may be, nothing else`, () => {
    const asked = (code: number): readonly boolean[] => {
      const module = parse(`module "p"\n${text(code)}\n`);
      return [canAllow(module, 'f'), canAudit(module, 'f')];
    };
    assert.equal(asked(VERDICT.allow), [true, false]);
    assert.equal(asked(VERDICT.audit), [false, true]);
    assert.equal(asked(VERDICT.deny), [false, false]);
  });
}

test('what is not known may be anything', () => {
  const module = parse(`module "p"\n${HEAD}  return v1\n}\n`);
  assert.equal([canAllow(module, 'f'), canAudit(module, 'f')], [true, true]);
  assert.equal(canAllow(module, 'nobody'), false);
});

test.run();
