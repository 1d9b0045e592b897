/**
 * Tables of patterns: what was planned, read as the compiled code reads it, against the plain search of
 * the simulator; and what is refused.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { viewHash } from '../../compiler/abi/index.js';
import type { PatternsDeclaration } from '../../compiler/frontend/types.js';
import {
  HOST_STATE,
  type HostPlan,
  LENGTH_BITS,
  type PathPlan,
  planPatterns,
  planTables,
  STATE_BYTES,
  TEXT_HEADER_BYTES,
  textKey,
} from '../../compiler/tables/index.js';
import { patternMatcher } from '../../runtime/simulate/patterns.js';
import { NO_DECLARATIONS } from '../support/abi-module.js';
import { slotIn } from '../support/perfect-hash.js';
import { Prng } from '../support/prng.js';
import { findings } from './frontend-project.js';

const test = suite('pattern-table');

function table(kind: 'path' | 'host', texts: readonly string[]): PatternsDeclaration {
  const entries = texts.map((text, i) => ({ text, value: i + 7 }));
  return { name: 't', kind, entries, at: { file: 'policy.ts', line: 5, column: 1 } };
}

/** The target that a text has in a state, by the image alone. */
function textTarget({ texts }: PathPlan | HostPlan, state: number, text: string): number | null {
  if (texts === null) return null;
  const bytes = new TextEncoder().encode(text);
  const { hash, slot } = slotIn(texts, textKey(state, viewHash(bytes)));
  const view = new DataView(texts.bytes.buffer);
  const place = (view.getUint32(4 * slot, true) ^ Number(hash >> 32n)) >>> 0;
  if (place >= texts.places) return null;
  const at = texts.recordsAt + 8 * place;
  const tag = view.getUint32(at, true);
  if (tag !== state * 2 ** LENGTH_BITS + bytes.length) return null;
  const from = at + TEXT_HEADER_BYTES;
  const stored = texts.bytes.subarray(from, from + bytes.length);
  return stored.every((byte, i) => byte === bytes[i]) ? view.getUint32(at + 4, true) : null;
}

/** The answer for a text by the image, as compiler/passes/pattern-functions.ts finds it. */
function look(plan: PathPlan | HostPlan, text: string): number | undefined {
  const view = new DataView(plan.bytes.buffer);
  const value = (answer: number): number | undefined =>
    answer === 0 ? undefined : view.getUint32(plan.answersAt + 4 * answer, true);
  if (plan.kind === 'host') {
    const host = (text.split(':')[0] ?? '').toLowerCase();
    if (host === '') return undefined;
    const find = (kind: keyof typeof HOST_STATE, part: string): number | null =>
      part.length <= 64 && ((plan.lengths[kind] >> BigInt(part.length - 1)) & 1n) === 1n
        ? textTarget(plan, HOST_STATE[kind], part)
        : null;
    let found = find('name', host);
    for (let dot = host.indexOf('.', 1); dot > 0 && found === null; ) {
      found = find('suffix', host.slice(dot));
      dot = host.indexOf('.', dot + 1);
    }
    return value(found ?? plan.any);
  }
  if (text === '') return value(plan.nothing);
  if (!text.startsWith('/')) return undefined;
  let state = plan.root;
  const rowOf = (of: number): number => plan.statesAt + Math.min(of, plan.rows) * STATE_BYTES;
  const elements = text.slice(1).split('/');
  for (const [i, element] of elements.entries()) {
    const at = rowOf(state);
    const other = view.getUint32(at + (element === '' ? 4 : 0), true);
    state = textTarget(plan, state, element) ?? other;
    const answer = state - plan.states;
    if (answer >= plan.answers) {
      return value(i === elements.length - 1 ? answer - plan.answers : 0);
    }
    if (answer >= 0) return value(answer);
  }
  return value(view.getUint32(rowOf(state) + 8, true));
}

function compare(declared: PatternsDeclaration, probes: readonly string[]): void {
  const plan = planPatterns(declared);
  if (plan === null) throw new Error('does not fit');
  const { name, kind, entries } = declared;
  const plain = patternMatcher({ name, kind, entries: entries.map((e) => [e.text, e.value]) });
  for (const probe of probes) {
    assert.is(look(plan, probe), plain(probe), `${probe} in ${entries.map((e) => e.text)}`);
  }
}

