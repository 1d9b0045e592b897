/** The IR's memory for recursion: its text, what the verifier says of it, what the evaluator makes of it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FRAME_WORDS } from '../../compiler/abi/index.js';
import { evaluate, parse, print, verifyModule } from '../../compiler/ir/index.js';

const LAST = 8 * (FRAME_WORDS - 1);

const text = (line: string): string => `module "t"

func entry f(v0: ptr) -> i32 stopped 240 241 {
b0:
  v1 = const i32 8192
  v2 = const i32 120
  v3 = const i64 77
  v4 = frame take v1 + 0
  ${line}
  v7 = frame load v1, v2 + 8
  v8 = wrap v7
  v9 = frame release v1 + 0
  return v8
}
`;
const STORE = 'v5 = frame store v1, v2, v3 + 8';

const test = suite('frame');

test('round-trips as text', () => {
  const module = parse(text(STORE));
  assert.is(print(parse(print(module))), print(module));
  assert.match(print(module), /frame store v1, v2, v3 \+ 8/);
});

test('what is stored is loaded, and another word is not it', () => {
  const value = (line: string): bigint =>
    evaluate(parse(text(line)), 'f', { pointers: [new Uint8Array(8)] }).value;
  assert.is(value(STORE), 77n);
  assert.is(value('v5 = frame store v1, v2, v3 + 16'), 0n);
});

test('an offset stays in a frame and is that of a word; words are i64', () => {
  const problems = (line: string): number => verifyModule(parse(text(line))).length;
  assert.is(problems(STORE), 0);
  assert.is(problems(`v5 = frame store v1, v2, v3 + ${LAST}`), 0);
  assert.is(problems(`v5 = frame store v1, v2, v3 + ${LAST + 8}`), 1);
  assert.is(problems('v5 = frame store v1, v2, v3 + 4'), 1);
  assert.is(problems('v5 = frame store v1, v2, v2 + 8'), 1);
});

test.run();
