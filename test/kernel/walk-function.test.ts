/**
 * The walk that decides whether a verifier takes a bundle (B211) comes to what this machine's verifier goes through. Where
 * newer kernels follow numbers further than it does (linked registers of other widths, since 6.18), it may come to more.
 */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compileProject } from '../../compiler/index.js';
import { measureVerified } from '../../runtime/agent/index.js';
import { openKernel } from '../../runtime/kernel/index.js';
import { wizerSnapshot } from '../../runtime/snapshot/index.js';
import { parseCaseFile } from '../support/case-file.js';
import { type ConfigText, projectOf } from '../support/compile-texts.js';
import { walkModule } from '../support/walk-functions.js';

const test = suite('walked functions');

/** What the test harness takes around the policies. */
const HARNESS = 500;

interface Counted {
  readonly ours: number;
  readonly kernel: number;
}

/** Counts in one form; all functions of these bundles are reached by one program. */
async function count(
  texts: ReadonlyMap<string, string>,
  config: ConfigText,
  series: string,
): Promise<Counted> {
  const project = projectOf(texts, { ...config, kernels: [series] });
  const outcome = await compileProject({
    project,
    read: (path) => texts.get(path) ?? null,
    snapshot: wizerSnapshot,
    checkCluster: null,
  });
  const { ir } = outcome.stages;
  if (!outcome.ok || ir === null) throw new Error(JSON.stringify(outcome.diagnostics));
  const ours = walkModule(ir, { mayGoto: series !== '6.1', isOld: false });
  const { base } = outcome.bundle.objects;
  const form = series === '6.1' ? base : outcome.bundle.objects.mayGoto;
  const bundle = { ...outcome.bundle, objects: { base: form, mayGoto: form } };
  const { connections, requests } = measureVerified(openKernel(), bundle);
  return { ours, kernel: requests ?? connections };
}

const ofCase = (name: string): ReturnType<typeof parseCaseFile> =>
  parseCaseFile(name, readFileSync(`test/case/${name}.case`, 'utf8'));
/** Each in the form for these kernels. */
const CASES = [
  ['flags', ['6.1', '6.12']],
  ['request-views', ['6.1', '6.12']],
  ['rule-list', ['6.1', '6.12']],
  ['regex-table', ['6.1', '6.12']],
] as const;

for (const [name, all] of CASES) {
  for (const series of all) {
    test(`${name}, as for kernel ${series}`, async () => {
      const { policies, config } = ofCase(name);
      const { ours, kernel } = await count(policies, config as ConfigText, series);
      const told = `${ours} counted, ${kernel} by the kernel`;
      assert.ok(ours <= kernel * 1.25 + HARNESS, told);
      assert.ok(ours >= kernel * 0.9 - HARNESS, told);
    });
  }
}

test.run();
