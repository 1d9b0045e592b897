/**
 * The cases that travel in a bundle, asked of this node's kernel before the bundle decides anything: the
 * same functions behind the test harness, by test-run. What is answered otherwise than the cases expect
 * refuses the bundle.
 */
import type { Bundle, Manifest } from '../../compiler/bundle/manifest.js';
import {
  BugError,
  type Diagnostic,
  diagnostic,
  hasErrors,
} from '../../compiler/diagnostic/index.js';
import { readWorld, type World } from '../discovery/index.js';
import type { Kernel } from '../kernel/index.js';
import { type CaseResult, type Expectation, readScenario, runScenario } from '../simulate/index.js';
import { AgentError } from './agent-error.js';
import { CODES } from './codes.js';
import { createKernelSimulator } from './kernel-simulator.js';

/** Of so many cases it is told what they got. */
const TOLD = 10;

/** The bundle answers otherwise here than its cases expect; `diagnostics` say which. Code A030. */
export class SelfTestError extends AgentError {
  readonly diagnostics: readonly Diagnostic[];
  constructor(diagnostics: readonly Diagnostic[]) {
    super('A030', diagnostics[0]?.message ?? 'the self-test failed');
    this.diagnostics = diagnostics;
  }
}

function refuse(message: string, at: Place | null): Diagnostic {
  return diagnostic('A030', message, { at, help: CODES['A030']?.help ?? null });
}

interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** The line that decided; where none did, the one that should have. */
function placeOf(
  { sites }: Manifest,
  { file, line, column }: CaseResult,
  { rule = '' }: Expectation,
): Place | null {
  if (file !== null && line !== null) return { file, line, column: column ?? 1 };
  return sites.find((s) => `${s.file}:${s.line}`.endsWith(rule) && rule !== '') ?? null;
}

/** A document of the bundle as its world. What it says was held against its schema, not what it means. */
function worldOf({ file, document }: { readonly file: string; readonly document: unknown }): World {
  const { world, diagnostics } = readWorld(JSON.stringify(document), file);
  if (world === null)
    throw new SelfTestError(diagnostics.map(({ message }) => refuse(message, null)));
  return world;
}

/**
 * Asks all of them; how many there were. Rejects with SelfTestError, and with what loading the harness
 * throws; nothing is left behind.
 */
export async function selfTest(kernel: Kernel, bundle: Bundle): Promise<number> {
  const { cases, manifest } = bundle;
  if (cases === null) return 0;
  let asked = 0;
  const failed: Diagnostic[] = [];
  for (const [number, place] of cases.worlds.entries()) {
    const files = cases.files.filter((file) => file.world === number);
    if (files.length === 0) continue;
    const world = worldOf(place);
    using simulator = createKernelSimulator(kernel, bundle, world);
    for (const { file, cases: own } of files) {
      const text = JSON.stringify({ cases: own.map((one) => one.case) });
      const { scenario, diagnostics } = readScenario(text, file, world);
      if (scenario === null || hasErrors(diagnostics)) {
        throw new SelfTestError(diagnostics.map(({ message }) => refuse(message, null)));
      }
      const { results } = await runScenario(simulator, scenario);
      asked += results.length;
      for (const [index, result] of results.entries()) {
        if (result.expected) continue;
        const [line, expect] = [own[index]?.line, scenario.cases[index]?.expect];
        if (line === undefined || expect === undefined)
          throw new BugError('a result without a case');
        const message = `case \`${result.id}\` (${file}:${line}): ${result.differences.join('; ')}`;
        failed.push(refuse(message, placeOf(manifest, result, expect)));
      }
    }
  }
  if (failed.length === 0) return asked;
  const more = failed.length - TOLD;
  const told = failed.slice(0, TOLD);
  if (more > 0) told.push(refuse(`and ${more} more cases`, null));
  throw new SelfTestError(told);
}
