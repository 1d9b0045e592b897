/** What lowering states of a function, and what it refuses: too long, too deep, too many values. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from '../../compiler/ir/index.js';
import { type Lowered, lowerModule } from '../../compiler/lower/index.js';
import { codeOf } from '../support/lower-code.js';

const test = suite('lower-limits');

const CHAIN = `
func entry f(v0: ptr) -> i32 stopped 240 241 {
b0:
  v1 = load.pointer i32 2 v0 + 204
  v2 = const i32 443
  v3 = eq v1, v2
  br_if v3, b1, b2
b1:
  v4 = load.pointer i32 4 v0 + 24
  v5 = const i32 5
  v6 = eq v4, v5
  br_if v6, b3, b2
b2:
  v7 = const i32 2
  return v7
b3:
  v8 = const i32 257
  return v8
}`;
const LOOP = `
func entry f(v0: ptr) -> i32 stopped 240 241 {
b0:
  v1 = load.pointer i32 1 v0 + 206
  v2 = load.pointer i32 1 v0 + 207
  v3 = const i32 0
  br b1(v3, v1, v2)
b1(v4: i32, v5: i32, v6: i32):
  v7 = may_goto
  v8 = const i32 1
  v9 = add i32 v4, v8
  v10 = const i32 5
  v11 = lt_u v9, v10
  br_if v11, b1(v9, v6, v5), b2
b2:
  v12 = sub i32 v5, v6
  return v12
}`;

test('the cost of a function is stated, a loop has no longest path', () => {
  const path = (ir: string): number | null => {
    const lowered = lowerModule(parse(`module "m"\n${ir.trim()}\n`), { mayGoto: false });
    return lowered.ok ? (lowered.functions[0]?.worstPath ?? null) : -1;
  };
  assert.is(path(CHAIN), 9);
  assert.is(path(LOOP), null);
});

test('what earlier passes should have removed is our own fault', () => {
  const refused = (body: string): (() => void) => {
    const ir = `func entry f(v0: ptr) -> i32 stopped 240 241 {\nb0:\n${body}\n}`;
    return () => codeOf(ir, false);
  };
  assert.throws(refused('v1 = abi i32 random()\nreturn v1'), /abi should have been/);
  assert.throws(
    refused('v1 = load.pointer i32 4 v0 + 0\nv2 = clz i32 v1\nreturn v2'),
    /clz should have been/,
  );
  assert.throws(
    refused('v1 = load.pointer i32 4 v0 + 0\nv2 = rotl i32 v1, v1\nreturn v2'),
    /rotl should have been/,
  );
});

/** Fields are kept, so that they take the stack of other values. */
const KEPT = { mayGoto: false, readAgainAbove: 10_000 };

/** `count` values that are all alive at the end. */
function pressure(count: number): string {
  const lines = ['func entry f(v0: ptr) -> i32 stopped 240 241 {', 'b0:'];
  for (let i = 1; i <= count; i++) lines.push(`v${i} = load.pointer i32 4 v0 + ${(i % 40) * 4} @0`);
  for (let i = 1; i <= count; i++) {
    lines.push(`v${count + i} = xor i32 v${i === 1 ? 1 : count + i - 1}, v${count + 1 - i} @0`);
  }
  lines.push(`return v${2 * count} @0`, '}');
  return `module "m"\nposition "p.ts" 3:5 "  return many;"\n${lines.join('\n')}\n`;
}

test('values beyond the registers go on the stack, up to its limit', () => {
  const few = lowerModule(parse(pressure(8)), KEPT);
  const some = lowerModule(parse(pressure(20)), KEPT);
  const many = lowerModule(parse(pressure(60)), KEPT);
  assert.ok(few.ok && some.ok && !many.ok);
  assert.is(few.functions[0]?.stack, 0);
  assert.ok((some.functions[0]?.stack ?? 0) > 0);
  const [found] = many.diagnostics;
  assert.is(found?.code, 'L001');
  assert.equal([found?.file, found?.line, found?.column], ['p.ts', 3, 5]);
});

test('stack of a function and of what it calls is added up', () => {
  const called = pressure(32)
    .replace('func entry f', 'func internal g')
    .replace(/^.*\n.*\n/, '');
  const calling = pressure(32).replace('return v64', 'v65 = call i32 g(v0) @0\nreturn v65');
  const [one, both] = [called, `${calling}${called}`].map((text) => lowerModule(parse(text), KEPT));
  assert.ok(one?.ok && both !== undefined && !both.ok);
  assert.match(both.diagnostics[0]?.message ?? '', /with what it calls/);
  // Of a function without a place in the source, where it is called.
  const placeless = pressure(36)
    .replace('func entry f', 'func internal g')
    .replace(/^.*\n.*\n/, '')
    .replaceAll(' @0', '');
  const calls = calling.replace(
    'position "p.ts" 3:5',
    'position "p.ts" 4:1 "x"\nposition "p.ts" 3:5',
  );
  const joined = `${calls.replace(/(call i32 g\(v0\)) @0/, '$1 @1')}${placeless}`;
  const deep = lowerModule(parse(joined), KEPT);
  assert.ok(!deep.ok);
  assert.equal(
    deep.diagnostics.map(({ code, line }) => [code, line]),
    [['L001', 3]],
  );
  // Where one function needs too much, its callers are no findings of their own.
  const alone = lowerModule(
    parse(`${pressure(60)}func dispatcher d(v0: ptr) -> i32 stopped 240 241 {
b0:
v1 = call i32 f(v0)
return v1
}
`),
    KEPT,
  );
  assert.ok(!alone.ok);
  assert.equal(
    alone.diagnostics.map(({ code, line }) => [code, line]),
    [['L001', 3]],
  );
});

