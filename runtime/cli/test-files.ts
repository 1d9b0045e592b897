/** The tests of a project: their files, and scenarios with their worlds. */
import { readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { Diagnostic } from '../../compiler/diagnostic/index.js';
import type { World } from '../discovery/types.js';
import { readScenarioForm, type Scenario } from '../simulate/index.js';
import { type Env, pathIn } from './env.js';
import { isFolder } from './is-folder.js';
import { openWorld, readText } from './subject.js';
import { isTestOrFolder } from './test-names.js';
import { usageFault } from './usage-fault.js';

/**
 * Tests below a folder, as the user would name them, in order. `onFolder` hears of each folder, as the project names it.
 * Throws a usage fault for a bundle.
 */
export function findTests(
  env: Env,
  shown: string,
  onFolder: (folder: string) => void = () => undefined,
): string[] {
  if (!isFolder(env, shown)) {
    const help = `name files behind it, as \`${shown} scenario.yaml\``;
    throw usageFault('a bundle brings no files of tests', help);
  }
  const found: string[] = [];
  const walk = (folder: string): void => {
    onFolder(relative(shown, folder) || '.');
    for (const entry of readdirSync(pathIn(env, folder), { withFileTypes: true })) {
      if (!isTestOrFolder(entry)) continue;
      const path = folder === '.' ? entry.name : join(folder, entry.name);
      if (entry.isDirectory()) walk(path);
      else found.push(path);
    }
  };
  walk(shown);
  return found.sort();
}

export interface OpenedScenario {
  readonly scenario: Scenario | null;
  readonly world: World;
  readonly diagnostics: readonly Diagnostic[];
  readonly text: string;
  /** The world that it names; null where it has the usual one. */
  readonly worldFile: string | null;
}

/**
 * Reads a scenario in the world that it names, else in the usual one. `known` has worlds that are read already, by
 * their files. Throws CliError.
 */
export async function openScenario(
  env: Env,
  file: string,
  usual: () => Promise<World>,
  known: (worldFile: string) => World | null = () => null,
): Promise<OpenedScenario> {
  const text = readText(env, file);
  const form = readScenarioForm(text, file);
  const worldFile = form.world === null ? null : join(dirname(file), form.world);
  const world =
    worldFile === null ? await usual() : (known(worldFile) ?? (await openWorld(env, worldFile)));
  return { ...form.readIn(world), world, text, worldFile };
}
