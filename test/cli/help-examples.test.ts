/** The examples in `--help` are what happens: those of a new project run, one after the other, and print what they show. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { COMMANDS } from '../../runtime/cli/command/index.js';
import { weft } from './harness.js';

const test = suite('examples of help');
/** In an order in which each has what it needs; with the exit code. */
const RUN: readonly (readonly [string, number])[] = [
  ['init', 0],
  ['check', 0],
  ['build', 0],
  ['inspect', 0],
  ['simulate', 0],
  ['test', 0],
  ['explain', 2],
  ['bench', 0],
  ['lint', 0],
  ['keygen', 0],
  ['sign', 0],
  ['version', 0],
];

let cwd = '';
test.before(() => {
  cwd = mkdtempSync(join(tmpdir(), 'weft-examples-'));
});
test.after(() => rmSync(cwd, { recursive: true, force: true }));

/** The first command line of an example, and the lines that it shows. */
function exampleOf(name: string): { readonly args: readonly string[]; readonly shown: string[] } {
  const text = COMMANDS.find((command) => command.name === name)?.example ?? '';
  const [line = '', ...shown] = (text.split('\n\n$ ')[0] ?? '').split('\n');
  const [prompt, program, ...args] = line.split(' ');
  assert.equal([prompt, program], ['$', 'weft'], name);
  return { args, shown };
}

/** `…` stands for anything within a line, alone for any lines. */
function patternOf(shown: readonly string[]): RegExp {
  const parts = shown.map((line) => {
    if (line === '…') return '(?:.*\n)*?';
    return `${line
      .split('…')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}\n`;
  });
  return new RegExp(`^${parts.join('')}$`);
}

for (const [name, exit] of RUN) {
  test(`weft ${name}`, async () => {
    const { args, shown } = exampleOf(name);
    const told = await weft([...args], { cwd });
    assert.is(told.exit, exit, told.stdout + told.stderr);
    assert.match(told.stdout, patternOf(shown));
  });
}

test('an example that shows something else would be seen', () => {
  assert.match('a 1\nb\nc\n', patternOf(['a …', '…', 'c']));
  assert.not.match('a 1\nb\nd\n', patternOf(['a …', '…', 'c']));
});

test.run();
