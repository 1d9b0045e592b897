import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { diagnostic, hasErrors } from '../../compiler/diagnostic/index.js';

const test = suite('diagnostic');

test('severity defaults to error and positions to null', () => {
  const d = diagnostic('L104', 'too big');
  assert.is(d.severity, 'error');
  assert.is(d.file, null);
  assert.is(d.line, null);
});

test('a warning alone is not an error', () => {
  assert.not(hasErrors([diagnostic('L104', 'hm', { severity: 'warning' })]));
  assert.ok(hasErrors([diagnostic('L104', 'no')]));
});

test.run();
