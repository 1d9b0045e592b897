/**
 * Draws the records that each decides in a second, as bars to a logarithmic scale.
 * `node dist/test/bench/simulate/picture.js docs/benchmarks` reads simulate.json there and writes simulate.svg beside it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchResult } from '../pairs.js';

type Row = Pick<BenchResult, 'bench' | 'value' | 'peer' | 'peerValue'>;

const SIZE = { left: 300, bar: 420, row: 22, head: 54, right: 110 } as const;
const OURS = '#0b6e4f';
const THEIRS = '#b9c3cf';
/** Where the bars begin and end, in powers of ten. */
const POWERS = [3, 7] as const;

interface Bar {
  readonly name: string;
  readonly value: number;
  readonly fill: string;
}

function bars(rows: readonly Row[]): readonly Bar[] {
  const own = rows
    .filter(({ peer }) => peer === 'what it has to be')
    .map(({ bench, value }) => ({ name: `Weft, ${bench.split('/')[1]}`, value, fill: OURS }));
  const peers = rows
    .filter(({ peer }) => peer !== 'what it has to be')
    .map(({ peer, peerValue }) => ({ name: peer, value: peerValue, fill: THEIRS }));
  return [...own, ...peers].sort((a, b) => b.value - a.value);
}

/** The picture as SVG. */
export function drawSimulate(rows: readonly Row[]): string {
  const [least, most] = POWERS;
  const width = (value: number): number =>
    Math.max(2, ((Math.log10(value) - least) / (most - least)) * SIZE.bar);
  const lines = bars(rows).map(({ name, value, fill }, i) => {
    const y = SIZE.head + i * SIZE.row;
    const end = SIZE.left + width(value);
    return [
      `<text x="8" y="${y + 12}">${name}</text>`,
      `<rect x="${SIZE.left}" y="${y}" width="${width(value).toFixed(1)}" height="15" fill="${fill}"/>`,
      `<text x="${Math.round(end + 6)}" y="${y + 12}">${Math.round(value).toLocaleString('en-US')}</text>`,
    ].join('\n');
  });
  const all = SIZE.left + SIZE.bar + SIZE.right;
  const height = SIZE.head + lines.length * SIZE.row + 12;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${all} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="#222">
<rect width="${all}" height="${height}" fill="#fff"/>
<text x="8" y="22" font-size="14" font-weight="600">Records decided in a second, ten rules</text>
<text x="8" y="40" fill="#777">logarithmic scale; more is better</text>
${lines.join('\n')}
</svg>
`;
}

const [, program, folder] = process.argv;
if (program?.endsWith('simulate/picture.js') && folder !== undefined) {
  const { results } = JSON.parse(readFileSync(join(folder, 'simulate.json'), 'utf8')) as {
    readonly results: readonly Row[];
  };
  writeFileSync(join(folder, 'simulate.svg'), drawSimulate(results));
}
