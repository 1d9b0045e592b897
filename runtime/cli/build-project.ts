/** Builds a project folder in memory: config, world, compiler, snapshot engine put together. */
import type { Bundle } from '../../compiler/bundle/manifest.js';
import { type Diagnostic, hasErrors } from '../../compiler/diagnostic/index.js';
import {
  BUDGET_CODES,
  type ClusterCheck,
  compileProject,
  type PolicyCache,
  type Stages,
} from '../../compiler/index.js';
import { planGeneration, resolveCluster } from '../discovery/index.js';
import type { World } from '../discovery/types.js';
import { preferFastStart, wizerSnapshot } from '../snapshot/index.js';
import type { Env } from './env.js';
import { EXIT, type ExitCode } from './exit.js';
import { CliError } from './failure.js';
import { keepSubject } from './kept-subject.js';
import { openProject, type Project, placeOfText } from './project.js';
import type { Subject } from './subject.js';

export interface Build {
  readonly project: Project;
  /** Null where there are errors. */
  readonly bundle: Bundle | null;
  readonly stages: Stages;
  readonly diagnostics: readonly Diagnostic[];
}

function clusterCheck(world: World | null): ClusterCheck | null {
  if (world === null) return null;
  return (name, scope, at) => {
    const resolved = resolveCluster(world, name, scope, at);
    return resolved.ok ? null : resolved.diagnostic;
  };
}

/** A policy that is not there has no place of its own: weft.json names it. */
function placeMissingPolicy({ config, read }: Project, found: Diagnostic): Diagnostic {
  if (found.code !== 'P100' || found.file !== null) return found;
  const named = config.policies.find(({ file }) => found.message.includes(`\`${file}\``));
  const at = named === undefined ? null : placeOfText(read('weft.json') ?? '', named.file);
  return at === null ? found : { ...found, ...at };
}

/**
 * Compiles a project folder; findings are in the result. Throws CliError where weft.json or the world is at fault.
 * With a cache it is one of many: policies that did not change are taken from it.
 */
export async function compileFolder(
  env: Env,
  shown: string,
  cache: PolicyCache | null = null,
): Promise<Build> {
  const project = openProject(env, shown);
  if (cache === null) preferFastStart();
  const outcome = await compileProject({
    project: project.config,
    read: project.read,
    snapshot: wizerSnapshot,
    checkCluster: clusterCheck(project.world),
    cache: cache ?? undefined,
  });
  const planned =
    outcome.ok && project.world !== null
      ? planGeneration(outcome.bundle.manifest, project.world).diagnostics
      : [];
  const diagnostics = [...project.diagnostics, ...outcome.diagnostics, ...planned]
    .map((d) => placeMissingPolicy(project, d))
    .map(project.relocate);
  const bundle = outcome.ok && !hasErrors(diagnostics) ? outcome.bundle : null;
  return { project, bundle, stages: outcome.stages, diagnostics };
}

/** Exit code of a build with errors: over budget where that is all. */
export function findingsExit(diagnostics: readonly Diagnostic[]): ExitCode {
  const errors = diagnostics.filter((d) => d.severity === 'error');
  const isBudget = errors.length > 0 && errors.every((d) => BUDGET_CODES.includes(d.code));
  return isBudget ? EXIT.overBudget : EXIT.findings;
}

/** Compiles a project folder to a bundle. Throws CliError with its findings. */
export async function buildProject(env: Env, shown: string): Promise<Omit<Subject, 'digest'>> {
  const { project, bundle, diagnostics } = await compileFolder(env, shown);
  const { world, sources } = project;
  if (bundle === null) throw new CliError(diagnostics, findingsExit(diagnostics), sources);
  if (diagnostics.length === 0) keepSubject(env, shown, bundle, project.inputs);
  return { bundle, diagnostics, world, sources };
}