/** Two ways that each use so many fields, all of which are asked before. */
function fields(count: number): string {
  const numbers = Array.from({ length: count }, (_, i) => i + 1);
  const asked = numbers.map(
    (i) => `v${i} = load.pointer i32 4 v0 + ${i * 4} @0
v${count + i} = xor i32 v${i === 1 ? 1 : count + i - 1}, v${i} @0`,
  );
  const way = (kind: string, from: number): string =>
    numbers
      .map(
        (i) =>
          `v${from + i} = ${kind} i32 v${i === 1 ? 2 * count : from + i - 1}, v${count + 1 - i} @0`,
      )
      .join('\n');
  return `module "m"
position "p.ts" 3:5 "x"
func entry f(v0: ptr) -> i32 stopped 240 241 {
b0:
${asked.join('\n')}
br_if v${2 * count}, b1, b2
b1:
${way('xor', 2 * count)}
return v${3 * count} @0
b2:
${way('add', 3 * count)}
return v${4 * count} @0
}
`;
}

test('fields are read again where keeping them would take much stack', () => {
  const [first] = parse(fields(50)).functions;
  assert.ok(first !== undefined);
  const lowered = [192, 10_000].map((readAgainAbove) => {
    const made = lowerModule(parse(fields(50)), { mayGoto: false, readAgainAbove });
    return made.ok ? (made.functions[0]?.stack ?? 0) : 'refused';
  });
  assert.equal(lowered, [0, 'refused']);
  // A store could change what they are.
  const storing = fields(50).replace('br_if', 'v300 = store.pointer 4 v0 + 8, v1 @0\nbr_if');
  assert.not.ok(lowerModule(parse(storing), { mayGoto: false }).ok);
});

test('too much stack is told where the most of it is in use, whoever calls', () => {
  const count = 60;
  const numbers = Array.from({ length: count }, (_, i) => i + 1);
  const loads = numbers
    .map((i) => `v${i} = load.pointer i32 4 v0 + ${(i % 40) * 4} @${i % 2}`)
    .join('\n');
  const uses = numbers
    .map((i) => `v${count + i} = xor i32 v${i === 1 ? 1 : count + i - 1}, v${count + 1 - i} @2`)
    .join('\n');
  const places = [5, 6, 9].map((line) => `position "p.ts" ${line}:1 "x"`).join('\n');
  const lowered = lowerModule(
    parse(`module "m"
${places}
func internal g(v0: ptr) -> i32 stopped 240 241 {
b0:
${loads}
${uses}
return v${2 * count} @2
}
func dispatcher d(v0: ptr) -> i32 stopped 240 241 {
b0:
v1 = load.pointer i32 8 v0 + 0
v2 = call i32 g(v0)
v3 = xor i32 v1, v2
return v3
}
`),
    KEPT,
  );
  assert.ok(!lowered.ok);
  const [found, more] = lowered.diagnostics;
  assert.is(more, undefined);
  assert.is(found?.code, 'L001');
  assert.match(found?.message ?? '', 'function `g`');
  assert.ok(found?.line === 5 || found?.line === 6, 'not where the values are used up');
});

/** A branch over `count` instructions. */
function far(count: number): Lowered {
  const lines = ['func entry f(v0: ptr) -> i32 stopped 240 241 {', 'b0:'];
  lines.push('v1 = load.pointer i32 4 v0 + 0', 'br_if v1, b1, b2', 'b1:');
  for (let i = 2; i < count; i++) lines.push(`v${i} = store.pointer 4 v0 + 0, v1`);
  lines.push('br b2', 'b2:', `v${count} = load.pointer i32 4 v0 + 4`, `return v${count}`, '}');
  return lowerModule(parse(`module "m"\n${lines.join('\n')}\n`), { mayGoto: false });
}

test('a function too long for its jumps is refused', () => {
  const [fits, long] = [far(32000), far(33000)];
  assert.ok(fits.ok && !long.ok);
  assert.is(long.diagnostics[0]?.code, 'L002');
});

/** f0 calls f1, f1 calls f2, ... the last calls `end`. */
function callChain(count: number, end: string): string[] {
  const names = Array.from({ length: count }, (_, i) => `f${i}`);
  const funcs = names.map((name, i) => {
    const callee = names[i + 1] ?? end;
    const body = callee === '' ? 'v1 = const i64 1' : `v1 = call i64 ${callee}(v0)`;
    return `func internal ${name}(v0: ptr) -> i64 stopped 240 241 {\nb0:\n${body}\nreturn v1\n}`;
  });
  const module = parse(`module "m"\n${funcs.join('\n')}\n`);
  const lowered = lowerModule(module, { mayGoto: false });
  return lowered.ok ? [] : lowered.diagnostics.map((d) => d.code);
}

test('recursion and deep chains of calls are refused, shorter ones are not', () => {
  assert.equal(callChain(6, ''), []);
  assert.equal(callChain(7, ''), ['L004']);
  assert.ok(callChain(2, 'f0').includes('L003'));
});

test.run();
