import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readWorld, type World } from '../../runtime/discovery/index.js';
import {
  inputFormat,
  readEnvoy,
  readHar,
  readPcap,
  type SourceBatch,
  type TrafficRecord,
} from '../../runtime/record/index.js';
import { BOOKINFO } from '../support/bookinfo-world.js';
import {
  type CapturedSegment,
  inEthernet,
  ipPacket,
  pcapFile,
  pcapngFile,
} from '../support/make-capture.js';

const test = suite('traffic readers');
const world: World = (() => {
  const read = readWorld(BOOKINFO, 'world.yaml');
  if (read.world === null) throw new Error('the world is wrong');
  return read.world;
})();
const FILE = 'seen';

interface All {
  readonly records: readonly TrafficRecord[];
  readonly lines: readonly number[];
  readonly faults: readonly string[];
}

/** Everything, with the bytes in pieces of a size; each fault must say how to mend it. */
async function all(batches: AsyncIterable<SourceBatch>): Promise<All> {
  const records: TrafficRecord[] = [];
  const lines: number[] = [];
  const faults: string[] = [];
  for await (const batch of batches) {
    records.push(...batch.records);
    lines.push(...batch.lines);
    for (const { code, file, line, help } of batch.faults) {
      assert.ok(help !== null && help !== '', code);
      faults.push(`${code} ${file}:${line}`);
    }
  }
  return { records, lines, faults };
}
function pieces(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  );
}

const har = (entries: readonly unknown[]): string =>
  JSON.stringify({ log: { version: '1.2', pages: [{ entries: [] }], entries } }, null, 1);
const entry = (url: string, more: object = {}): object => ({
  startedDateTime: '2026-01-02T03:04:05.678+01:00',
  request: { method: 'GET', url, headers: [{ name: 'X-Canary', value: 'true' }], ...more },
  response: { content: { text: '{"entries": [ "}' } },
});
const readAllHar = (text: string, size = 7): Promise<All> =>
  all(readHar(pieces(Buffer.from(text), size), { world, file: FILE, from: 'productpage-v1.prod' }));

test('a HAR is a request an entry', async () => {
  const { records, lines, faults } = await readAllHar(
    har([
      entry('http://reviews.prod/a/b?c=d#e'),
      entry('http://reviews.prod.svc.cluster.local:80/'),
      { ...entry('http://elsewhere/'), serverIPAddress: '10.96.0.10' },
      entry('https://elsewhere/x', { headers: [{ name: ':authority', value: 'q' }] }),
      entry('http://[fd00:96::10]:80/'),
    ]),
  );
  assert.equal(faults, []);
  assert.equal(records[0], {
    time: '2026-01-02T02:04:05.678Z',
    from: 'productpage-v1.prod',
    to: 'reviews.prod:80',
    request: {
      method: 'GET',
      path: '/a/b?c=d',
      headers: [
        ['host', 'reviews.prod'],
        ['X-Canary', 'true'],
      ],
    },
  });
  assert.equal(
    records.map(({ to }) => to),
    ['reviews.prod:80', 'reviews.prod:80', '10.96.0.10:80', 'elsewhere:443', '[fd00:96::10]:80'],
  );
  assert.equal(records[3]?.request?.headers, [['host', 'elsewhere']]);
  assert.ok((lines[1] ?? 0) > (lines[0] ?? 0));
});

test('of a HAR that is cut short the whole entries are read', async () => {
  const text = har([entry('http://reviews.prod/1'), entry('http://reviews.prod/2')]);
  const cut = text.slice(0, text.lastIndexOf('/2'));
  const { records, faults } = await readAllHar(cut);
  assert.equal(
    records.map(({ request }) => request?.path),
    ['/1'],
  );
  assert.equal(faults, [`W404 seen:${cut.split('\n').length}`]);
});

test('an entry that is none is told by its line, the others are read', async () => {
  const text = har([{ request: {} }, entry('http://reviews.prod/ok')]);
  const { records, faults } = await readAllHar(text);
  assert.is(records.length, 1);
  assert.equal(faults, ['W408 seen:10']);
  assert.equal((await readAllHar(text.replace('GET', '\xff'))).faults, [
    'W408 seen:10',
    'W403 seen:13',
  ]);
  for (const more of [{ startedDateTime: '2026-02-30T01:02:03Z' }, { startedDateTime: 7 }]) {
    const none = await readAllHar(har([{ ...entry('http://reviews.prod/'), ...more }]));
    assert.equal([none.records.length, none.faults], [0, ['W408 seen:10']], 'no time');
  }
  for (const url of ['data:text/plain,x', 'blob:x']) {
    assert.equal((await readAllHar(har([entry(url)]))).faults, ['W408 seen:10'], url);
  }
  const untimed = await readAllHar(har([{ ...entry('http://a/'), startedDateTime: undefined }]));
  assert.equal([untimed.records[0]?.time, untimed.faults], [undefined, []]);
  assert.equal((await readAllHar('{"log": {}}')).faults, ['W408 seen:1']);
  const bytes = Buffer.from(har([entry('http://reviews.prod/')]));
  bytes[bytes.indexOf('true')] = 0xff;
  const wrong = await all(readHar([bytes], { world, file: FILE, from: 'x' }));
  assert.equal(wrong.faults, ['W403 seen:10']);
});

