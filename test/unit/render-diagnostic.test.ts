import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { diagnostic, renderDiagnostic, summarize } from '../../compiler/diagnostic/index.js';

const test = suite('render diagnostic');
const plain = { color: false };
const at = { file: 'policies/a.ts', line: 2, column: 7, endLine: 2, endColumn: 10 };

test('the source line with a caret range, notes and help', () => {
  const d = diagnostic('L104', 'too big', { at, notes: ['a note'], help: 'make it small' });
  assert.is(
    renderDiagnostic(d, 'one\nconst abc = 1;\n', plain),
    [
      'error[L104]: too big',
      ' --> policies/a.ts:2:7',
      '  |',
      '2 | const abc = 1;',
      '  |       ^^^',
      '  = note: a note',
      '  = help: make it small',
      '',
    ].join('\n'),
  );
});

test('without the source only the place', () => {
  const text = renderDiagnostic(diagnostic('L104', 'too big', { at }), null, plain);
  assert.is(text, 'error[L104]: too big\n --> policies/a.ts:2:7\n');
});

test('without a place only the message', () => {
  assert.is(renderDiagnostic(diagnostic('K001', 'no'), null, plain), 'error[K001]: no\n');
});

test('tabs and wide characters before the range keep the caret in place', () => {
  const line = '\tx("\u6f22\u5b57", y)';
  const d = diagnostic('P001', 'no', { at: { file: 'a', line: 1, column: 9, endColumn: 10 } });
  assert.is(renderDiagnostic(d, line, plain).split('\n')[4], '  | \t         ^');
});

test('a range past the end of the line is one caret after it', () => {
  const d = diagnostic('P001', 'no', { at: { file: 'a', line: 1, column: 99 } });
  assert.is(renderDiagnostic(d, 'abc', plain).split('\n')[4], '  |    ^');
});

test('a range over several lines marks the rest of the first', () => {
  const d = diagnostic('P001', 'no', {
    at: { file: 'a', line: 1, column: 2, endLine: 3, endColumn: 1 },
  });
  assert.is(renderDiagnostic(d, 'abcd\nef\ng', plain).split('\n')[4], '  |  ^^^');
});

test('colour only where asked', () => {
  const d = diagnostic('P001', 'no');
  assert.match(renderDiagnostic(d, null, { color: true }), '\u001b[1;31merror[P001]\u001b[0m');
  assert.not.match(renderDiagnostic(d, null, plain), '\u001b');
});

test('summary counts by severity', () => {
  const warning = diagnostic('P001', 'hm', { severity: 'warning' });
  assert.is(summarize([]), 'no findings');
  assert.is(summarize([warning]), '1 warning');
  assert.is(
    summarize([diagnostic('P', 'a'), diagnostic('P', 'b'), warning]),
    '2 errors, 1 warning',
  );
});

test.run();
