/** A project whose files are texts in memory: which is its world, which its scenario, and what is wrong with them. */
import type { ProjectConfig } from '../../compiler/bundle/project.js';
import { type Diagnostic, diagnostic } from '../../compiler/diagnostic/index.js';
import { readProject } from '../config/index.js';
import { readWorld, type World } from '../discovery/index.js';
import { placeOfText } from '../project/index.js';
import type { ScenarioForm } from '../simulate/index.js';
import type { Files } from './types.js';

export const CONFIG_FILE = 'weft.json';

/** The scenario of a project: `scenario.yaml`, else the first `*.scenario.yaml`; null where there is none. */
export function scenarioFile(files: Files): string | null {
  const names = Object.keys(files).sort();
  const own = names.find((name) => /(^|\/)scenario\.ya?ml$/.test(name));
  return own ?? names.find((name) => /\.scenario\.ya?ml$/.test(name)) ?? null;
}

export interface ReadFiles {
  /** Null where weft.json or the world has errors. */
  readonly config: ProjectConfig | null;
  readonly world: World | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads weft.json and the world that it names. */
export function readFiles(files: Files): ReadFiles {
  const text = files[CONFIG_FILE] ?? '';
  const { project: config, diagnostics } = readProject(text, CONFIG_FILE);
  if (config === null) return { config, world: null, diagnostics };
  const { world: path } = config;
  if (path === null) return { config, world: null, diagnostics };
  const worldText = files[path];
  if (worldText === undefined) {
    const at = placeOfText(text, path);
    const help = 'correct the path in weft.json';
    const found = diagnostic('U010', `the world \`${path}\` cannot be read`, { at, help });
    return { config: null, world: null, diagnostics: [...diagnostics, found] };
  }
  const { world, diagnostics: found } = readWorld(worldText, path);
  return { config: world === null ? null : config, world, diagnostics: [...diagnostics, ...found] };
}

/** The world of a scenario: the one that it names, relative to itself, else that of the project. */
export function worldOfScenario(
  files: Files,
  path: string,
  { world: named }: ScenarioForm,
  own: World,
): Pick<ReadFiles, 'world' | 'diagnostics'> {
  if (named === null) return { world: own, diagnostics: [] };
  const full = new URL(named, `file:///${path}`).pathname.slice(1);
  const text = files[full];
  if (text !== undefined) return readWorld(text, full);
  const at = { file: path, line: 1, column: 1 };
  const help = 'correct `world` in the scenario';
  const found = diagnostic('U010', `the world \`${named}\` cannot be read`, { at, help });
  return { world: null, diagnostics: [found] };
}
