/** A project folder as the compiler wants it; every file read is noted with its digest. */
import { readFileSync } from 'node:fs';
import { join, normalize, resolve, sep } from 'node:path';
import type { ProjectConfig } from '../../compiler/bundle/project.js';
import { type Diagnostic, diagnostic } from '../../compiler/diagnostic/index.js';
import { readProject } from '../config/index.js';
import { readWorld } from '../discovery/index.js';
import type { World } from '../discovery/types.js';
import { placeOfText } from '../project/place-of-text.js';
import { sha256 } from './digest.js';
import { type Env, pathIn } from './env.js';
import { EXIT } from './exit.js';
import { CliError } from './failure.js';

export interface Project {
  readonly folder: string;
  readonly config: ProjectConfig;
  readonly world: World | null;
  /** What its file holds. */
  readonly worldDocument?: unknown;
  /** Text of a file by its path in the project; null where there is none. */
  readonly read: (path: string) => string | null;
  /** Digest by path of everything asked for so far; null where there was no file. */
  readonly inputs: ReadonlyMap<string, string | null>;
  readonly diagnostics: readonly Diagnostic[];
  /** A finding with its file as the user would name it from here. */
  readonly relocate: (d: Diagnostic) => Diagnostic;
  /** Text of a relocated file, for carets. */
  readonly sources: (file: string) => string | null;
}

export interface Reader {
  readonly read: (path: string) => string | null;
  readonly inputs: Map<string, string | null>;
}

/** Reads below the folder only: a policy must not depend on what lies beside its project. */
export function projectReader(folder: string): Reader {
  const inputs = new Map<string, string | null>();
  const read = (path: string): string | null => {
    const full = resolve(folder, normalize(path));
    if (!full.startsWith(folder + sep)) return null;
    try {
      const text = readFileSync(full, 'utf8');
      inputs.set(path, sha256(text));
      return text;
    } catch {
      inputs.set(path, null);
      return null;
    }
  };
  return { read, inputs };
}

/** Opens a project folder. Throws CliError where weft.json or the world has errors. */
export function openProject(env: Env, shown: string): Project {
  const folder = pathIn(env, shown);
  const { read, inputs } = projectReader(folder);
  const relocate = (d: Diagnostic): Diagnostic =>
    d.file === null ? d : { ...d, file: join(shown, d.file) };
  const prefix = join(shown, 'x').slice(0, -1);
  const sources = (file: string): string | null =>
    read(file.startsWith(prefix) ? file.slice(prefix.length) : file);
  const refuse = (found: readonly Diagnostic[]): CliError =>
    new CliError(found.map(relocate), EXIT.findings, sources);

  const text = read('weft.json');
  if (text === null) {
    const message = `\`${shown}\` holds no weft.json`;
    const help = 'start a project with `weft init`';
    throw new CliError([diagnostic('U013', message, { help })], EXIT.failure);
  }
  const { project: config, diagnostics } = readProject(text, 'weft.json');
  if (config === null) throw refuse(diagnostics);
  if (config.world === null) {
    return { folder, config, world: null, read, inputs, diagnostics, relocate, sources };
  }
  const worldText = read(config.world);
  if (worldText === null) {
    const message = `the world \`${config.world}\` cannot be read`;
    const at = placeOfText(text, config.world);
    throw refuse([diagnostic('U010', message, { at, help: 'correct the path in weft.json' })]);
  }
  const world = readWorld(worldText, config.world);
  if (world.world === null) throw refuse(world.diagnostics);
  const found = [...diagnostics, ...world.diagnostics];
  return {
    folder,
    config,
    world: world.world,
    worldDocument: world.document,
    read,
    inputs,
    diagnostics: found,
    relocate,
    sources,
  };
}
