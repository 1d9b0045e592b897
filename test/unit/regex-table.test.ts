/**
 * Tables of regular expressions: the compiled image, walked as the compiled code walks it, against the plain
 * matcher of the simulator and against JavaScript's own; and what is refused.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseRegex } from '../../compiler/abi/index.js';
import type { PatternsDeclaration } from '../../compiler/frontend/types.js';
import { MAX_REGEX_TABLES, NO_BYTE, planRegexes, planTables } from '../../compiler/tables/index.js';
import { patternMatcher } from '../../runtime/simulate/patterns.js';
import { NO_DECLARATIONS } from '../support/abi-module.js';
import { compileTexts } from '../support/compile-texts.js';
import { Prng } from '../support/prng.js';
import { findings } from './frontend-project.js';

const test = suite('regex-table');
type Entries = PatternsDeclaration['entries'];

/** The value for a text by the image alone; null where there are too many states. */
function imageOf(entries: Entries): ((text: string) => number | undefined) | null {
  const plan = planRegexes({ entries });
  if (typeof plan === 'string') return null;
  const view = new DataView(plan.bytes.buffer);
  const entry = (at: number): number =>
    plan.width === 2
      ? view.getUint16(plan.rowsAt + 2 * at, true)
      : view.getUint32(plan.rowsAt + 4 * at, true);
  return (text) => {
    let row = plan.start;
    // As in the kernel: whole words, with what is no byte behind the text.
    for (let i = 0; i < Math.ceil(text.length / 8) * 8; i++) {
      const symbol = i < text.length ? text.charCodeAt(i) : NO_BYTE;
      row = entry(row + view.getUint8(symbol));
      if (i % 8 === 7 && row >= plan.settled) break;
    }
    const answer = entry(row + plan.row - 1);
    return answer === 0 ? undefined : view.getUint32(plan.answersAt + 4 * answer, true);
  };
}

function lookUp(entries: Entries): (text: string) => number | undefined {
  const image = imageOf(entries);
  if (image === null) throw new Error('too many states');
  return image;
}

const ATOMS = [
  'a',
  'b',
  'c',
  '.',
  '[ab]',
  '[^a]',
  '\\d',
  '\\w',
  '[a-c0]',
  '0',
  '\\.',
  '\\W',
  '[^\\d]',
];
const COUNTS = ['*', '+', '?', '{2}', '{1,3}', '{0,2}', '{2,}', '*?'];

function expression(random: Prng, depth = 0): string {
  const parts = Array.from({ length: 1 + random.below(4) }, () => {
    const group = depth < 3 && random.chance(25);
    const part = group
      ? `(${random.chance(50) ? '?:' : ''}${expression(random, depth + 1)})`
      : random.pick(ATOMS);
    return random.chance(35) ? part + random.pick(COUNTS) : part;
  }).join('');
  const anchored = random.chance(5) ? `^${parts}` : random.chance(5) ? `${parts}$` : parts;
  return random.chance(20) ? `${anchored}|${expression(random, depth + 1)}` : anchored;
}

function subject(random: Prng): string {
  return Array.from({ length: random.below(20) }, () => random.pick([...'aabbcc00.9_-A'])).join('');
}

for (const seed of [1, 2, 3, 4]) {
  test(`random expressions, as JavaScript and the simulator say (${seed})`, () => {
    const random = new Prng(seed);
    let decided = 0;
    for (let round = 0; round < 40; round++) {
      const entries = Array.from({ length: 1 + random.below(4) }, (_, i) => ({
        text: (random.chance(10) ? '(?i)' : '') + expression(random),
        value: i + 7,
      }));
      const compiled = imageOf(entries);
      if (compiled === null) continue;
      decided += 1;
      const plain = patternMatcher({
        name: 't',
        kind: 'regex',
        entries: entries.map((e) => [e.text, e.value]),
      });
      const own = [...new Map(entries.map((e) => [e.text, e.value]))].map(([text, value]) => {
        const body = text.replace(/^\(\?i\)/, '');
        return { value, regexp: new RegExp(`^(?:${body})$`, body === text ? '' : 'i') };
      });
      for (let i = 0; i < 60; i++) {
        const text = subject(random);
        const want = own.find(({ regexp }) => regexp.test(text))?.value;
        const said = `${JSON.stringify(text)} in ${entries.map((e) => e.text).join('  ')}`;
        assert.is(compiled(text), want, `compiled: ${said}`);
        assert.is(plain(text), want, `simulator: ${said}`);
      }
    }
    assert.ok(decided >= 36, `${decided} of 40`);
  });
}

test('bytes above 127 and line feeds, as RE2 says', () => {
  const rows: [string, string, boolean][] = [
    ['.', '\xff', true],
    ['.', '\n', false],
    ['(?s).', '\n', true],
    ['(?s:.)', '\n', true],
    ['[^a]', '\n', true],
    ['[^a]', '\xe9', true],
    ['\\S', '\xa0', true],
    ['\\s', '\x0b', false],
    ['\\s', '\xa0', false],
    ['.', '\r', true],
    ['(?i)[^k]', 'K', false],
    ['(?i)[a-c]X', 'Bx', true],
    ['a(?i:b)c', 'aBc', true],
    ['a(?i:b)c', 'aBC', false],
    ['(?i)a(?-i:b)', 'Ab', true],
    ['(?i)a(?-i:b)', 'AB', false],
    ['^$', '', true],
    ['$^', '', true],
    ['a^b', 'ab', false],
    ['', '', true],
    ['', 'a', false],
    ['a{3}', 'aa', false],
    ['\\x41', 'A', true],
    ['(a*)*', 'aaaa', true],
    ['(a|b*)+c', 'abbac', true],
  ];
  for (const [text, subject, want] of rows) {
    const entries = [{ text, value: 1 }];
    assert.is(lookUp(entries)(subject) === 1, want, `${text} of ${JSON.stringify(subject)}`);
    const plain = patternMatcher({ name: 't', kind: 'regex', entries: [[text, 1]] });
    assert.is(plain(subject) === 1, want, `simulator: ${text} of ${JSON.stringify(subject)}`);
  }
});

