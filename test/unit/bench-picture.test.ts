/** The committed pictures show the committed figures. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { drawPictures } from '../bench/http/picture.js';
import { drawSimulate } from '../bench/simulate/picture.js';

const folder = fileURLToPath(new URL('../../../docs/benchmarks', import.meta.url));
const rows = (
  JSON.parse(readFileSync(join(folder, 'http.json'), 'utf8')) as {
    readonly results: Parameters<typeof drawPictures>[0];
  }
).results;

const simulated = (
  JSON.parse(readFileSync(join(folder, 'simulate.json'), 'utf8')) as {
    readonly results: Parameters<typeof drawSimulate>[0];
  }
).results;

const test = suite('bench: pictures');

test('every picture is the one of its figures, and is shown', () => {
  const drawn = new Map([...drawPictures(rows), ['simulate.svg', drawSimulate(simulated)]]);
  const committed = readdirSync(folder).filter((name) => name.endsWith('.svg'));
  assert.equal(committed.toSorted(), [...drawn.keys()].toSorted());
  for (const [name, svg] of drawn) {
    assert.equal(readFileSync(join(folder, name), 'utf8'), svg, name);
    const page = name.startsWith('http-') ? 'http.md' : 'simulate.md';
    assert.ok(readFileSync(join(folder, page), 'utf8').includes(`](${name})`), name);
  }
});

/** How many pictures change with the peer's first figure of a bench. */
function changedBy(bench: string): number {
  const at = rows.findIndex((row) => row.bench === bench);
  const changed = drawPictures(
    rows.map((row, i) => (i === at ? { ...row, peerValue: row.peerValue * 2 } : row)),
  );
  assert.ok(at >= 0, bench);
  return [...drawPictures(rows)].filter(([name, svg]) => changed.get(name) !== svg).length;
}

test('another figure gives another picture, one that no table shows gives none', () => {
  assert.is(changedBy('http/veth/1'), 1);
  assert.is(changedBy('http/wakeup'), 0);
});

test('a record rate is drawn with its peer beside it', () => {
  const row = { bench: 'simulate/x', value: 1_000_000, peer: 'what it has to be', peerValue: 1 };
  const peer = { bench: 'simulate/x-opa', value: 5, peer: 'OPA', peerValue: 1000 };
  const svg = drawSimulate([row, peer]);
  assert.match(svg, /Weft, x[\s\S]*1,000,000[\s\S]*OPA[\s\S]*>1,000</);
  assert.is(svg.match(/<rect /g)?.length, 3);
});

test('a variant is drawn once per number of connections', () => {
  const row = (connections: number, peer: string): (typeof rows)[number] => ({
    ...{ bench: `http/veth/${connections}/64k`, metric: 'p50_us', peer },
    ...{ value: 10, peerValue: 20 },
  });
  const drawn = drawPictures([row(1, 'none'), row(1, 'nginx'), row(16, 'none')]);
  assert.equal([...drawn.keys()], ['http-veth-64k.svg']);
  const svg = drawn.get('http-veth-64k.svg') ?? '';
  assert.is(svg.match(/>weft</g)?.length, 2);
  assert.is(svg.match(/>nginx</g)?.length, 1);
});

test.run();
