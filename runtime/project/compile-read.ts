/**
 * Compiles a project that was read: its config, its world, the compiler and a way to run configure phases put
 * together. The command line and the page of `weft playground` build by it, so that they build the same bytes.
 */
import type { Bundle } from '../../compiler/bundle/manifest.js';
import type { ProjectConfig } from '../../compiler/bundle/project.js';
import { type Diagnostic, hasErrors } from '../../compiler/diagnostic/index.js';
import type { SourceReader } from '../../compiler/frontend/types.js';
import {
  type ClusterCheck,
  type CompileInput,
  compileProject,
  type Stages,
} from '../../compiler/index.js';
import { planGeneration, resolveCluster, type World } from '../discovery/index.js';
import { placeOfText } from './place-of-text.js';
import { readCases } from './read-cases.js';

/** A project whose own files are without errors. */
export interface ReadProject {
  readonly config: ProjectConfig;
  readonly world: World | null;
  /** What the world's file holds, which may travel with cases; absent: it is read again. */
  readonly worldDocument?: unknown;
  readonly read: SourceReader;
  /** Of weft.json and the world. */
  readonly diagnostics: readonly Diagnostic[];
}

export interface ProjectBuild {
  /** Null where there are errors. */
  readonly bundle: Bundle | null;
  readonly stages: Stages;
  /** Places are in files of the project. */
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
function placeMissingPolicy({ config, read }: ReadProject, found: Diagnostic): Diagnostic {
  if (found.code !== 'P100' || found.file !== null) return found;
  const named = config.policies.find(({ file }) => found.message.includes(`\`${file}\``));
  const at = named === undefined ? null : placeOfText(read('weft.json') ?? '', named.file);
  return at === null ? found : { ...found, ...at };
}

/** Compiles; with a cache it is one of many, and policies that did not change are taken from it. */
export async function compileRead(
  project: ReadProject,
  {
    snapshot,
    cache,
    onPolicy,
    timed,
  }: Pick<CompileInput, 'snapshot' | 'cache' | 'onPolicy' | 'timed'>,
): Promise<ProjectBuild> {
  const { config, world, read } = project;
  const outcome = await compileProject({
    project: config,
    read,
    snapshot,
    checkCluster: clusterCheck(world),
    cache,
    onPolicy,
    timed,
  });
  const planned =
    outcome.ok && world !== null ? planGeneration(outcome.bundle.manifest, world).diagnostics : [];
  const travelling = readCases(project);
  const diagnostics = [
    ...[...project.diagnostics, ...outcome.diagnostics, ...planned],
    ...travelling.diagnostics,
  ].map((d) => placeMissingPolicy(project, d));
  const { cases } = travelling;
  const bundle = outcome.ok && !hasErrors(diagnostics) ? { ...outcome.bundle, cases } : null;
  return { bundle, stages: outcome.stages, diagnostics };
}
