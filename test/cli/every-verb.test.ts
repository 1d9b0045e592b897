/** What holds of every verb, whatever it does: found by walking the table of commands. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { COMMANDS } from '../../runtime/cli/command/index.js';
import { EXIT } from '../../runtime/cli/exit.js';
import { weft, withFolder } from './harness.js';

const test = suite('every verb');

/** Verbs that serve until they are told to end: here they are told at once. */
const SERVES: ReadonlySet<string> = new Set(['playground']);

/** A command line that parses: what is required is given, and names nothing that there is. */
function someArguments(spec: (typeof COMMANDS)[number]): string[] {
  const required = spec.arguments.filter(({ syntax }) => syntax.startsWith('<'));
  const options = spec.options.filter((option) => option.required === true);
  return [
    ...required.map(({ choices }) => choices?.[0] ?? 'no-such-thing'),
    ...options.flatMap(({ flags, choices }) => [
      /--[a-z-]+/.exec(flags)?.[0] ?? '',
      choices?.[0] ?? 'no-such-thing',
    ]),
  ];
}

for (const spec of COMMANDS.filter(({ formats }) => formats.includes('json'))) {
  test(`${spec.name} -o json prints one document, also on failure`, () =>
    withFolder(async (cwd) => {
      const args = someArguments(spec);
      for (const line of [
        [spec.name, ...args, '-o', 'json'],
        [spec.name, ...args, '-o', 'json', '--no-such-option'],
        [spec.name, '-o', 'json', ...Array.from({ length: 9 }, () => 'no-such-thing')],
      ]) {
        const world = SERVES.has(spec.name) ? { cwd, signal: AbortSignal.abort() } : { cwd };
        const { exit, stdout, stderr } = await weft(line, world);
        const document = JSON.parse(stdout);
        assert.is(document.schemaVersion, 1, line.join(' '));
        assert.ok(Array.isArray(document.diagnostics));
        assert.ok((Object.values(EXIT) as number[]).includes(exit), `${line.join(' ')}: ${exit}`);
        const isSilent: readonly number[] = [
          EXIT.ok,
          EXIT.unsupported,
          EXIT.failure,
          EXIT.interrupted,
        ];
        if (!isSilent.includes(exit))
          assert.ok(document.diagnostics.length > 0 || exit === EXIT.denied, stdout);
        if (exit === EXIT.usage) assert.is(stderr, '');
      }
    }));
}

for (const spec of COMMANDS) {
  test(`${spec.name}: every option says what it is for, every choice is kept`, async () => {
    const { stdout } = await weft([spec.name, '--help']);
    for (const { flags, description, choices = [] } of spec.options) {
      assert.ok(description.length > 0, flags);
      const long = /--[a-z-]+/.exec(flags)?.[0] ?? '';
      assert.match(stdout, long);
      if (choices.length === 0) continue;
      const args = someArguments(spec);
      const { exit } = await weft([spec.name, ...args, long, 'no-such-choice']);
      assert.is(exit, EXIT.usage, `${spec.name} ${long}`);
    }
  });
}

for (const [shell, check] of [
  ['bash', ['-n']],
  ['zsh', ['-n']],
  ['fish', ['--no-execute']],
] as const) {
  test(`completion for ${shell} names every verb and every long option`, async () => {
    const { exit, stdout } = await weft(['completion', shell]);
    assert.is(exit, EXIT.ok);
    for (const { name, options } of COMMANDS) {
      const lines = stdout.split('\n').filter((line) => line.includes(name));
      assert.ok(lines.length > 0, name);
      for (const { flags } of options) {
        const long = /--([a-z-]+)/.exec(flags)?.[1] ?? '';
        assert.ok(
          lines.some((line) => line.includes(long)),
          `${name} --${long}`,
        );
      }
    }
    const found = spawnSync(shell, ['--version']);
    if (found.error !== undefined) {
      assert.is(shell === 'bash', false, 'bash is everywhere');
      return;
    }
    // Not by standard input: fish reads no socket.
    await withFolder(async (folder) => {
      const script = join(folder, 'script');
      writeFileSync(script, stdout);
      const judged = spawnSync(shell, [...check, script], { encoding: 'utf8' });
      assert.is(judged.status, 0, judged.stderr);
    });
  });
}

test('bash completes verbs, options of a verb, and nothing else of others', async () => {
  const { stdout } = await weft(['completion', 'bash']);
  const complete = (...words: string[]): string[] => {
    const list = words.map((word) => `'${word}'`).join(' ');
    const script = `${stdout}\nCOMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; _weft; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const done = spawnSync('bash', ['-c', script], { encoding: 'utf8', cwd: '/' });
    assert.is(done.status, 0, done.stderr);
    return done.stdout.split('\n').filter((word) => word !== '');
  };
  assert.equal(complete('weft', 'benc'), ['bench']);
  assert.equal(complete('weft', 'bench', '--bas'), ['--baseline']);
  assert.equal(complete('weft', 'version', '--bas'), []);
  assert.equal(complete('weft', 'import', 'gate'), ['gateway-api']);
  assert.equal(complete('weft', 'simulate', 'gate'), []);
  assert.equal(complete('weft', 'bench', '--engine', ''), ['wasm', 'kernel']);
  assert.equal(complete('weft', 'bench', '--output', ''), ['text', 'json']);
});

test.run();
