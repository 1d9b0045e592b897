/** Builds a project folder in memory: config, world, compiler, snapshot engine put together. */
import type { Bundle } from '../../compiler/bundle/manifest.js';
import type { Diagnostic } from '../../compiler/diagnostic/index.js';
import {
  BUDGET_CODES,
  type CompileInput,
  type PolicyCache,
  type Stages,
} from '../../compiler/index.js';
import { compileRead } from '../project/index.js';
import { preferFastStart, preferManyRuns, v8Snapshot, wizerSnapshot } from '../snapshot/index.js';
import type { Env } from './env.js';
import { EXIT, type ExitCode } from './exit.js';
import { CliError } from './failure.js';
import { keepSubject } from './kept-subject.js';
import { progressBar } from './progress.js';
import { openProject, type Project } from './project.js';
import type { Subject } from './subject.js';

/** Policies that are compiled before anyone looks for a sign of life. */
const FEW = 8;

export interface Build {
  readonly project: Project;
  /** Null where there are errors. */
  readonly bundle: Bundle | null;
  readonly stages: Stages;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Compiles a project folder; findings are in the result. Throws CliError where weft.json or the world is at fault.
 * With a cache it is one of many: policies that did not change are taken from it.
 */
export async function compileFolder(
  env: Env,
  shown: string,
  cache: PolicyCache | null = null,
  timed?: CompileInput['timed'],
): Promise<Build> {
  const project = openProject(env, shown);
  if (cache === null) preferFastStart();
  else preferManyRuns();
  const bar = cache === null ? progressBar(env, 'policies') : null;
  const build = await compileRead(project, {
    // One of many has V8 at hand, which needs no process for each policy; both leave the same bytes.
    snapshot: cache === null ? wizerSnapshot : v8Snapshot,
    cache: cache ?? undefined,
    timed,
    onPolicy: (compiled, all) => {
      if (all > FEW) bar?.show(compiled, all, compiled);
    },
  });
  bar?.clear();
  return { project, ...build, diagnostics: build.diagnostics.map(project.relocate) };
}

/** Exit code of a build with errors: over budget where that is all. */
export function findingsExit(diagnostics: readonly Diagnostic[]): ExitCode {
  const errors = diagnostics.filter((d) => d.severity === 'error');
  const isBudget = errors.length > 0 && errors.every((d) => BUDGET_CODES.includes(d.code));
  return isBudget ? EXIT.overBudget : EXIT.findings;
}

/** Compiles a project folder to a bundle. Throws CliError with its findings. */
export async function buildProject(
  env: Env,
  shown: string,
  { isKept }: { readonly isKept: boolean },
): Promise<Omit<Subject, 'digest'>> {
  const { project, bundle, diagnostics } = await compileFolder(env, shown);
  const { world, sources } = project;
  if (bundle === null) throw new CliError(diagnostics, findingsExit(diagnostics), sources);
  if (isKept && diagnostics.length === 0) keepSubject(env, shown, bundle, project.inputs);
  return { bundle, diagnostics, world, sources };
}
