/** `weft simulate` over recorded traffic, in each form that it reads. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Env } from '../../runtime/cli/env.js';
import { progressBar } from '../../runtime/cli/progress.js';
import { ipPacket, pcapFile } from '../support/make-capture.js';
import { type Transcript, weft } from './harness.js';

const test = suite('cli traffic');
let cwd = '';
const run = (...args: string[]): Promise<Transcript> => weft(args, { cwd });
const write = (name: string, text: string | Uint8Array): void =>
  writeFileSync(join(cwd, name), text);

test.before(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'weft-traffic-'));
  await weft(['init', 'shop'], { cwd });
  const built = await weft(['build', 'shop', '--out', 'shop.weft'], { cwd });
  assert.is(built.exit, 0, built.stderr);
  cpSync(join(cwd, 'shop', 'world.yaml'), join(cwd, 'world.yaml'));
});
test.after(() => rmSync(cwd, { recursive: true, force: true }));

const BUNDLE = ['simulate', 'shop.weft'];
const WORLD = ['--world', 'world.yaml'];
const ALLOWED = '{"from":"reviews.prod","to":"ratings.prod:80"}';
const DENIED = '{"id":"d","from":"batch.dev","to":"ratings.prod:80"}';

test('a byte order mark, ends of lines with CR, empty lines and no end of the last are no faults', async () => {
  write('marked.ndjson', `\ufeff${ALLOWED}\r\n\r\n${DENIED}\r\n${ALLOWED}`);
  const { exit, stdout, stderr } = await run(...BUNDLE, 'marked.ndjson', ...WORLD);
  assert.is(exit, 0, stderr);
  assert.match(stdout, /3 records: 2 allowed, 1 denied, 0 not decided; 0 faults of the file\n$/);
  // Anywhere else it is no mark but a character that JSON has not there.
  write('marked.ndjson', `${ALLOWED}\n\ufeff${ALLOWED}\n`);
  const within = await run(...BUNDLE, 'marked.ndjson', ...WORLD);
  assert.is(within.exit, 3);
  assert.match(within.stderr, /W401[\s\S]*marked\.ndjson:2:1/);
});

test('options of one connection are refused where a file says what is asked', async () => {
  write('one.ndjson', `${ALLOWED}\n`);
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ['now', ['--now', '2026-01-02T00:00:00Z']],
    ['random', ['--random', '0.5']],
    ['family', ['--family', '6']],
    ['protocol', ['--protocol', 'udp']],
    ['request', ['--request', 'GET /']],
    ['header', ['-H', 'a: b']],
  ];
  const verbs = [
    [...BUNDLE, 'one.ndjson', ...WORLD],
    ['simulate', 'shop', 'shop/scenario.yaml'],
    ['explain', 'shop', 'shop/scenario.yaml', '--case', 'ratings-from-reviews'],
    ['explain', 'shop', '--record', 'one.ndjson', '--id', '1'],
  ];
  for (const verb of verbs) {
    assert.is((await run(...verb)).exit, 0, verb.join(' '));
    for (const [name, option] of rows) {
      const { exit, stderr } = await run(...verb, ...option);
      assert.is(exit, 64, [...verb, ...option].join(' '));
      assert.match(stderr, `\`--${name}\` is of one connection`);
    }
  }
  const one = ['simulate', 'shop', '--from', 'reviews.prod', '--to', 'ratings.prod:80'];
  for (const seeded of [one, ['simulate', 'shop', 'shop/scenario.yaml']]) {
    const { exit, stderr } = await run(...seeded, '--seed', '3');
    assert.is(exit, 64, stderr);
    assert.match(stderr, '`--seed` goes with recorded traffic');
  }
  assert.is((await run(...BUNDLE, 'one.ndjson', ...WORLD, '--seed', '3')).exit, 0);
  const versions = ['diff', 'shop.weft', 'shop.weft', ...WORLD];
  const formal = await run(...versions);
  assert.is(formal.exit, 64, 'without traffic it knows no world');
  assert.match(formal.stderr, '`--world` goes with `--traffic`');
  assert.is((await run(...versions, '--traffic', 'one.ndjson')).exit, 0);
  const asked = [...one, '--request', 'GET /', '-H', 'x-a: 1'];
  const twice = await run(...asked, '-H', 'x-a: 2');
  assert.is(twice.exit, 64, 'only one of them would be sent');
  assert.match(twice.stderr, 'the header `x-a` is given twice');
  assert.is((await run(...asked, '-H', 'X-A: 2')).exit, 0, 'both are sent');
});

test('what the world does not know is told by each verb that leaves it out', async () => {
  const known = `${ALLOWED.slice(0, -1)},"decided":{"verdict":"allow"}}\n`;
  write('known.ndjson', known);
  write('strange.ndjson', `${known}{"from":"gone.prod","to":"ratings.prod:80"}\n`);
  for (const verb of [
    BUNDLE,
    ['replay', '--verify', 'shop.weft'],
    ['diff', 'shop.weft', 'shop.weft', '--traffic'],
  ]) {
    const strange = await run(...verb, 'strange.ndjson', ...WORLD);
    assert.is(strange.exit, 0, strange.stderr);
    assert.match(
      strange.stderr,
      /W406[\s\S]*1 of 2 records[\s\S]*1 times: `gone\.prod` is no workload/,
    );
    assert.is((await run(...verb, 'known.ndjson', ...WORLD)).stderr, '');
  }
});

test('a comparison of nothing is no agreement: exit 4', async () => {
  const seen = `${ALLOWED.slice(0, -1)},"decided":{"verdict":"allow"}}\n`;
  const strange = seen.replace('"reviews.prod"', '"gone.prod"');
  write('moved.ndjson', strange);
  write('partly.ndjson', strange + seen);
  write('undecided.ndjson', `${ALLOWED}\n`);
  const replay = ['replay', '--verify', 'shop.weft'];
  const diff = ['diff', 'shop.weft', 'shop.weft', '--traffic'];
  for (const verb of [replay, diff]) {
    const nothing = await run(...verb, 'moved.ndjson', ...WORLD);
    assert.is(nothing.exit, 4, nothing.stderr);
    assert.match(nothing.stderr, /W410[\s\S]*none of 1 records could be compared/);
    const partly = await run(...verb, 'partly.ndjson', ...WORLD);
    assert.is(partly.exit, 0, partly.stderr);
    assert.not.match(partly.stderr, 'W410');
  }
  const undecided = await run(...replay, 'undecided.ndjson', ...WORLD);
  assert.is(undecided.exit, 4, 'nothing was decided when it was seen');
  assert.match(undecided.stderr, 'W410');
  assert.is((await run(...diff, 'undecided.ndjson', ...WORLD)).exit, 0, 'both versions decide it');
});

test('records are decided and counted', async () => {
  write(
    'seen.ndjson',
    `${ALLOWED}\n${ALLOWED}\n${DENIED}\n{"from":"203.0.113.9","to":"203.0.113.8:1"}\n`,
  );
  const text = await run(...BUNDLE, 'seen.ndjson', ...WORLD);
  assert.is(text.exit, 0, text.stderr);
  assert.match(
    text.stdout,
    /^allow +2 +policies\/isolation\.ts:\d+\ndeny +1 +default\nto +2 +ratings/,
  );
  assert.match(
    text.stdout,
    /4 records: 2 allowed, 1 denied, 1 not decided; 0 faults of the file\n$/,
  );
  assert.match(text.stderr, /W406[\s\S]*1 times: `203\.0\.113\.9` is outside the mesh/);
  const json = JSON.parse((await run(...BUNDLE, 'seen.ndjson', ...WORLD, '-o', 'json')).stdout);
  assert.equal(json.summary, { records: 4, decided: 3, allowed: 2, denied: 1, faults: 0 });
  assert.is(json.format, 'records');
  const lines = (await run(...BUNDLE, 'seen.ndjson', ...WORLD, '-o', 'ndjson')).stdout
    .trim()
    .split('\n');
  const rows = lines.map((line) => JSON.parse(line));
  assert.equal(
    rows.map(({ record, id, verdict }) => [record, id, verdict]),
    [
      [1, undefined, 'allow'],
      [2, undefined, 'allow'],
      [3, 'd', 'deny'],
      [4, undefined, null],
    ],
  );
});

test('`-` is what is piped in, whose form is said; its lines are told as those of `-`', async () => {
  const stdin = `${ALLOWED}\n{"from":\n${DENIED}\n`;
  const piped = (...args: string[]): Promise<Transcript> => weft(args, { cwd, stdin });
  const told = await piped(...BUNDLE, '-', ...WORLD, '--format', 'records', '-o', 'json');
  assert.is(told.exit, 3, told.stderr);
  const { summary, diagnostics } = JSON.parse(told.stdout);
  assert.equal(summary, { records: 2, decided: 2, allowed: 1, denied: 1, faults: 1 });
  assert.equal([diagnostics[0].code, diagnostics[0].file, diagnostics[0].line], ['W401', '-', 2]);
  const asked = await piped(...BUNDLE, '-', ...WORLD);
  assert.is(asked.exit, 3);
  assert.match(
    asked.stderr,
    /W405[^\n]*standard input[\s\S]*--format`: records, har, envoy, pcap\n/,
  );
  const scenario = await piped(...BUNDLE, '-', ...WORLD, '--format', 'scenario');
  assert.is(scenario.exit, 64);
  assert.match(scenario.stderr, /U003[\s\S]*write it to a file/);
  const alone = await piped('simulate', '-');
  assert.is(alone.exit, 64);
  assert.match(alone.stderr, /U003[\s\S]*name the project first, as `\. -`/);
  const bundle = await piped('diff', '-', 'shop.weft');
  assert.match(bundle.stderr, /U013[^\n]*a bundle is not read from stdin/);
  const same = [
    'diff',
    'shop.weft',
    'shop.weft',
    '--traffic',
    '-',
    '--format',
    'records',
    ...WORLD,
  ];
  assert.match((await piped(...same)).stdout, /^2 records: 2 compared, 0 verdicts/);
  const replayed = await piped('replay', '--verify', 'shop.weft', '-', ...WORLD);
  assert.match(replayed.stdout, /^2 records: 0 compared/);
  const one = ['--record', '-', '--format', 'records', '--id', 'd', ...WORLD];
  const explained = await piped('explain', 'shop.weft', ...one);
  assert.is(explained.exit, 2, explained.stderr);
  assert.match(explained.stdout, /^deny {2}batch\.dev -> ratings\.prod:80\n/);
});

test('what is damaged is told with its line, the rest is decided, exit 3', async () => {
  write('bad.ndjson', `${ALLOWED}\n{"from":\n${DENIED}\n{"from":"batch.dev","to":"rat`);
  const { exit, stdout, stderr } = await run(...BUNDLE, 'bad.ndjson', ...WORLD);
  assert.is(exit, 3);
  assert.match(stdout, /2 records: 1 allowed, 1 denied, 0 not decided; 2 faults/);
  assert.match(stderr, /W401[\s\S]*bad\.ndjson:2[\s\S]*help: /);
  assert.match(stderr, /W404[\s\S]*bad\.ndjson:4[\s\S]*help: /);
});

test('a line of 100 MB costs neither its memory nor the lines around it', async () => {
  const part = Buffer.alloc(1024 * 1024, 0x61);
  write(
    'long.ndjson',
    Buffer.concat([
      Buffer.from(`${ALLOWED}\n"`),
      ...new Array<Buffer>(100).fill(part),
      Buffer.from(`"\n${ALLOWED}\n`),
    ]),
  );
  const { exit, stdout, stderr } = await run(...BUNDLE, 'long.ndjson', ...WORLD);
  assert.is(exit, 3);
  assert.match(stdout, /2 records: 2 allowed/);
  assert.match(stderr, /W402[\s\S]*long\.ndjson:2/);
  rmSync(join(cwd, 'long.ndjson'));
});

test('a capture, a HAR and an access log', async () => {
  const head = 'GET / HTTP/1.1\r\nHost: ratings.prod\r\n\r\n';
  const world = readFileSync(join(cwd, 'world.yaml'), 'utf8');
  const address = /reviews\.prod\n\s+addresses: \[([\d.]+)/.exec(world)?.[1] ?? '';
  const service = /ratings\.prod\n\s+addresses: \[([\d.]+)/.exec(world)?.[1] ?? '';
  assert.ok(address !== '' && service !== '', world);
  const segment = { from: [address, 40000], to: [service, 80] } as const;
  write(
    'seen.pcap',
    pcapFile([
      ipPacket({ ...segment, sequence: 1, flags: 'S' }),
      ipPacket({ ...segment, sequence: 2, payload: head }),
    ]),
  );
  const pcap = await run(...BUNDLE, 'seen.pcap', ...WORLD);
  assert.match(pcap.stdout, /2 records: 2 allowed/, pcap.stderr);
  const entry = { request: { method: 'GET', url: 'http://ratings.prod/', headers: [] } };
  write('seen.har', JSON.stringify({ log: { entries: [entry] } }));
  const har = await run(...BUNDLE, 'seen.har', ...WORLD, '--from', 'batch.dev');
  assert.match(har.stdout, /1 records: 0 allowed, 1 denied/, har.stderr);
  assert.is((await run(...BUNDLE, 'seen.har', ...WORLD)).exit, 64, 'without a client');
  const other = { ...entry, request: { ...entry.request, url: 'http://ratings.prod/other' } };
  write('line.har', JSON.stringify({ log: { entries: [entry, other] } }));
  const explain = (id: string): Promise<Transcript> =>
    run('explain', 'shop', '--record', 'line.har', '--id', id, ...WORLD, '--from', 'batch.dev');
  const several = await explain('1');
  assert.is(several.exit, 64, several.stdout);
  assert.match(several.stderr, 'line 1 of `line.har` has 2 records');
  assert.match((await explain('1.2')).stdout, '/other');
  assert.not.match((await explain('1.1')).stdout, '/other');
  assert.is((await explain('1.3')).exit, 64, 'there is no third');
  const log = {
    method: 'GET',
    path: '/',
    authority: 'ratings.prod',
    downstream_remote_address: `${address}:4`,
    downstream_local_address: `${service}:80`,
  };
  write('access.log', `${JSON.stringify(log)}\n`);
  const envoy = await run(...BUNDLE, 'access.log', ...WORLD, '-o', 'json');
  assert.equal(JSON.parse(envoy.stdout).summary.allowed, 1);
});

test('what is no traffic is refused, also where a form is forced', async () => {
  write('other.txt', 'hello\n');
  const unknown = await run(...BUNDLE, 'other.txt', ...WORLD);
  assert.is(unknown.exit, 3);
  assert.match(unknown.stderr, /W405[\s\S]*other\.txt:1[\s\S]*--format/);
  write('nothing.ndjson', '');
  const nothing = await run(...BUNDLE, 'nothing.ndjson', ...WORLD);
  assert.match(
    nothing.stderr,
    /W405[\s\S]*`nothing\.ndjson` is empty[\s\S]*name a file that holds traffic/,
  );
  const forced = await run(...BUNDLE, 'other.txt', ...WORLD, '--format', 'records');
  assert.match(forced.stderr, /W401[\s\S]*other\.txt:1/);
  assert.is((await run(...BUNDLE, 'seen.ndjson', ...WORLD, '--engine', 'both')).exit, 64);
  assert.is((await run(...BUNDLE, 'seen.ndjson', ...WORLD, '--seed', '-1')).exit, 64);
  assert.is((await run(...BUNDLE, 'gone.ndjson', ...WORLD)).exit, 1);
});

test('a scenario of aliases that would fill the memory is refused', async () => {
  const bomb = [
    'a: &a [x, x]',
    ...'bcdefghij'.split('').map((k, i) => `${k}: &${k} [${`*${'abcdefghij'[i]}, `.repeat(9)}x]`),
  ];
  write('bomb.yaml', `cases: []\n${bomb.join('\n')}\n`);
  const { exit, stderr } = await run(...BUNDLE, 'bomb.yaml', ...WORLD);
  assert.is(exit, 3);
  assert.match(stderr, /W004[\s\S]*bomb\.yaml:1/);
});

test('replay compares with what was decided: exit 5 where it differs', async () => {
  const seen = (verdict: string, more = ''): string =>
    `${ALLOWED.slice(0, -1)},"decided":{"verdict":"${verdict}"${more}}}\n`;
  write('same.ndjson', `${seen('allow', ',"route":null')}${ALLOWED}\n`);
  const replay = (file: string, ...more: string[]): Promise<Transcript> =>
    run('replay', 'shop.weft', file, ...WORLD, ...more);
  const same = await replay('same.ndjson', '--verify');
  assert.is(same.exit, 0, same.stderr);
  assert.is(same.stdout, '2 records: 1 compared, 0 differ, 0 not decided; 0 faults of the file\n');
  write('other.ndjson', `${seen('allow')}${seen('deny', ',"rule":"default"')}{"from":\n`);
  const other = await replay('other.ndjson', '--verify');
  assert.is(other.exit, 5);
  assert.match(
    other.stdout,
    /^other\.ndjson:2 {2}reviews\.prod -> ratings\.prod:80 {2}verdict was deny, is allow; rule was default, is isolation\.ts:\d+\n/,
  );
  assert.match(other.stderr, /W401[\s\S]*other\.ndjson:3/);
  const json = JSON.parse((await replay('other.ndjson', '--verify', '-o', 'json')).stdout);
  assert.equal(json.summary, { records: 2, compared: 2, undecided: 0, different: 1, faults: 1 });
  assert.is((await replay('same.ndjson')).exit, 64, 'without --verify');
});

test('record needs a count that is one, and a file that it may write', async () => {
  assert.is((await run('record')).exit, 64);
  assert.is((await run('record', '--out', 'r.ndjson', '--count', '0')).exit, 64);
});

test('a terminal sees a bar, a file none', async () => {
  const shown = await weft([...BUNDLE, 'seen.ndjson', ...WORLD], { cwd, isTTY: true });
  assert.match(shown.stderr, /\[#{24}\] 100 % {2}4 records/);
  const piped = await run(...BUNDLE, 'seen.ndjson', ...WORLD);
  assert.not.match(piped.stderr, /#####/);
});

test('a bar has no rate at first, and of a pipe no share', () => {
  const written: string[] = [];
  let now = 0;
  const stderr = { isTTY: true, write: (text: string) => written.push(text) };
  const env = { stderr, now: () => new Date(now) } as unknown as Env;
  for (const [total, rest] of [
    [
      100,
      [
        '[######..................] 25 %  10 records',
        '[############............] 50 %  20 records, 40/s',
      ],
    ],
    [0, ['10 records', '20 records, 40/s']],
  ] as const) {
    const bar = progressBar(env);
    written.length = 0;
    now = 1000;
    bar.show(25, total, 10);
    now = 1500;
    bar.show(50, total, 20);
    assert.equal(
      written.map((text) => text.replace('\r\u001b[K', '')),
      rest,
    );
  }
});

test('a pipe is read where its form is said, and is not waited for where it is not', async () => {
  const pipe = join(cwd, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const unsaid = await run(...BUNDLE, 'pipe', ...WORLD);
  assert.is(unsaid.exit, 3, unsaid.stderr);
  assert.match(unsaid.stderr, /W405[\s\S]*is a pipe[\s\S]*--format/);
  const [said] = await Promise.all([
    run(...BUNDLE, 'pipe', ...WORLD, '--format', 'records'),
    writeFile(pipe, readFileSync(join(cwd, 'seen.ndjson'))),
  ]);
  const file = await run(...BUNDLE, 'seen.ndjson', ...WORLD);
  assert.is(said.exit, file.exit);
  assert.is(said.stdout, file.stdout);
});

test.run();
