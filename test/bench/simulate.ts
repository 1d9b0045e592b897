/**
 * simulate: records that one core decides in a second, from three forms: read before (`decoded`), NDJSON in
 * memory, a file (by two threads); and the same ten rules over the same requests by OPA's and Cedar's WASM in the
 * same run. All must answer alike. What is prepared outside of the measured time: for `decoded` of Weft the
 * record is read and its head parsed; for OPA and Cedar the input is a parsed object, which is what their packages
 * take, and Cedar's policies are parsed. Of Weft's time is everything else: routes, the choice of an endpoint, both
 * ends, the row of the answer. Two more ways to ask OPA are measured: JSON text against our NDJSON, and values laid
 * into its memory past its package.
 */
import { createReadStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readWorld, type World } from '../../runtime/discovery/index.js';
import type { Kernel } from '../../runtime/kernel/index.js';
import {
  batchDecider,
  COLUMN,
  createBlockDecider,
  decideLines,
  recordLine,
} from '../../runtime/record/index.js';
import { BOOKINFO } from '../support/bookinfo-world.js';
import { mustCompile } from '../support/compile-texts.js';
import { type BenchResult, judgePairs, type Limit, measurePairs } from './pairs.js';
import { openCedar, openOpa, type Peer } from './simulate/peers.js';
import { WEFT_RULES } from './simulate/rules.js';
import { generateTraffic } from './simulate/traffic.js';

const RECORDS = 2000;
/** Cedar takes a hundred times as long. */
const CEDAR_RECORDS = 200;
const FILE_RECORDS = 400_000;
const FILE_THREADS = 2;
const ALLOW = 1;
const UNIT = 'records/s';
const LEAST: Limit = { kind: 'ratio-at-least', value: 1 };
const TIMES: Limit = { kind: 'ratio-at-least', value: 20 };

/** Records a second of something that decides so many; repeated until it takes long enough to be told. */
function rate(count: number, rounds: number, decide: () => unknown): number {
  const since = performance.now();
  for (let i = 0; i < rounds; i += 1) decide();
  return (rounds * count * 1000) / (performance.now() - since);
}

function mustAgree(own: readonly boolean[], peer: Peer): void {
  const theirs = peer.verdicts();
  const at = theirs.findIndex((verdict, i) => verdict !== own[i]);
  if (at >= 0) throw new Error(`${peer.name} answers ${theirs[at]} to request ${at}`);
}

async function fromFile(
  file: string,
  options: { readonly world: World; readonly bundle: Awaited<ReturnType<typeof mustCompile>> },
): Promise<number> {
  const { world, bundle } = options;
  const since = performance.now();
  let count = 0;
  const chunks = createReadStream(file, { highWaterMark: 1024 * 1024 });
  const setting = { world, subjects: [bundle], file, threads: FILE_THREADS };
  for await (const batch of decideLines(chunks as AsyncIterable<Uint8Array>, setting))
    count += batch.count;
  if (count !== FILE_RECORDS) throw new Error(`${count} records were decided`);
  return (count * 1000) / (performance.now() - since);
}

export async function benchSimulate(
  _kernel: Kernel,
  folder: string,
  { quick }: { readonly quick: boolean },
): Promise<readonly BenchResult[]> {
  const { world } = readWorld(BOOKINFO, 'world.yaml');
  if (world === null) throw new Error('the world is wrong');
  const bundle = await mustCompile(new Map([['rules.ts', WEFT_RULES]]), { default: 'allow' });
  const asked = generateTraffic(RECORDS);
  const lines = asked.map(({ record }) => recordLine(record));
  const bytes = Buffer.from(lines.join(''));
  const held = batchDecider(bundle, { world, seed: 0 }).hold(bytes, 1);
  if (!held.decide()) throw new Error('a decision stopped');
  const words = held.rows();
  const own = asked.map((_, i) => words[i * COLUMN.size + COLUMN.verdict] === ALLOW);
  const decideBlock = createBlockDecider([bundle], { world, seed: 0, file: 'memory' });
  const block = { bytes, firstLine: 1, lines: RECORDS };
  const decoded = (): number => rate(RECORDS, 100, held.decide);
  const ndjson = (): number => rate(RECORDS, 20, () => decideBlock(block));

  const opa = await openOpa(folder, asked);
  const cedar = openCedar(asked.slice(0, CEDAR_RECORDS));
  for (const peer of [...opa, cedar]) mustAgree(own, peer);
  const against = (bench: string, ours: () => number, peer: Peer): BenchResult =>
    measurePairs({
      bench,
      metric: 'rate',
      unit: UNIT,
      peer: peer.name,
      limit: TIMES,
      slices: quick ? 1 : 3,
      ours,
      theirs: () => rate(peer.count, 1, peer.decide),
    });
  const [objects, texts, values] = opa;
  if (objects === undefined || texts === undefined || values === undefined)
    throw new Error('no OPA');
  const compared = [
    against('simulate/decoded-opa', decoded, objects),
    against('simulate/decoded-cedar', decoded, cedar),
    // Reported beside, not judged: past its package, and text against text.
    ...[
      against('simulate/decoded-opa-values', decoded, values),
      against('simulate/ndjson-opa-json', ndjson, texts),
    ].map((result) => ({ ...result, limit: null, held: null })),
  ];

  const file = join(folder, 'records.ndjson');
  const repeated = Array.from({ length: FILE_RECORDS / RECORDS }, () => lines.join('')).join('');
  writeFileSync(file, repeated);
  const runs = quick ? 3 : 11;
  const files: number[] = [];
  for (let i = 0; i <= runs; i += 1) files.push(await fromFile(file, { world, bundle }));
  const alone = (bench: string, ours: readonly number[], least: number): BenchResult =>
    judgePairs(
      { bench, metric: 'rate', unit: UNIT, peer: 'what it has to be', limit: LEAST },
      ours,
      ours.map(() => least),
    );
  const times = (measure: () => number): number[] => Array.from({ length: runs }, measure);
  return [
    alone('simulate/decoded', times(decoded), 1_000_000),
    alone('simulate/ndjson', times(ndjson), 300_000),
    alone(`simulate/file-${FILE_THREADS}-threads`, files.slice(1), 200_000),
    ...compared,
  ];
}
