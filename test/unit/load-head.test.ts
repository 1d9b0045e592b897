/** The load from a request's head: text form, verifier, evaluation, and the bound in eBPF. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HEAD_MAX, REQUEST } from '../../compiler/abi/index.js';
import { evaluate, parse, print, verifyModule } from '../../compiler/ir/index.js';
import { buildDispatcher } from '../../compiler/lower/dispatcher.js';
import { lowerModule } from '../../compiler/lower/index.js';
import { requestFunctions } from '../../compiler/lower/request-functions.js';
import { policyEntry } from '../support/wat-bundle.js';

const text = (load: string): string => `module "m"

func entry p0_authorize_request(v0: ptr) -> i32 stopped 240 241 {
b0:
  v1 = load.pointer i32 4 v0 + 216
  v2 = ${load}
  return v2
}
`;
const LOAD = 'load.head i32 2 v0, v1 + 3 limit 8187';

/** The answer where the method's view, used as the index, is `index`. */
function run(index: number): number {
  const request = new Uint8Array(REQUEST.size);
  const view = new DataView(request.buffer);
  view.setUint32(216, index, true);
  for (let i = 0; i < HEAD_MAX; i++) request[REQUEST.bytes + i] = i & 0xff;
  const { value } = evaluate(parse(text(LOAD)), 'p0_authorize_request', { pointers: [request] });
  return Number(value);
}

const test = suite('load.head');

test('the text form round-trips', () => {
  assert.is(print(parse(text(LOAD))), text(LOAD));
});

test('its bytes are those behind offset and index; beyond the limit it traps', () => {
  assert.is(run(0), 0x0403);
  assert.is(run(253), 0x0100);
  assert.is(run(8187), 0xfffe);
  assert.is(run(8188), 240);
  assert.is(run(0xffffffff), 240);
});

test('the verifier of the IR knows its end', () => {
  const problems = (load: string): number => verifyModule(parse(text(load))).length;
  assert.is(problems(LOAD), 0);
  assert.is(problems('load.head i32 4 v0, v1 + 0 limit 8196'), 0);
  assert.is(problems('load.head i32 4 v0, v1 + 0 limit 8197'), 1);
  assert.is(problems('load.head i32 4 v1, v1 + 0 limit 8'), 1);
});

test('what looks at a head, or is called with one that does, takes a request', () => {
  const module = parse(`module "m"

func internal p0_f1(v0: ptr, v1: i32) -> i64 stopped 0 1 {
b0:
  v2 = load.head i64 8 v0, v1 + 0 limit 8192
  return v2
}

func internal p0_f2(v0: ptr, v1: i32) -> i64 stopped 0 1 {
b0:
  v2 = call i64 p0_f1(v0, v1)
  return v2
}

func entry p0_authorize(v0: ptr) -> i32 stopped 240 241 {
b0:
  v1 = load.pointer i32 2 v0 + 204
  return v1
}
`);
  assert.equal([...requestFunctions(module)].sort(), ['p0_f1', 'p0_f2']);
  const lowered = lowerModule(module, { mayGoto: false });
  if (!lowered.ok) throw new Error('not lowered');
  assert.equal(
    lowered.functions.map((f) => f.input),
    ['request', 'request', 'connection'],
  );
});

test('a bundle has functions for requests only where a policy is asked about them', () => {
  const failure = { trap: 'deny', fuel: 'deny' } as const;
  const names = (exports: Parameters<typeof policyEntry>[2]['exports'] & {}): string[] =>
    buildDispatcher({
      policies: [policyEntry(0, 'a', { exports })],
      default: 'deny',
      failure,
    }).functions.map((f) => f.name);
  const both = ['weft_route_connection', 'weft_authorize_connection'];
  assert.equal(names(['authorizeConnection', 'routeConnection']), both);
  const all = [...both, 'weft_route_request', 'weft_authorize_request'];
  assert.equal(names(['authorizeRequest']), all);
  assert.equal(names(['authorizeConnection', 'routeRequest']), all);
});

test.run();
