/** A file of tests in AssemblyScript, compiled and run: each `test(...)` by itself, under V8. */
import type { TestModule } from '../../compiler/index.js';
import type { World } from '../discovery/index.js';
import { exportedMemory, startModule } from '../simulate/index.js';
import type { AskedOnce, DecideNow, TestRun } from './asked.js';
import { assemblyHost } from './assembly-host.js';
import { lineOfTest } from './line-of-test.js';
import type { TestResult } from './result.js';

export interface AssemblyTests {
  readonly file: string;
  /** Its text. */
  readonly source: string;
  readonly module: TestModule;
  readonly world: World;
  readonly decide: DecideNow;
  readonly isWanted: (name: string) => boolean;
}

/** Runs the tests of a file whose name `isWanted`. What the file does wrong at its top level is a failed test. */
export function runAssemblyTests({
  file,
  source,
  module,
  world,
  decide,
  isWanted,
}: AssemblyTests): TestRun {
  let memory: { readonly buffer: ArrayBuffer } | null = null;
  const host = assemblyHost({
    ...{ world, decide },
    isOwn: (offset) => module.locate(offset)?.file === file,
    memory: () => memory?.buffer ?? new ArrayBuffer(0),
  });
  const exports = startModule(module.wasm, host.imports);
  memory = exportedMemory(exports, 'memory');
  const call = (name: string, ...args: readonly number[]): number =>
    Number((exports[name] as (...all: readonly number[]) => unknown)(...args) ?? 0);
  const lineOf = (offset: number | null): number =>
    (offset === null ? null : module.locate(offset))?.line ?? 1;
  const results: TestResult[] = [];
  const asked: AskedOnce[] = [];
  const declared = host.run(() => call('configure'));
  for (const { offset, detail } of declared.failures) {
    const failed = { file, line: lineOf(offset), name: '(top level)' };
    results.push({ ...failed, isPassed: false, details: [detail] });
  }
  const count = declared.failures.length > 0 ? 0 : call('__weft_test_count');
  for (let index = 0; index < count; index++) {
    const name = host.text(call('__weft_test_name', index));
    if (!isWanted(name)) continue;
    const { failures, asked: questions } = host.run(() => call('__weft_test_run', index));
    asked.push(...questions.map((question) => ({ ...question, result: results.length })));
    const lines = failures.map(({ offset, detail }) => ({ line: lineOf(offset), detail }));
    results.push({
      ...{
        file,
        line: lines[0]?.line ?? lineOfTest(source, name),
        name,
        isPassed: lines.length === 0,
      },
      details: lines.map(({ line, detail }) => `line ${line}: ${detail}`),
    });
  }
  return { results, asked };
}
