/**
 * Draws the tables of the http group: one SVG for every bench and reply, a row for every variant, a column for
 * every metric. Bars are to scale within one metric and one number of connections.
 * `node dist/test/bench/http/picture.js docs/benchmarks` reads http.json there and writes the pictures beside it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchResult } from '../pairs.js';

type Row = Pick<BenchResult, 'bench' | 'metric' | 'value' | 'peer' | 'peerValue'>;
/** Metric to value, by variant, by connections. */
type Table = Map<number, Map<string, Map<string, number>>>;

const COLUMNS = [
  { metric: 'requests_per_second', title: 'requests/s', note: 'more is better', digits: 0 },
  { metric: 'p50_us', title: 'p50, µs', note: 'less is better', digits: 0 },
  { metric: 'p99_us', title: 'p99, µs', note: 'less is better', digits: 0 },
  {
    metric: 'mesh_cpu_seconds_per_million',
    title: 'CPU of the mesh, s per million',
    note: 'less is better',
    digits: 1,
  },
] as const;
const COLOURS: Readonly<Record<string, string>> = {
  weft: '#0b6e4f',
  none: '#4a4a4a',
  sk_msg: '#7d7d7d',
};
const PROXY = '#b9c3cf';
const SIZE = { left: 90, column: 230, bar: 150, row: 17, head: 62, group: 24 } as const;

/** `http/veth/16/64k` is 16 connections of the table `veth-64k`. */
function place(bench: string): { readonly table: string; readonly connections: number } {
  const [, name = '', connections, reply] = bench.split('/');
  return {
    table: reply === undefined ? name : `${name}-${reply}`,
    connections: Number(connections),
  };
}

function readTables(rows: readonly Row[]): ReadonlyMap<string, Table> {
  const tables = new Map<string, Table>();
  for (const row of rows.filter(({ bench }) => /^http\/[a-z-]+\/\d/.test(bench))) {
    const { table, connections } = place(row.bench);
    const groups: Table = tables.get(table) ?? new Map();
    const variants = groups.get(connections) ?? new Map<string, Map<string, number>>();
    tables.set(table, groups.set(connections, variants));
    for (const [variant, value] of [
      ['weft', row.value],
      [row.peer, row.peerValue],
    ] as const)
      variants.set(variant, (variants.get(variant) ?? new Map()).set(row.metric, value));
  }
  return tables;
}

const text = (x: number, y: number, words: string, attributes = ''): string =>
  `<text x="${x}" y="${y}" ${attributes}>${words}</text>`;

function draw(name: string, table: Table): string {
  const out: string[] = [];
  let y = SIZE.head;
  COLUMNS.forEach(({ title, note }, i) => {
    const x = SIZE.left + i * SIZE.column;
    out.push(text(x, y - 18, title, 'font-weight="600"'), text(x, y - 4, note, 'fill="#777"'));
  });
  for (const [connections, variants] of [...table].sort(([a], [b]) => a - b)) {
    y += SIZE.group;
    const title = `${connections} connection${connections === 1 ? '' : 's'}`;
    out.push(text(8, y - 7, title, 'font-weight="600"'));
    for (const [variant, metrics] of variants) {
      out.push(text(16, y + 10, variant));
      COLUMNS.forEach(({ metric, digits }, i) => {
        const value = metrics.get(metric);
        if (value === undefined) return;
        const most = Math.max(...[...variants.values()].map((each) => each.get(metric) ?? 0));
        const width = most > 0 ? Math.max(1, (value / most) * SIZE.bar) : 1;
        const x = SIZE.left + i * SIZE.column;
        const fill = COLOURS[variant] ?? PROXY;
        out.push(
          `<rect x="${x}" y="${y}" width="${width.toFixed(1)}" height="${SIZE.row - 5}" fill="${fill}"/>`,
          text(Math.round(x + width + 5), y + 10, figure(value, digits)),
        );
      });
      y += SIZE.row;
    }
  }
  const width = SIZE.left + COLUMNS.length * SIZE.column;
  const height = y + 14;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="11" fill="#222">
<rect width="${width}" height="${height}" fill="#fff"/>
${text(8, 20, `http/${name}`, 'font-size="14" font-weight="600"')}
${out.join('\n')}
</svg>
`;
}

const figure = (value: number, digits: number): string =>
  value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** The pictures by file name. */
export function drawPictures(rows: readonly Row[]): ReadonlyMap<string, string> {
  const tables = [...readTables(rows)];
  return new Map(tables.map(([name, table]) => [`http-${name}.svg`, draw(name, table)]));
}

const [, program, folder] = process.argv;
if (program?.endsWith('picture.js') && folder !== undefined) {
  const { results } = JSON.parse(readFileSync(join(folder, 'http.json'), 'utf8')) as {
    readonly results: readonly Row[];
  };
  for (const [name, svg] of drawPictures(results)) writeFileSync(join(folder, name), svg);
}
