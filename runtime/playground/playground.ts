/**
 * The playground without its page: a project as texts in, verdicts, explanations, tables and the lowered program out,
 * by the same code as `weft build`, `simulate` and `explain`. Pure but for the snapshot that it is given.
 */
import type { Bundle } from '../../compiler/bundle/manifest.js';
import type { Diagnostic } from '../../compiler/diagnostic/index.js';
import type { Snapshotter } from '../../compiler/frontend/types.js';
import { bundleDigest, PolicyCache, type Stages } from '../../compiler/index.js';
import type { World } from '../discovery/index.js';
import {
  type ExplanationDocument,
  explain,
  explanationDocument,
  withoutRepetitions,
} from '../explain/index.js';
import { compileRead } from '../project/index.js';
import {
  createInlineDecider,
  type InlineDecider,
  readScenarioForm,
  runScenario,
  type ScenarioCase,
} from '../simulate/index.js';
import { describeTables } from './describe-tables.js';
import { readFiles, scenarioFile, worldOfScenario } from './project-files.js';
import type { Answer, CaseAnswer, Files, Program, TableAnswer } from './types.js';

/** What depends on policies, weft.json and the world alone. */
interface Built {
  readonly key: string;
  readonly bundle: Bundle | null;
  readonly digest: string | null;
  readonly diagnostics: readonly Diagnostic[];
  readonly world: World | null;
  readonly program: Program;
  readonly tables: readonly TableAnswer[];
}

/** The cases that were answered last, for explanations. */
interface Decided {
  readonly bundle: Bundle;
  readonly world: World;
  readonly decider: InlineDecider;
  readonly cases: readonly ScenarioCase[];
}

function askedText({ connect, request }: ScenarioCase): string {
  const { from, to, protocol } = connect;
  const ends = `${from} -> ${to}${protocol === 'udp' ? ' udp' : ''}`;
  return request === undefined ? ends : `${ends} ${request.method ?? 'GET'} ${request.path ?? '/'}`;
}

function programOf({ asm, ir, plan }: Stages): Program {
  return { asm, ir, plan };
}

/** Names that a case may use: workloads with the first port of a service that leads to them, and services. */
function placesOf(world: World | null): readonly string[] {
  if (world === null) return [];
  const services = world.services.flatMap(({ name, ports }) =>
    ports.map(({ port }) => `${name}:${port}`),
  );
  return [...world.workloads.map(({ name }) => name), ...services];
}

export class Playground {
  readonly #snapshot: Snapshotter;
  readonly #cache = new PolicyCache();
  #built: Built | null = null;
  #decided: Decided | null = null;

  constructor(snapshot: Snapshotter) {
    this.#snapshot = snapshot;
  }

  /** Compiles what changed and decides every case. */
  async answer(files: Files): Promise<Answer> {
    const built = await this.#build(files);
    const { bundle, digest, tables, program } = built;
    const asked = bundle === null ? NOTHING : await this.#decide(files, bundle, built.world);
    return {
      ...{ digest, tables, program },
      diagnostics: [...built.diagnostics, ...asked.diagnostics],
      cases: asked.cases,
      places: placesOf(built.world),
    };
  }

  /** Why a case of the last answer came out as it did; null where it has no such case. */
  async explain(id: string): Promise<ExplanationDocument | null> {
    const decided = this.#decided;
    const found = decided?.cases.find((one) => one.id === id);
    if (decided === null || found === undefined) return null;
    const { bundle, world, decider } = decided;
    const explanation = await explain(bundle, {
      world,
      input: found.input,
      decide: async (input) => decider.describe(decider.decide(input)),
    });
    const questions = withoutRepetitions(explanation.questions);
    return explanationDocument({ ...explanation, questions }, bundle.manifest);
  }

  async #build(files: Files): Promise<Built> {
    const scenario = scenarioFile(files);
    const key = JSON.stringify(Object.entries(files).filter(([path]) => path !== scenario));
    if (this.#built?.key === key) return this.#built;
    const { config, world, diagnostics } = readFiles(files);
    const nothing = { bundle: null, digest: null, tables: [] };
    if (config === null) {
      const program = { asm: null, ir: null, plan: null };
      this.#built = { key, ...nothing, diagnostics, world, program };
      return this.#built;
    }
    const read = (path: string): string | null => files[path] ?? null;
    const project = { config, world, read, diagnostics };
    const build = await compileRead(project, { snapshot: this.#snapshot, cache: this.#cache });
    const { bundle } = build;
    const made =
      bundle === null
        ? nothing
        : { bundle, digest: bundleDigest(bundle), tables: describeTables(bundle.manifest) };
    const program = programOf(build.stages);
    this.#built = { key, ...made, diagnostics: build.diagnostics, world, program };
    return this.#built;
  }

  async #decide(files: Files, bundle: Bundle, own: World | null): Promise<Asked> {
    this.#decided = null;
    const path = scenarioFile(files);
    if (path === null || own === null) return NOTHING;
    const form = readScenarioForm(files[path] ?? '', path);
    const { world, diagnostics: faults } = worldOfScenario(files, path, form, own);
    if (world === null) return { cases: [], diagnostics: faults };
    const { scenario, diagnostics: found } = form.readIn(world);
    const diagnostics = [...faults, ...found];
    if (scenario === null) return { cases: [], diagnostics };
    const decider = createInlineDecider(bundle, world);
    const simulator = {
      simulateAll: async (inputs: readonly Parameters<InlineDecider['decide']>[0][]) =>
        inputs.map((input) => decider.describe(decider.decide(input))),
    };
    const { results } = await runScenario(simulator, scenario);
    this.#decided = { bundle, world, decider, cases: scenario.cases };
    const cases = results.flatMap(({ id, differences, expected: _, ...outcome }, i) => {
      const written = scenario.cases[i];
      if (written === undefined) return [];
      const line = written.at?.line ?? null;
      return [{ id, asked: askedText(written), outcome, differences, line }];
    });
    return { cases, diagnostics };
  }
}

interface Asked {
  readonly cases: readonly CaseAnswer[];
  readonly diagnostics: readonly Diagnostic[];
}
const NOTHING: Asked = { cases: [], diagnostics: [] };