for (const seed of [1, 2, 3, 4]) {
  test(`random patterns of paths, as the plain search says (${seed})`, () => {
    const random = new Prng(seed);
    const parts = ['a', 'b', 'ab', '{x}', '*', '', 'a'.repeat(64)];
    const element = (): string => random.pick(parts);
    for (let round = 0; round < 60; round++) {
      const texts = Array.from({ length: 1 + random.below(12) }, () => {
        const rest = random.chance(30) ? '/**' : '';
        const elements = Array.from({ length: random.below(5) }, () => `/${element()}`).join('');
        return `${elements}${rest}` || '/';
      });
      const words = ['a', 'b', 'ab', 'c', '', 'a'.repeat(64), 'a'.repeat(65)];
      const probes = Array.from({ length: 120 }, () =>
        Array.from({ length: random.below(7) }, () => `/${random.pick(words)}`).join(''),
      );
      compare(table('path', texts), ['', '/', '//', '*', 'a/b', ...probes]);
    }
  });

  test(`random names of hosts, as the plain search says (${seed})`, () => {
    const random = new Prng(seed);
    const label = (): string => random.pick(['a', 'b', 'ab', 'A-b', 'x_y']);
    const labels = (least: number): string =>
      Array.from({ length: least + random.below(4) }, label).join('.');
    for (let round = 0; round < 60; round++) {
      const texts = Array.from({ length: 1 + random.below(12) }, () =>
        random.chance(8) ? '*' : `${random.chance(50) ? '*.' : ''}${labels(1)}`,
      );
      const probes = Array.from({ length: 120 }, () =>
        random.pick([
          labels(1),
          `.${labels(1)}`,
          `${labels(1)}.`,
          `${labels(1)}:80`,
          `A..${labels(1)}`,
        ]),
      );
      compare(table('host', texts), ['', '.', ':80', '*', ...probes]);
    }
  });
}

test('states with equal futures are one', () => {
  const texts = Array.from({ length: 100 }, (_, i) => `/svc-${i}/users/{id}/posts`);
  const entries = texts.map((text) => ({ text, value: 1 }));
  const plan = planPatterns({ ...table('path', []), entries });
  assert.ok(plan?.kind === 'path' && plan.states <= 4);
});

test('10,000 templates with a value each: near linear, at most three times what was written', () => {
  const texts = Array.from({ length: 10_000 }, (_, i) =>
    i % 3 === 0 ? `/tenant-${i}/orders/{order}` : `/tenant-${i}/items/{item}/parts/**`,
  );
  const plan = planPatterns(table('path', texts));
  assert.ok(plan !== null);
  const written = texts.reduce((sum, text) => sum + text.length + 4, 0);
  assert.ok((plan?.bytes.length ?? Infinity) <= 3 * written, `${plan?.bytes.length} of ${written}`);
});

test('patterns that multiply each other are refused with the number', () => {
  const bits = Array.from({ length: 22 }, (_, i) => i);
  const texts = bits.map(
    (bit) => `/${bits.map((b) => (b === bit ? 'on' : '{x}')).join('/')}/${bit}`,
  );
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
  const { diagnostics } = planTables(
    { ...NO_DECLARATIONS, patterns: [table('path', texts)] },
    uses,
  );
  assert.equal(
    diagnostics.map((d) => [d.code, d.line, d.message]),
    [['T105', 5, 'the 22 patterns of table `t` make more than 1048576 transitions']],
  );
  const many = { ...table('path', []), entries: new Array(262_145).fill({ text: '/a', value: 1 }) };
  const over = planTables({ ...NO_DECLARATIONS, patterns: [many] }, uses);
  assert.equal(
    over.diagnostics.map((d) => [d.code, d.message]),
    [['T104', 'table `t` has 262145 patterns, at most 262144']],
  );
});

test('what is no pattern is an error at its line', async () => {
  const found = await findings(`const paths = new PathTable<u32>("p").set("/ok/{x}/**", 1);
paths.set("users", 1);
paths.set("/a{x}", 1).set("/**/a", 2);
const hosts = new HostTable<bool>("h").set("*.ok.io", true);
hosts.set("a.*.io", true);
hosts.set("*io", true).set("a..b", true);
hosts.set("" , true);
export function authorizeConnection(connection: Connection): Verdict { return Verdict.Allow; }
`);
  assert.equal(
    found.map((text) => text.replace(/:\d+ /, ' ')),
    [
      'P128 policy.ts:3 "users" is no pattern of a path',
      'P128 policy.ts:4 "/a{x}" is no pattern of a path',
      'P128 policy.ts:4 "/**/a" is no pattern of a path',
      'P128 policy.ts:6 "a.*.io" is no pattern of a host',
      'P128 policy.ts:7 "*io" is no pattern of a host',
      'P128 policy.ts:7 "a..b" is no pattern of a host',
      'P128 policy.ts:8 "" is no pattern of a host',
    ],
  );
});

test.run();
