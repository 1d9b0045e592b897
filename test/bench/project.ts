/**
 * project: what writing policies feels like, as milliseconds against what they may be: the answer to an edit under
 * `--watch` of check, build and test, what of such a build is not asc's, `weft test` of every example when nothing changed, a cold build of ten
 * policies, what a build does when nothing changed, and `weft diff` (diff.ts). Every program is the packaged one, as
 * users run it.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Kernel } from '../../runtime/kernel/index.js';
import { timeDiff } from './diff.js';
import { type BenchResult, judgePairs } from './pairs.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const CLI = join(ROOT, 'dist/cli.mjs');
/** Edits that are not counted: V8 optimizes asc's WebAssembly meanwhile. */
const WARM = 6;
const TEN = 10;
/** Counted builds: what is not asc's is a fifth of one, so that a few say little of it. */
const BUILDS = 34;

function weft(args: readonly string[], cwd: string): number {
  const since = performance.now();
  const done = spawnSync(process.execPath, [CLI, ...args], { cwd, stdio: 'ignore' });
  if (done.status !== 0) throw new Error(`weft ${args.join(' ')}: exit ${done.status}`);
  return performance.now() - since;
}

/** Lines that a program prints, one at a time. */
function lines(child: ChildProcess): () => Promise<string> {
  if (child.stdout === null) throw new Error('no output');
  const reader = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async () => {
    const { value, done } = await reader.next();
    if (done === true) throw new Error('the program ended');
    return String(value);
  };
}

interface Edits {
  /** From the write of the policy to the answer, ms. */
  readonly answered: readonly number[];
  /** Of the answer, what is not asc's, ms; none where the verb does not tell. */
  readonly own: readonly number[];
}
/** Writes a policy so many times and waits for each answer. */
async function watching(
  args: readonly string[],
  cwd: string,
  policy: string,
  edits: number,
): Promise<Edits> {
  const words = [CLI, ...args, '--watch', '-o', 'ndjson'];
  const child = spawn(process.execPath, words, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  const next = lines(child);
  const text = readFileSync(policy, 'utf8');
  const answered: number[] = [];
  const own: number[] = [];
  try {
    await next();
    for (let i = 0; i < WARM + edits; i += 1) {
      const since = performance.now();
      writeFileSync(policy, `${text}\n// edit ${i}\nconst edit${i}: u32 = ${i};\n`);
      const { timings } = JSON.parse(await next());
      if (i < WARM) continue;
      answered.push(performance.now() - since);
      if (timings !== undefined) own.push(timings.total - timings.asc);
    }
  } finally {
    child.kill('SIGINT');
    writeFileSync(policy, text);
  }
  return { answered, own };
}

/** A project of ten policies as `weft init` writes one. */
function tenPolicies(folder: string): string {
  weft(['init', 'ten'], folder);
  const project = join(folder, 'ten');
  const config = JSON.parse(readFileSync(join(project, 'weft.json'), 'utf8'));
  const [first] = config.policies;
  const text = readFileSync(join(project, first.file), 'utf8');
  config.policies = Array.from({ length: TEN }, (_, i) => {
    const file = `policies/p${i}.ts`;
    writeFileSync(join(project, file), text);
    return { ...first, file };
  });
  writeFileSync(join(project, 'weft.json'), JSON.stringify(config));
  return project;
}

export async function benchProject(
  _kernel: Kernel,
  folder: string,
  { part, quick }: { readonly part: string; readonly quick: boolean },
): Promise<readonly BenchResult[]> {
  const count = quick ? 3 : 11;
  const judged = (bench: string, values: readonly number[], most: number): BenchResult =>
    judgePairs(
      {
        ...{ bench: `project/${bench}`, metric: 'time', unit: 'ms', peer: 'what it may be' },
        limit: { kind: 'ratio-at-most', value: 1 },
      },
      values,
      values.map(() => most),
    );
  const times = (run: () => number): number[] => Array.from({ length: count }, run);
  const diff = (): readonly BenchResult[] => {
    const { traffic, formal } = timeDiff(folder, quick ? 1 : 3);
    return [judged('diff-traffic', traffic, 10_000), judged('diff-formal', formal, 30_000)];
  };
  if (part.startsWith('project/diff')) return diff();
  weft(['init', 'shop'], folder);
  const policy = join(folder, 'shop/policies/isolation.ts');
  const check = await watching(['check', 'shop'], folder, policy, count);
  const building = ['build', 'shop', '--out', 'w.weft', '--timings'];
  const build = await watching(building, folder, policy, quick ? count : BUILDS);
  const test = await watching(['test', 'shop'], folder, policy, count);

  cpSync(join(ROOT, 'policies/examples'), join(folder, 'examples'), { recursive: true });
  const all = (): number => weft(['test', 'examples'], folder);
  all();
  const ten = tenPolicies(folder);
  let number = 0;
  const cold = times(() => {
    number += 1;
    return weft(['build', ten, '--out', `ten-${number}.weft`], folder);
  });
  // What node itself takes to start is no share of ours.
  const node = (): number => {
    const since = performance.now();
    spawnSync(process.execPath, ['-e', ''], { stdio: 'ignore' });
    return performance.now() - since;
  };
  const warm = times(() => weft(['build', ten, '--out', 'ten-1.weft'], folder) - node());
  return [
    judged('check-watch', check.answered, 400),
    judged('build-watch', build.answered, 700),
    judged('build-watch-own', build.own, 60),
    judged('test-watch', test.answered, 500),
    judged('test-examples', times(all), 1000),
    judged('build-ten-cold', cold, 6000),
    judged('build-unchanged', warm, 60),
    ...diff(),
  ];
}
