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

test('of a long line the part around the place is shown', () => {
  const at500 = { file: 'a', line: 1, column: 501, endColumn: 504 };
  const line = `${'x'.repeat(500)}abc${'y'.repeat(500)}`;
  const [, , , shown = '', marks = ''] = renderDiagnostic(
    diagnostic('P001', 'no', { at: at500 }),
    line,
    plain,
  ).split('\n');
  assert.is(shown, `1 | …${'x'.repeat(60)}abc${'y'.repeat(57)}…`);
  assert.is(marks.indexOf('^^^'), shown.indexOf('abc'));
  const whole = diagnostic('P001', 'no', {
    at: { file: 'a', line: 1, column: 1, endColumn: 2000 },
  });
  const [, , , all = '', under = ''] = renderDiagnostic(whole, 'z'.repeat(2000), plain).split('\n');
  assert.is(all, `1 | ${'z'.repeat(120)}…`);
  assert.is(under.length, 4 + 120);
  // A line that is not too long stays whole.
  const short = renderDiagnostic(diagnostic('P001', 'no', { at }), `a\n${'w'.repeat(200)}`, plain);
  assert.match(short, `2 | ${'w'.repeat(200)}\n`);
});

test('what a terminal would obey is made visible, in the line and in the message', () => {
  const d = diagnostic('P001', 'the name `\u001b[2J\u202e`', {
    at,
    notes: ['\u0007'],
    help: 'a\r\u0085b',
  });
  const text = renderDiagnostic(d, 'one\n\tab\u001b]0;x\u0007\u2066\n', plain);
  for (const char of '\u001b\u0007\u202e\u2066\r\u0085') assert.not.match(text, char);
  assert.match(text, '2 | \tab\ufffd]0;x\ufffd\ufffd\n');
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
