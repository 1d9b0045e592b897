/** `npm run bench`: each figure as a ratio against a peer in the same run. Options: [-o json] [group...] */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { openKernel } from '../../runtime/kernel/index.js';
import { benchConnect } from './connect.js';
import { benchDecision } from './decision.js';
import type { BenchResult } from './pairs.js';
import { benchTable } from './table.js';

const GROUPS = { decision: benchDecision, table: benchTable, connect: benchConnect } as const;
type Group = keyof typeof GROUPS;
const isGroup = (word: string): word is Group => Object.hasOwn(GROUPS, word);

const words = process.argv.slice(2);
const isJson = words.some((word, i) => word === '-o' && words[i + 1] === 'json');
const asked = words.filter((word, i) => word !== '-o' && words[i - 1] !== '-o');
const unknown = asked.find((word) => !isGroup(word));
if (unknown !== undefined) {
  console.error(`unknown group \`${unknown}\`; known: ${Object.keys(GROUPS).join(', ')}`);
  process.exit(64);
}

function line(r: BenchResult): string {
  const figures = `${r.value.toFixed(1)} against ${r.peerValue.toFixed(1)} ${r.unit} (${r.peer}), ratio ${r.ratio.toFixed(3)}`;
  const kind = {
    'ratio-at-most': 'ratio <=',
    'ratio-at-least': 'ratio >=',
    'difference-at-most': 'difference <=',
  }[r.limit.kind];
  return `${r.bench}: ${figures}; quartiles ${r.low.toFixed(3)} to ${r.high.toFixed(3)} of ${r.pairs} pairs; ${kind} ${r.limit.value}: ${r.held}`;
}

const folder = mkdtempSync(join(tmpdir(), 'weft-bench-'));
try {
  const kernel = openKernel();
  const results: BenchResult[] = [];
  for (const group of asked.length > 0 ? asked.filter(isGroup) : (Object.keys(GROUPS) as Group[])) {
    console.error(`${group}...`);
    const found = await GROUPS[group](kernel, folder);
    for (const result of found) console.error(line(result));
    results.push(...found);
  }
  if (isJson) {
    const machine = {
      cpu: cpus()[0]?.model ?? 'unknown',
      cpus: cpus().length,
      memoryBytes: totalmem(),
      kernel: release(),
      node: process.version,
    };
    console.log(JSON.stringify({ machine, results }, null, 2));
  }
  process.exitCode = results.some((r) => r.held === 'no')
    ? 2
    : results.some((r) => r.held === 'inconclusive')
      ? 4
      : 0;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