const LOG = {
  start_time: '2026-01-02T03:04:05.678Z',
  method: 'GET',
  path: '/x?y',
  authority: 'reviews.prod',
  request_id: 'q1',
  user_agent: '-',
  x_canary: 'true',
  x_other: 'no',
  downstream_remote_address: '10.1.0.2:40000',
  downstream_local_address: '10.96.0.10:80',
  upstream_host: '10.1.0.4:9080',
  response_code: 200,
};
const readLog = (text: string | Buffer): Promise<All> =>
  all(
    readEnvoy([Buffer.from(text as string)], { world, file: FILE, headers: ['x-canary', 'host'] }),
  );

test('an access log is a request a line, with the headers that policies look at', async () => {
  const { records, faults } = await readLog(
    [
      LOG,
      { ...LOG, method: '-', path: null, downstream_local_address: '10.1.0.4:9080' },
      { ...LOG, downstream_local_address: '198.51.100.1:80' },
    ]
      .map((line) => `${JSON.stringify(line)}\n`)
      .join(''),
  );
  assert.equal(faults, []);
  assert.equal(records[0], {
    id: 'q1',
    time: '2026-01-02T03:04:05.678Z',
    from: '10.1.0.2',
    to: '10.96.0.10:80',
    request: {
      method: 'GET',
      path: '/x?y',
      headers: [
        ['host', 'reviews.prod'],
        ['x-request-id', 'q1'],
        ['x-canary', 'true'],
      ],
    },
  });
  assert.is(records[1]?.request, undefined);
  assert.is(records[2]?.to, 'reviews.prod:80', 'the name, where the address is unknown');
});

test('a line has a time of a calendar, or none', async () => {
  const days = ['2026-02-28', '2026-02-29', '2026-02-30', '2028-02-29', '2026-04-31'];
  const { records, faults } = await readLog(
    [
      ...days.map((day) => ({ ...LOG, start_time: `${day}T00:00:00Z` })),
      { ...LOG, start_time: '-' },
    ]
      .map((line) => `${JSON.stringify(line)}\n`)
      .join(''),
  );
  assert.equal(faults, ['W408 seen:2', 'W408 seen:3', 'W408 seen:5']);
  assert.equal(
    records.map(({ time }) => time?.slice(0, 10)),
    ['2026-02-28', '2028-02-29', undefined],
  );
});

test('lines that cannot be decided are told, the others are read', async () => {
  const line = JSON.stringify(LOG);
  const text = Buffer.concat([
    Buffer.from(`${line}\nnot json\n{}\n7\n`),
    Buffer.from(`${line.replace('/x?y', '/\xff')}\n`, 'latin1'),
    Buffer.from(`${line.replace('/x?y', '/\u0416')}\n\n`),
    Buffer.from(
      `${JSON.stringify({ ...LOG, x: 'x'.repeat(2_000_000) })}\n${line}\n${line.slice(0, 50)}`,
    ),
  ]);
  const { lines, faults } = await readLog(text);
  assert.equal(lines, [1, 9]);
  assert.equal(faults, [
    'W401 seen:2',
    'W408 seen:3',
    'W408 seen:4',
    'W403 seen:5',
    'W403 seen:6',
    'W402 seen:8',
    'W404 seen:10',
  ]);
});

const CLIENT: readonly [string, number] = ['10.1.0.2', 40000];
const SERVER: readonly [string, number] = ['10.96.0.10', 80];
const GET = 'GET /a?b HTTP/1.1\r\nHost: reviews.prod\r\nX-Canary: true\r\n\r\n';
const POST = 'POST /c HTTP/1.1\r\nHost: reviews.prod\r\nContent-Length: 5\r\n\r\nhello';
const CHUNKED =
  'PUT /d HTTP/1.1\r\nHost: reviews.prod\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nGET\r\n0\r\n\r\n';
const up = (sequence: number, payload: string, flags = 'A'): Buffer =>
  ipPacket({ from: CLIENT, to: SERVER, sequence, payload, flags });
