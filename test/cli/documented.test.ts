/** The command lines in README and docs are what the tool takes; README's tour runs. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { COMMANDS } from '../../runtime/cli/command/index.js';
import { weft, withFolder } from './harness.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

function pages(dir: string): string[] {
  return readdirSync(dir).flatMap((name) => {
    const path = join(dir, name);
    if (statSync(path).isDirectory()) return pages(path);
    return name.endsWith('.md') ? [path] : [];
  });
}

/** Arguments of every `weft …` in the shell blocks of a page, in order. */
function commands(text: string): string[][] {
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)]
    .flatMap((match) => (match[1] ?? '').split('\n'))
    .flatMap((line) => line.replace(/\s#.*$/, '').split('&&'))
    .map((command) => command.trim().split(/\s+/))
    .filter(([program]) => program === 'weft')
    .map(([, ...args]) => args);
}

/** What the tool does not know of a command line; null for nothing. */
function judge([verb = '', ...args]: readonly string[]): string | null {
  const spec = COMMANDS.find((command) => command.name === verb);
  if (spec === undefined) return `no verb \`${verb}\``;
  const known = spec.options.flatMap(({ flags }) => flags.match(/--?[a-z-]+/g) ?? []);
  // Behind `--` stands another command line.
  const own = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
  const flags = own.filter((arg) => arg.startsWith('-'));
  const bad = flags.filter((flag) => !['-o', '--output', '--help', ...known].includes(flag));
  if (bad.length > 0) return `\`weft ${verb}\` has no ${bad.join(', ')}`;
  return null;
}

const test = suite('documented commands');
const readme = readFileSync(join(root, 'README.md'), 'utf8');

test('every command line is known', () => {
  const texts = [
    join(root, 'README.md'),
    ...pages(join(root, 'docs')),
    ...pages(join(root, 'policies')),
  ];
  const found = texts.flatMap((page) => commands(readFileSync(page, 'utf8')));
  assert.ok(found.length > 15, String(found.length));
  assert.equal(
    found.flatMap((args) => judge(args) ?? []),
    [],
  );
});

test('an unknown verb or flag is told', () => {
  assert.is(judge(['fly']), 'no verb `fly`');
  assert.is(judge(['build', '--fast']), '`weft build` has no --fast');
});

test('the tour of README runs as far as it needs no kernel', () =>
  withFolder(async (folder) => {
    const tour = commands(readme);
    const upTo = tour.findIndex(([verb]) => verb === 'load');
    assert.ok(upTo >= 4);
    let cwd = folder;
    for (const args of tour.slice(0, upTo)) {
      const { exit, stderr } = await weft(args, { cwd });
      assert.is(exit, 0, `weft ${args.join(' ')}: ${stderr}`);
      if (args[0] === 'init') cwd = join(folder, args[1] ?? '');
    }
  }));

test.run();
