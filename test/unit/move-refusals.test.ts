/** Refusals of code are told where the policy wrote it, whatever asc made of it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { diagnostic } from '../../compiler/diagnostic/index.js';
import { moveRefusals } from '../../compiler/move-refusals.js';
import { compileTexts } from '../support/compile-texts.js';

const test = suite('move refusals');

/** `CODE line` of each finding; the policy's function begins at line 3. */
async function findings(top: string, body: readonly string[]): Promise<string[]> {
  const text = `import { Connection, Verdict } from "weft";\n${top}\nexport function authorizeConnection(connection: Connection): Verdict {\n${body.join('\n')}\n}\n`;
  const { diagnostics } = await compileTexts(new Map([['a.ts', text]]));
  return diagnostics.map((d) => `${d.code} ${d.line}`);
}

const PORT = 'const port = connection.destination.port;';
const rows: readonly (readonly [string, string, readonly string[], readonly string[]])[] = [
  [
    'an object of the top level',
    'class State { count: u32 = 0; } const state = new State();',
    ['state.count++;', 'return state.count > 3 ? Verdict.Deny : Verdict.Allow;'],
    ['I102 4'],
  ],
  [
    'a list of the top level',
    'const hits: u32[] = [0, 0];',
    ['hits[0] += 1;', 'return hits[0] > 100 ? Verdict.Deny : Verdict.Allow;'],
    ['I102 4'],
  ],
  [
    'a Map of the top level',
    'const hits = new Map<u32, u32>();',
    [PORT, 'hits.set(port, 1);', 'return hits.size > 9 ? Verdict.Deny : Verdict.Allow;'],
    ['I102 5'],
  ],
  [
    'a list that may grow, behind a loop with a counter of its own',
    '',
    [
      'const counts: u32[] = [0, 0, 0];',
      'for (let i: u32 = 0; i < connection.destination.port % 90; i++) {',
      '  counts[connection.source.address.word(i & 3) & 1]++;',
      '}',
      'return counts[0] == 3 ? Verdict.Allow : Verdict.Deny;',
    ],
    ['I103 6'],
  ],
  [
    'a text, and two writes behind each other',
    'class State { a: u32 = 0; } const state = new State();',
    [
      'const name = "p" + connection.destination.port.toString();',
      'state.a = connection.destination.port;',
      'return name.length == <i32>state.a ? Verdict.Deny : Verdict.Allow;',
    ],
    ['I103 4', 'I102 5'],
  ],
];
for (const [name, top, body, want] of rows)
  test(name, async () => {
    assert.equal(await findings(top, body), want);
  });

test('each is told at the nearest place before it, else behind it, and other codes stay', () => {
  const at = (code: string, line: number, file = 'a.ts') =>
    diagnostic(code, 'm', { at: { file, line, column: 1 } });
  const said = (found: readonly ReturnType<typeof at>[]): string[] =>
    found.map((d) => `${d.code} ${d.file}:${d.line}`);
  const found = [at('I103', 9), at('I102', 5), at('I102', 6), at('I107', 7), at('I104', 8)];
  const written = [3, 4, 6, 8].map((line) => at('I102', line));
  const asWritten = [...written, at('I103', 10), at('I107', 1)];
  assert.equal(said(moveRefusals(found, asWritten)), [
    'I102 a.ts:4',
    'I102 a.ts:6',
    'I107 a.ts:7',
    'I104 a.ts:8',
    'I103 a.ts:10',
  ]);
  assert.equal(said(moveRefusals([at('I102', 5)], [at('I102', 5, 'b.ts')])), ['I102 a.ts:5']);
});

test.run();