const down = (sequence: number, payload: string): CapturedSegment => ({
  from: SERVER,
  to: CLIENT,
  sequence,
  payload,
});
/** SYN, three requests in five segments of which one overtakes and one comes twice, replies between. */
function conversation(): Buffer[] {
  const text = GET + POST + CHUNKED;
  const cuts = [0, 20, GET.length + 30, GET.length + POST.length + 10, text.length];
  const at = (i: number): Buffer =>
    up((0xfffffff0 + 1 + (cuts[i] ?? 0)) >>> 0, text.slice(cuts[i], cuts[i + 1]));
  return [
    up(0xfffffff0, '', 'S'),
    ipPacket({ ...down(7, ''), flags: 'SA' }),
    at(0),
    at(2),
    at(1),
    ipPacket(down(8, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')),
    at(1),
    at(3),
    up((0xfffffff1 + text.length) >>> 0, '', 'FA'),
  ];
}

test('a capture is a connection a SYN and a request a head, whatever the order of segments', async () => {
  const packets = conversation();
  const files = [
    pcapFile(packets),
    pcapFile(packets, { big: true, nanoseconds: true }),
    pcapFile(packets.map(inEthernet), { link: 1 }),
    pcapngFile(packets),
  ];
  for (const [i, file] of files.entries()) {
    assert.is(inputFormat(file), 'pcap');
    const { records, lines, faults } = await all(readPcap(pieces(file, 33), { file: FILE }));
    assert.equal(faults, [], String(i));
    assert.equal(lines, [1, 5, 5, 8]);
    assert.equal(
      records.map(({ from, to, request }) => `${from} ${to} ${request?.method} ${request?.path}`),
      [
        '10.1.0.2 10.96.0.10:80 undefined undefined',
        '10.1.0.2 10.96.0.10:80 GET /a?b',
        '10.1.0.2 10.96.0.10:80 POST /c',
        '10.1.0.2 10.96.0.10:80 PUT /d',
      ],
    );
    assert.equal(records[1]?.request?.headers, [
      ['Host', 'reviews.prod'],
      ['X-Canary', 'true'],
    ]);
    const unit = i === 1 || i === 3 ? '.000000001Z' : '.000001000Z';
    assert.is(records[0]?.time, `2023-11-14T22:13:20${unit}`);
  }
});

test('a capture that is cut or damaged is read up to there', async () => {
  const file = pcapFile(conversation());
  const cut = await all(readPcap([file.subarray(0, file.length - 10)], { file: FILE }));
  assert.equal([cut.lines, cut.faults], [[1, 5, 5, 8], ['W404 seen:9']]);
  const damaged = Buffer.from(file);
  damaged.writeUInt32LE(0x7fffffff, 24 + 8); // the length of the first packet
  const none = await all(readPcap([damaged], { file: FILE }));
  assert.equal([none.lines, none.faults], [[], ['W407 seen:1']]);
  const ng = pcapngFile(conversation());
  ng.writeUInt32LE(13, 28 + 4);
  assert.equal((await all(readPcap([ng], { file: FILE }))).faults, ['W407 seen:1']);
});

test('what a capture lacks is told, and nothing is guessed', async () => {
  const snapped = await all(readPcap([pcapFile(conversation(), { snap: 60 })], { file: FILE }));
  assert.equal([snapped.lines, snapped.faults], [[1], ['W407 seen:4']]);
  const big = 'x'.repeat(60_000);
  const gap = [
    up(1, '', 'S'),
    up(2, GET),
    ...Array.from({ length: 20 }, (_, i) => up(5000 + i * 60_000, big)),
  ];
  const gapped = await all(readPcap([pcapFile(gap)], { file: FILE }));
  assert.equal([gapped.lines, gapped.faults.length], [[1, 2], 1]);
  assert.match(gapped.faults[0] ?? '', /^W407 seen:2\d$/);
  const tls = await all(
    readPcap([pcapFile([up(1, '', 'S'), up(2, '\x16\x03\x01 hello')])], { file: FILE }),
  );
  assert.equal([tls.lines, tls.faults], [[1], []]);
  const link = await all(readPcap([pcapFile(conversation(), { link: 999 })], { file: FILE }));
  assert.equal([link.lines, link.faults], [[], ['W408 seen:1']]);
});

test('a form is told by its beginning', () => {
  const rows: readonly (readonly [string, string | null])[] = [
    ['{"from":"a","to":"b:1"}\n', 'records'],
    ['{"id":"1","from":', 'records'],
    [JSON.stringify(LOG), 'envoy'],
    [har([]), 'har'],
    ['world: w.yaml\ncases:\n  - id: a\n', 'scenario'],
    ['{\n "cases": []}', 'scenario'],
    ['hello', null],
    ['', null],
  ];
  for (const [text, want] of rows)
    assert.is(inputFormat(Buffer.from(text)), want, text.slice(0, 30));
});

test.run();
