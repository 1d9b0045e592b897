/**
 * The cases that a project sends along with its bundle: read from its scenarios in their worlds, with every
 * draw and the time written down, so that each means the same wherever it stands.
 */
import {
  BUNDLE_CODES,
  type CaseFile,
  type CaseLayer,
  canonicalJson,
  MAX_CASE_WORLDS,
  MAX_CASES,
  MAX_CASES_BYTES,
  type TravellingCase,
} from '../../compiler/bundle/index.js';
import type { SelfTestFile } from '../../compiler/bundle/project.js';
import { type Diagnostic, diagnostic, hasErrors } from '../../compiler/diagnostic/index.js';
import { readWorld, type World, type WorldRead } from '../discovery/index.js';
import { readScenarioForm, type ScenarioCase } from '../simulate/read-scenario.js';
import type { ReadProject } from './compile-read.js';
import { placeOfText } from './place-of-text.js';

/** The scenario whose cases travel where weft.json does not say which. */
export const DEFAULT_SCENARIO = 'scenario.yaml';
const NANOSECONDS = 1_000_000n;

export interface CasesRead {
  /** Null where none travel. */
  readonly cases: CaseLayer | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** A path of a scenario's own folder, as the project names it. */
function beside(file: string, path: string): string {
  const parts: string[] = file.split('/').slice(0, -1);
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  return parts.join('/');
}

/** A case with all that its decision depends on. */
function travelling({ id, connect, request, input, expect, at }: ScenarioCase): TravellingCase {
  const { random, pick, now, healthy } = input;
  const asked = request === undefined ? { connect } : { request };
  const time = new Date(Number(now / NANOSECONDS)).toISOString();
  return {
    line: at?.line ?? 1,
    case: {
      id,
      ...asked,
      random,
      pick,
      now: time,
      ...(healthy === undefined ? {} : { healthy }),
      expect,
    },
  };
}

class CasesReader {
  readonly found: Diagnostic[] = [];
  readonly worlds: { file: string; document: unknown; world: World }[] = [];
  readonly files: CaseFile[] = [];
  readonly #project: ReadProject;
  /** Worlds that the kernel is loaded with: by file and health. */
  readonly #staged = new Set<string>();

  constructor(project: ReadProject) {
    this.#project = project;
  }

  refuse(message: string, text: string | null): null {
    const at = text === null ? null : placeOfText(this.#project.read('weft.json') ?? '', text);
    this.found.push(diagnostic('B212', message, { at, help: BUNDLE_CODES['B212']?.help ?? null }));
    return null;
  }

  /** The project's own world was read before: YAML takes longer to read than most policies to lower. */
  #worldOfProject(file: string): WorldRead | null {
    const { world, worldDocument: document } = this.#project;
    if (world?.file !== file || document === undefined) return null;
    return { world, document, diagnostics: [] };
  }

  /** Number of a world; null where it cannot be read. */
  #world(file: string, of: string): number | null {
    const known = this.worlds.findIndex((w) => w.file === file);
    if (known >= 0) return known;
    const text = this.#project.read(file);
    if (text === null) return this.refuse(`the world \`${file}\` of \`${of}\` cannot be read`, of);
    if (text.length > MAX_CASES_BYTES) {
      return this.refuse(`the world \`${file}\` is too large to travel with the cases`, of);
    }
    const { world, document, diagnostics } = this.#worldOfProject(file) ?? readWorld(text, file);
    if (world === null) {
      this.found.push(...diagnostics);
      return null;
    }
    return this.worlds.push({ file, document, world }) - 1;
  }

  /** Reads one scenario; takes at most `room` of its cases. */
  read({ file, cases: ids }: SelfTestFile, room: number): void {
    const text = this.#project.read(file);
    if (text === null) return void this.refuse(`the scenario \`${file}\` cannot be read`, file);
    const form = readScenarioForm(text, file);
    const worldFile = form.world === null ? this.#project.config.world : beside(file, form.world);
    if (worldFile === null) return void this.refuse(`\`${file}\` is about no world`, file);
    const number = this.#world(worldFile, file);
    const world = number === null ? undefined : this.worlds[number]?.world;
    if (number === null || world === undefined) return;
    const { scenario, diagnostics } = form.readIn(world);
    this.found.push(...diagnostics);
    if (scenario === null) return;
    const unknown = ids?.find((id) => !scenario.cases.some((one) => one.id === id));
    if (unknown !== undefined) {
      return void this.refuse(`\`${file}\` has no case \`${unknown}\``, unknown);
    }
    // What expects nothing tests nothing.
    const wanted = scenario.cases.filter(
      ({ id, expect }) => Object.keys(expect).length > 0 && (ids?.includes(id) ?? true),
    );
    const taken = wanted.slice(0, room);
    for (const { input } of taken) {
      this.#staged.add(canonicalJson([worldFile, Object.entries(input.healthy ?? {}).sort()]));
    }
    const left = scenario.cases.length - taken.length;
    if (taken.length > 0)
      this.files.push({ file, world: number, left, cases: taken.map(travelling) });
  }

  layer(): CaseLayer | null {
    if (this.files.length === 0) return null;
    if (this.#staged.size > MAX_CASE_WORLDS) {
      const message = `the cases are about ${this.#staged.size} worlds and states of health, more than ${MAX_CASE_WORLDS}`;
      return this.refuse(message, null);
    }
    const worlds = this.worlds.map(({ file, document }) => ({ file, document }));
    const layer = { schemaVersion: 1, worlds, files: this.files } as const;
    const size = new TextEncoder().encode(canonicalJson(layer)).length;
    if (size <= MAX_CASES_BYTES) return layer;
    return this.refuse(`the cases have ${size} bytes, more than ${MAX_CASES_BYTES}`, null);
  }
}

/**
 * The cases of a project. What `selfTest` names must travel whole; of `scenario.yaml`, which nobody named,
 * the first MAX_CASES do, and where it is at fault none do, which is a warning.
 */
export function readCases(project: ReadProject): CasesRead {
  const { selfTest } = project.config;
  const reader = new CasesReader(project);
  if (selfTest === null) {
    if (project.read(DEFAULT_SCENARIO) === null) return { cases: null, diagnostics: [] };
    reader.read({ file: DEFAULT_SCENARIO, cases: null }, MAX_CASES);
  }
  for (const file of selfTest ?? []) reader.read(file, Number.POSITIVE_INFINITY);
  const count = reader.files.reduce((sum, { cases }) => sum + cases.length, 0);
  if (count > MAX_CASES) {
    reader.refuse(`${count} cases are to travel, more than ${MAX_CASES}`, 'selfTest');
  }
  const cases = hasErrors(reader.found) ? null : reader.layer();
  if (selfTest !== null) return { cases, diagnostics: reader.found };
  const told = reader.found.map((d) => ({ ...d, severity: 'warning' as const }));
  return { cases: told.length === 0 ? cases : null, diagnostics: told };
}
