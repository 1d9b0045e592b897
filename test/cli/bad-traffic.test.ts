/**
 * Damaged traffic of every form that is read: an error with file, line and remedy, and what was valid is still
 * decided. Documents that would fill the memory are refused before they do.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ipPacket, pcapFile } from '../support/make-capture.js';
import { weft } from './harness.js';

const test = suite('bad traffic');
let cwd = '';
let address = '';
let service = '';
test.before(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'weft-bad-traffic-'));
  await weft(['init', 'shop'], { cwd });
  const built = await weft(['build', 'shop', '--out', 'shop.weft'], { cwd });
  assert.is(built.exit, 0, built.stderr);
  const world = readFileSync(join(cwd, 'shop/world.yaml'), 'utf8');
  address = /reviews\.prod\n\s+addresses: \[([\d.]+)/.exec(world)?.[1] ?? '';
  service = /ratings\.prod\n\s+addresses: \[([\d.]+)/.exec(world)?.[1] ?? '';
  assert.ok(address !== '' && service !== '', world);
});
test.after(() => rmSync(cwd, { recursive: true, force: true }));

const REQUEST = {
  method: 'GET',
  path: '/',
  headers: [
    ['host', 'ratings.prod'],
    ['x-a', 'b'],
  ],
};
const RECORD = JSON.stringify({ from: 'reviews.prod', to: 'ratings.prod:80', request: REQUEST });
const ENTRY = JSON.stringify({
  request: { method: 'GET', url: 'http://ratings.prod/', headers: [{ name: 'x-a', value: 'b' }] },
});
const envoy = (): string =>
  JSON.stringify({
    ...{ method: 'GET', path: '/', authority: 'ratings.prod' },
    downstream_remote_address: `${address}:4`,
    downstream_local_address: `${service}:80`,
  });
const har = (entries: readonly string[]): string =>
  `{"log":{"entries":[\n${entries.join(',\n')}\n]}}`;
const capture = (): Uint8Array => {
  const segment = { from: [address, 40000], to: [service, 80] } as const;
  const payload = 'GET / HTTP/1.1\r\nHost: ratings.prod\r\n\r\n';
  return pcapFile([
    ipPacket({ ...segment, sequence: 1, flags: 'S' }),
    ipPacket({ ...segment, sequence: 2, payload }),
    ipPacket({ ...segment, sequence: 2 + payload.length, payload }),
  ]);
};
/** The text with a byte that no UTF-8 has in the value of a header. */
function spoiled(text: string): Uint8Array {
  const bytes = Buffer.from(text);
  const at = bytes.lastIndexOf('"b"');
  assert.ok(at > 0, text);
  bytes[at + 1] = 0xff;
  return bytes;
}

interface Row {
  readonly name: string;
  readonly file: string;
  readonly bytes: () => Uint8Array | string;
  readonly code: RegExp;
  readonly line: number;
  /** What is decided all the same. */
  readonly records: number;
}
const ROWS: readonly Row[] = [
  {
    ...{ name: 'records cut short', file: 'cut.ndjson', code: /W404/, line: 3, records: 2 },
    bytes: () => `${RECORD}\n${RECORD}\n${RECORD.slice(0, 60)}`,
  },
  {
    ...{
      name: 'a record with bytes in a header',
      file: 'bytes.ndjson',
      code: /W403/,
      line: 2,
      records: 2,
    },
    bytes: () =>
      Buffer.concat([Buffer.from(`${RECORD}\n`), spoiled(RECORD), Buffer.from(`\n${RECORD}\n`)]),
  },
  {
    ...{
      name: 'a record of an unknown key',
      file: 'key.ndjson',
      code: /W01[01]/,
      line: 2,
      records: 1,
    },
    bytes: () => `${RECORD}\n${RECORD.replace('"to"', '"too"')}\n`,
  },
  {
    ...{
      name: 'a time that no calendar has',
      file: 'time.ndjson',
      code: /W409/,
      line: 1,
      records: 1,
    },
    bytes: () => `${RECORD.replace('{', '{"time":"2026-13-45T00:00:00Z",')}\n${RECORD}\n`,
  },
  {
    ...{
      name: 'a day that its month has not',
      file: 'day.ndjson',
      code: /W409/,
      line: 1,
      records: 1,
    },
    bytes: () => `${RECORD.replace('{', '{"time":"2026-02-29T00:00:00Z",')}\n${RECORD}\n`,
  },
  {
    ...{ name: 'a HAR cut short', file: 'cut.har', code: /W4\d\d/, line: 4, records: 2 },
    bytes: () => har([ENTRY, ENTRY, ENTRY]).slice(0, -20),
  },
  {
    ...{
      name: 'a HAR with bytes in a header',
      file: 'bytes.har',
      code: /W4\d\d/,
      line: 3,
      records: 1,
    },
    bytes: () => spoiled(har([ENTRY, ENTRY])),
  },
  {
    ...{ name: 'an access log cut short', file: 'cut.log', code: /W4\d\d/, line: 2, records: 1 },
    bytes: () => `${envoy()}\n${envoy().slice(0, 40)}`,
  },
  {
    ...{
      name: 'a capture cut within a packet',
      file: 'cut.pcap',
      code: /W4\d\d/,
      line: 3,
      records: 2,
    },
    bytes: () => capture().subarray(0, -7),
  },
];

for (const { name, file, bytes, code, line, records } of ROWS) {
  test(name, async () => {
    writeFileSync(join(cwd, file), bytes());
    const args = [
      'simulate',
      'shop.weft',
      file,
      '--world',
      'shop/world.yaml',
      '--from',
      'reviews.prod',
    ];
    const { exit, stdout, stderr } = await weft([...args, '-o', 'json'], { cwd });
    assert.is(exit, 3, stdout);
    assert.is(stderr, '');
    const { summary, diagnostics } = JSON.parse(stdout);
    assert.is(summary.decided, records, stdout);
    const [found] = diagnostics;
    assert.match(found.code, code);
    assert.equal([found.file, found.line], [file, line], found.message);
    assert.ok(found.help, found.message);
  });
}

const NESTED = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
const ALIASES = ['a: &a [x, x]']
  .concat(
    'bcdefghij'.split('').map((k, i) => `${k}: &${k} [${`*${'abcdefghij'[i]}, `.repeat(9)}x]`),
  )
  .join('\n');

for (const [name, bomb] of [
  ['aliases of aliases', ALIASES],
  ['nested lists', NESTED],
  ['nested objects', '{ a: '.repeat(200_000)],
  ['many megabytes', `a: ${'x'.repeat(9 * 1024 * 1024)}`],
] as const) {
  test(`YAML of ${name} is refused as a world and as a scenario`, async () => {
    writeFileSync(join(cwd, 'bomb.yaml'), bomb);
    for (const args of [
      ['simulate', 'shop.weft', 'shop/scenario.yaml', '--world', 'bomb.yaml'],
      ['simulate', 'shop.weft', 'bomb.yaml', '--world', 'shop/world.yaml'],
    ]) {
      const { exit, stdout, stderr } = await weft([...args, '-o', 'json'], { cwd });
      assert.is(exit, 3, `${args.join(' ')}: ${stdout}${stderr}`.slice(0, 2000));
      const [found] = JSON.parse(stdout).diagnostics;
      assert.is(found.file, 'bomb.yaml');
      assert.ok(found.line >= 1 && found.help, JSON.stringify(found).slice(0, 500));
    }
  });
}

test.run();
