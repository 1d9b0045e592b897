/** What an import came to, as a project folder or straight as a bundle. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { diagnostic, hasErrors } from '../../compiler/diagnostic/index.js';
import { type ImportedProject, projectText } from '../import/index.js';
import type { Result } from './command-spec.js';
import { type Env, pathIn } from './env.js';
import { EXIT } from './exit.js';
import { writeFault } from './file-fault.js';

/** A world that goes with the project. */
export interface ImportWorld {
  readonly text: string;
}

const WORLD_FILE = 'world.yaml';

/** The name of the bundle, from that of what is written. */
export function projectName(out: string): string {
  const name = basename(out)
    .replace(/\.weft$/, '')
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return name === '' ? 'imported' : name;
}

/** Writes a folder that does not hold any of the files yet. */
export function writeFolder(
  env: Env,
  out: string,
  imported: ImportedProject,
  world: ImportWorld | null,
): Result {
  const texts = new Map(imported.policies.map(({ file, text }) => [file, text]));
  const worldFile = world === null ? null : WORLD_FILE;
  texts.set('weft.json', projectText(projectName(out), imported, worldFile));
  if (world !== null) texts.set(WORLD_FILE, world.text);
  const clash = [...texts.keys()].filter((file) => existsSync(join(pathIn(env, out), file)));
  if (clash.length > 0) {
    const help = 'choose another folder; nothing was written';
    const diagnostics = clash.map((file) =>
      diagnostic('U012', `\`${join(out, file)}\` exists already`, { help }),
    );
    return { exit: EXIT.failure, diagnostics };
  }
  for (const [file, text] of texts) {
    const path = join(pathIn(env, out), file);
    try {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text, { flag: 'wx' });
    } catch (error) {
      return { exit: EXIT.failure, diagnostics: [writeFault(join(out, file), error)] };
    }
  }
  const created = [...texts.keys()].map((file) => join(out, file));
  return {
    exit: EXIT.ok,
    document: { created, objects: imported.objects },
    text: created.map((file) => `created ${file}`).join('\n'),
    diagnostics: imported.diagnostics,
  };
}

/** Compiles in memory and writes the bundle. */
export async function writeBundle(
  env: Env,
  out: string,
  imported: ImportedProject,
  world: ImportWorld | null,
): Promise<Result> {
  const { readProject } = await import('../config/index.js');
  const { compileProject } = await import('../../compiler/index.js');
  const { preferFastStart, wizerSnapshot } = await import('../snapshot/index.js');
  const { readWorld, resolveCluster } = await import('../discovery/index.js');
  const { findingsExit } = await import('./build-project.js');
  const { project, diagnostics: faults } = readProject(
    projectText(projectName(out), imported, null),
    'weft.json',
  );
  const texts = new Map(imported.policies.map(({ file, text }) => [file, text]));
  const sources = (file: string): string | null => texts.get(file) ?? null;
  if (project === null) return { exit: EXIT.findings, diagnostics: faults };
  const known = world === null ? null : readWorld(world.text, WORLD_FILE).world;
  preferFastStart();
  const outcome = await compileProject({
    project,
    read: sources,
    snapshot: wizerSnapshot,
    checkCluster:
      known === null
        ? null
        : (name, scope, at) => {
            const resolved = resolveCluster(known, name, scope, at);
            return resolved.ok ? null : resolved.diagnostic;
          },
  });
  const diagnostics = [...imported.diagnostics, ...outcome.diagnostics];
  if (!outcome.ok || hasErrors(diagnostics)) {
    return { exit: findingsExit(diagnostics), diagnostics, sources };
  }
  const { bundleDigest, encodeBundle } = await import('../../compiler/bundle/index.js');
  const { writeAtomic } = await import('./write-atomic.js');
  try {
    writeAtomic(pathIn(env, out), encodeBundle(outcome.bundle));
  } catch (error) {
    return { exit: EXIT.failure, diagnostics: [...diagnostics, writeFault(out, error)] };
  }
  const bundle = bundleDigest(outcome.bundle);
  const { cost } = outcome.bundle.manifest;
  return {
    exit: EXIT.ok,
    document: { bundle, file: out, objects: imported.objects, cost },
    text: `built ${out} ${bundle}`,
    diagnostics,
    sources,
  };
}
