/**
 * What `weft test` does with a folder of projects: runs the tests of each, one after the other in one process. What
 * keeps the tests of one from running does not keep the others from it.
 */
import { join, relative } from 'node:path';
import { type Input, type Result, textOption } from './command-spec.js';
import type { Env } from './env.js';
import { failureResult } from './failure.js';
import { nameFilter, runTests, type TestsRun } from './test-run.js';
import { usageFault } from './usage-fault.js';

export interface ProjectTests {
  readonly project: string;
  readonly run: TestsRun;
}

export interface ProjectsRun {
  readonly runs: readonly ProjectTests[];
  /** What kept the tests of a project from running. */
  readonly faults: readonly Result[];
}

/** The input of one of several projects, each of which has a folder of its own for its coverage. */
function inputOf(input: Input, project: string): Input {
  const [shown = '.'] = input.arguments;
  const out = textOption(input, 'coverageOut');
  const own = out === null ? {} : { coverageOut: join(out, relative(shown, project)) };
  return { ...input, arguments: [project], options: { ...input.options, ...own } };
}

/** Under `--run`, a project none of whose tests match is no fault where another has some. */
function isUnmatched(input: Input, { diagnostics = [] }: Result): boolean {
  return textOption(input, 'run') !== null && diagnostics.some(({ code }) => code === 'U016');
}

/** Runs the tests of each project. Throws usage faults, and what is thrown when the program is told to end. */
export async function runProjects(
  env: Env,
  input: Input,
  projects: readonly string[],
): Promise<ProjectsRun> {
  const [shown = '.', ...named] = input.arguments;
  if (named.length > 0) {
    const help = `name the project that they belong to, as \`${projects[0]}\``;
    throw usageFault(`\`${shown}\` holds several projects, and files of tests are of one`, help);
  }
  nameFilter(input); // what is wrong with it is told once
  const runs: ProjectTests[] = [];
  const faults: Result[] = [];
  for (const project of projects) {
    try {
      runs.push({ project, run: await runTests(env, inputOf(input, project)) });
    } catch (error) {
      if (env.signal.aborted) throw error;
      const fault = failureResult(error, env);
      const told = fault.diagnostics?.map((d) => (d.file === null ? inProject(d, project) : d));
      faults.push({ ...fault, diagnostics: told ?? [] });
    }
  }
  const real = faults.filter((fault) => !isUnmatched(input, fault));
  return { runs, faults: runs.length === 0 ? faults : real };
}

function inProject<T extends { readonly message: string }>(found: T, project: string): T {
  return { ...found, message: `${project}: ${found.message}` };
}