test('what RE2 refuses or reads otherwise is refused with the reason', () => {
  const rows: [string, RegExp][] = [
    ['(a)\\1', /back reference `\\1` needs unbounded state/],
    ['(?<n>a)\\k<n>', /back reference/],
    ['a(?=b)', /looks around/],
    ['a(?!b)', /looks around/],
    ['(?<=a)b', /looks around/],
    ['a\\b', /looks at the byte that follows/],
    ['a{1001}', /more than 1000 times/],
    ['a{1,1001}', /more than 1000 times/],
    ['[]a]', /is empty/],
    ['[^]', /is empty/],
    ['[[:alpha:]]', /by its name/],
    ['\\pL', /escape `\\p`/],
    ['\\Aa', /escape `\\A`/],
    ['\\cA', /escape `\\cA`/],
    ['\\u0041', /escape `\\u0041`/],
    ['\\0', /escape `\\0`/],
    ['[\\b]', /escape `\\b`/],
    ['é', /is not ASCII/],
    ['\\xe9', /is not ASCII/],
    ['(?m)a', /./],
    ['(a', /./],
    ['a**', /./],
    ['[b-a]', /./],
    ['a'.repeat(1025), /longer than 1024/],
    [`${'('.repeat(101)}a${')'.repeat(101)}`, /100 deep/],
  ];
  for (const [text, reason] of rows) {
    const parsed = parseRegex(text);
    assert.ok(!parsed.ok, text);
    if (!parsed.ok) assert.match(parsed.reason, reason);
  }
});

test('at its line', async () => {
  const found = await findings(`const kinds = new RegexTable<u32>("k").set("/ok/[a-z]+", 1);
kinds.set("(a)\\\\1", 1);
export function authorizeConnection(connection: Connection): Verdict { return Verdict.Allow; }
`);
  assert.equal(
    found.map((text) => text.replace(/:\d+ /, ' ')),
    [
      'P129 policy.ts:3 "(a)\\\\1" is no regular expression here: the back reference `\\1` needs unbounded state',
    ],
  );
});

test('states that lead alike are one, and settled ones come last', () => {
  const plan = planRegexes({ entries: [{ text: '(?s)(aa|ba|ca)x.*', value: 1 }] });
  assert.ok(typeof plan !== 'string');
  if (typeof plan === 'string') return;
  // The beginning, one letter, two; behind them those that nothing leaves: no and yes.
  assert.is(plan.states, 5);
  assert.is(plan.settled, 3 * plan.row);
});

test('expressions that multiply each other are refused with the number', () => {
  const uses = {
    ...{ tables: new Set<number>(), cidrs: new Set<number>(), ports: new Set<number>() },
    ...{
      views: new Set<number>(),
      keys: new Set<number>(),
      rules: new Set<number>(),
      patterns: new Set([0]),
      symbolOf: () => 0,
      maxSetBytes: 0,
    },
  };
  const refused = (texts: readonly string[]): unknown => {
    const entries = texts.map((text) => ({ text, value: 1 }));
    const table = {
      name: 't',
      kind: 'regex',
      entries,
      at: { file: 'policy.ts', line: 5, column: 1 },
    } as const;
    const { diagnostics } = planTables({ ...NO_DECLARATIONS, patterns: [table] }, uses);
    return diagnostics.map((d) => [d.code, d.line, d.message]);
  };
  assert.equal(refused(['.*a.{16}']), [
    ['T106', 5, 'the 1 expressions of table `t` make more than 20000 states'],
  ]);
  assert.equal(refused(['((a{100}){100}){100}']), [
    ['T106', 5, 'the 1 expressions of table `t` make more than 100000 places'],
  ]);
  assert.equal(refused(['.*a.{8}']), []);
});

test('more tables than a kernel can walk', async () => {
  const policy = (count: number): string => `import { RegexTable, Request, Verdict } from "weft";
${Array.from({ length: count }, (_, i) => `const t${i} = new RegexTable<bool>("t${i}").set("/a.*", true);`).join('\n')}
export function authorizeRequest(request: Request): Verdict {
  return ${Array.from({ length: count }, (_, i) => `t${i}.has(request.path)`).join(' || ')} ? Verdict.Allow : Verdict.Deny;
}
`;
  const codes = async (count: number, kernels: readonly string[]): Promise<unknown> => {
    const outcome = await compileTexts(new Map([['policy.ts', policy(count)]]), { kernels });
    return outcome.diagnostics.map((d) => [d.code, d.line]);
  };
  assert.equal(await codes(MAX_REGEX_TABLES + 1, ['6.12']), [['T107', 6]]);
  assert.equal(await codes(MAX_REGEX_TABLES, ['6.12']), []);
  // Kernels before 6.9 walk each byte that one may look at.
  assert.equal(await codes(MAX_REGEX_TABLES, ['6.1']), []);
});

test.run();
