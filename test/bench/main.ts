/** `npm run bench`: each figure as a ratio against a peer in the same run. Options: [-o json] [--quick] [group | http/bench...] */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { openKernel } from '../../runtime/kernel/index.js';
import { benchAgent } from './agent.js';
import { benchConnect } from './connect.js';
import { benchControl } from './control.js';
import { benchDecision } from './decision.js';
import { benchHttp } from './http.js';
import type { BenchResult } from './pairs.js';
import { benchProject } from './project.js';
import { benchQuality } from './quality.js';
import { benchSimulate } from './simulate.js';
import { benchTables } from './tables.js';

const GROUPS = {
  decision: benchDecision,
  quality: benchQuality,
  tables: benchTables,
  simulate: benchSimulate,
  project: benchProject,
  connect: benchConnect,
  http: benchHttp,
  control: benchControl,
  agent: benchAgent,
} as const;
const isGroup = (word: string): word is keyof typeof GROUPS => Object.hasOwn(GROUPS, word);

const words = process.argv.slice(2);
const isJson = words.some((word, i) => word === '-o' && words[i + 1] === 'json');
// Fewer rounds of `http`: for a look, not for a figure; the document says so.
const quick = words.includes('--quick');
const asked = words.filter(
  (word, i) => word !== '-o' && words[i - 1] !== '-o' && word !== '--quick',
);
// `http/veth/16` is the part of its group whose benches begin so.
const groupOf = (word: string): string => word.split('/')[0] ?? word;
const unknown = asked.find((word) => !isGroup(groupOf(word)));
if (unknown !== undefined) {
  console.error(`unknown group \`${unknown}\`; known: ${Object.keys(GROUPS).join(', ')}`);
  process.exit(64);
}

/** A judged figure in words; what is only reported has its table or the document. */
function line(r: BenchResult): string | null {
  if (r.limit === null) return null;
  const figures = `${r.value.toFixed(1)} against ${r.peerValue.toFixed(1)} ${r.unit} (${r.peer}), ratio ${r.ratio.toFixed(3)}`;
  const kind = {
    'ratio-at-most': 'ratio <=',
    'ratio-at-least': 'ratio >=',
    'difference-at-most': 'difference <=',
  }[r.limit.kind];
  return `${r.bench}: ${figures}; quartiles ${r.low.toFixed(3)} to ${r.high.toFixed(3)} of ${r.pairs} pairs; ${kind} ${r.limit.value}: ${r.held}`;
}

/** Judged figures are told as they come, each once. */
const told = new Set<BenchResult>();
function tell(found: readonly BenchResult[]): void {
  for (const result of found) {
    const text = told.has(result) ? null : line(result);
    told.add(result);
    if (text !== null) console.error(text);
  }
}

const folder = mkdtempSync(join(tmpdir(), 'weft-bench-'));
try {
  const kernel = openKernel();
  const results: BenchResult[] = [];
  for (const part of asked.length > 0 ? asked : Object.keys(GROUPS)) {
    const group = groupOf(part);
    if (!isGroup(group)) continue;
    console.error(`${part}...`);
    const found = await GROUPS[group](kernel, folder, { part, quick, tell });
    tell(found);
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
    console.log(JSON.stringify({ machine, ...(quick ? { quick } : {}), results }, null, 2));
  }
  process.exitCode = results.some((r) => r.held === 'no')
    ? 2
    : results.some((r) => r.held === 'inconclusive')
      ? 4
      : 0;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
