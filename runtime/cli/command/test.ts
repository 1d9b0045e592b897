/** `weft test`: the tests of a project, in scenarios and beside the policies, with coverage. */

import { join } from 'node:path';
import { type Diagnostic, diagnostic } from '../../../compiler/diagnostic/index.js';
import type { CommandSpec, Input, Result } from '../command-spec.js';
import { flagOption, NO_CACHE_OPTION, textOption } from '../command-spec.js';
import { type Env, pathIn } from '../env.js';
import { EXIT } from '../exit.js';
import { failureResult } from '../failure.js';
import type { ProjectTests } from '../test-projects.js';
import type { TestsRun, Watched } from '../test-run.js';
import { usageFault } from '../usage-fault.js';
import { answering, WATCH_OPTION } from '../watch.js';

function threshold(input: Input): number | null {
  const text = textOption(input, 'failUnder');
  if (text === null) return null;
  const share = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (share <= 100) return share;
  throw usageFault(`\`${text}\` is no share`, 'write per cent, 0 to 100');
}

async function runTest(env: Env, input: Input): Promise<Result> {
  const isAnswer = false;
  if (!flagOption(input, 'watch')) {
    return answering(env, input, { answer: () => answer(env, input, null), isAnswer });
  }
  const { existsSync } = await import('node:fs');
  const [shown = '.'] = input.arguments;
  const folder = pathIn(env, shown);
  if (!existsSync(join(folder, 'weft.json'))) {
    throw usageFault('`--watch` needs a project folder', 'name a folder that holds weft.json');
  }
  const { TestSession } = await import('../test-session.js');
  const tests = new TestSession(folder);
  return answering(env, input, {
    answer: (session) => answer(env, input, session === null ? null : { session, tests }),
    isAnswer,
  });
}

type Reports = Pick<
  typeof import('../../testing/index.js'),
  'tapReport' | 'junitReport' | 'githubReport'
>;

/** Forms for programs that read nothing else, so that they hear what kept the tests from running, too. */
const REPORTS = {
  tap: (of: Reports) => of.tapReport,
  junit: (of: Reports) => of.junitReport,
  github: (of: Reports) => of.githubReport,
} as const;

async function answer(env: Env, input: Input, watched: Watched | null): Promise<Result> {
  const reporter = REPORTS[input.format as keyof typeof REPORTS];
  if (reporter === undefined) return runAll(env, input, watched);
  try {
    return await runAll(env, input, watched);
  } catch (error) {
    if (env.signal.aborted) throw error;
    const failed = failureResult(error, env);
    const testing = await import('../../testing/index.js');
    return { ...failed, text: reporter(testing)(testing.faultResults(failed.diagnostics ?? [])) };
  }
}

/** What all projects, mostly one, came to. */
interface Tested {
  readonly runs: readonly ProjectTests[];
  readonly faults: readonly Result[];
  readonly isOne: boolean;
}

async function runTold(env: Env, input: Input, watched: Watched | null): Promise<Tested> {
  const [project = '.'] = input.arguments;
  const { projectsBelow } = await import('../projects-below.js');
  const projects = projectsBelow(env, project);
  if (projects.length > 0) {
    const { runProjects } = await import('../test-projects.js');
    return { ...(await runProjects(env, input, projects)), isOne: false };
  }
  const { runTests } = await import('../test-run.js');
  return { runs: [{ project, run: await runTests(env, input, watched) }], faults: [], isOne: true };
}

/** U017 of each project that its tests cover too little of. */
function underLimit(limit: number | null, { runs, isOne }: Tested): readonly Diagnostic[] {
  const help = 'test the rules, branches and entries that `--coverage` names';
  return runs.flatMap(({ project, run: { coverage } }) => {
    const total = coverage?.percent.total ?? 100;
    if (limit === null || total >= limit) return [];
    const whose = isOne ? 'the coverage' : `the coverage of ${project}`;
    return [diagnostic('U017', `${whose} is ${total} %, less than ${limit} %`, { help })];
  });
}

async function runAll(env: Env, input: Input, watched: Watched | null): Promise<Result> {
  const limit = threshold(input);
  const testing = await import('../../testing/index.js');
  const tested = await runTold(env, input, watched);
  const { runs, faults, isOne } = tested;
  const results = runs.flatMap(({ run }) => run.results);
  const unaffected = runs.flatMap(({ run }) => run.unaffected);
  const summary = testing.summarize([...results, ...unaffected]);
  const faulty = faults.flatMap(({ diagnostics = [] }) => diagnostics);
  const under = underLimit(limit, tested);
  const failuresOnly = input.options['onlyShowFailures'] === true;
  const reporter = REPORTS[input.format as keyof typeof REPORTS];
  const report =
    reporter === undefined
      ? testing.textReport(results, { failuresOnly })
      : reporter(testing)([...results, ...testing.faultResults([...faulty, ...under])]);
  const covered = runs.map(({ project, run: { coverage } }) => {
    if (coverage === null || input.format !== 'text') return '';
    return `\n${isOne ? '' : `${project}: `}${testing.coverageText(coverage)}`;
  });
  const rest = unaffected.length === 0 ? '' : `\n${unaffected.length} not affected`;
  const one = ({ subject, coverage }: TestsRun): Record<string, unknown> => ({
    bundle: subject.digest,
    ...(coverage === null ? {} : { coverage }),
  });
  const [first] = runs;
  const projects = runs.map(({ project, run }) => {
    const own = testing.summarize([...run.results, ...run.unaffected]);
    return { project, ...one(run), summary: own };
  });
  return {
    exit: faults[0]?.exit ?? (summary.failed > 0 || under.length > 0 ? EXIT.denied : EXIT.ok),
    document: {
      ...(isOne && first !== undefined ? one(first.run) : { projects }),
      results: failuresOnly ? results.filter((result) => !result.isPassed) : results,
      summary,
      ...(watched === null ? {} : { unaffected: unaffected.length }),
    },
    text: report + rest + covered.join(''),
    diagnostics: [...runs.flatMap(({ run }) => run.diagnostics), ...faulty, ...under],
    sources: (file) => sourceOf(file, tested),
  };
}

/** The text of a file, from the project that it lies in. */
function sourceOf(file: string, { runs, faults, isOne }: Tested): string | null {
  for (const { project, run } of runs) {
    if (isOne || file.startsWith(join(project, 'x').slice(0, -1))) return run.sources(file);
  }
  return faults.map(({ sources }) => sources?.(file) ?? null).find((text) => text !== null) ?? null;
}

export const TEST_COMMAND: CommandSpec = {
  name: 'test',
  summary: "run a project's tests, and say what they covered",
  description:
    'Runs scenario.yaml, *.scenario.yaml and *.test.ts (see docs/policies.md) below the project folder; of a folder\nwithout weft.json, those of each project in it. Exit code 2 where a test fails, none ran, the engines differ, or the coverage is under the limit. The reports of tap, junit and github also tell what kept the\ntests from running.',
  example:
    '$ weft test shop --coverage\nok   shop/scenario.yaml:4  ratings-from-reviews\n…\n3 passed, 0 failed\ncoverage: rules 100 %, branches 100 %, table entries 100 %, in all 100 %\n\n$ weft test shop -o junit > report.xml',
  arguments: [
    {
      syntax: '[BUNDLE]',
      description:
        'a project folder, a folder of projects, or a bundle file with files of tests (default: this folder)',
    },
    { syntax: '[FILE...]', description: 'run these files only' },
  ],
  options: [
    { flags: '--run <REGEX>', description: 'run the tests whose name matches' },
    { flags: '--only-show-failures', description: 'leave out what passed' },
    {
      flags: '--coverage',
      description: 'say which rules, branches and table entries were reached',
    },
    {
      flags: '--coverage-out <DIR>',
      description: 'write lcov.info, coverage.json and index.html there',
    },
    { flags: '--fail-under <PERCENT>', description: 'fail where the coverage in all is less' },
    { flags: '--world <FILE>', description: 'the world (default: that of the project)' },
    {
      flags: '--engine <NAME>',
      description: 'both asks the kernel too; needs root',
      choices: ['wasm', 'both'],
      default: 'wasm',
    },
    WATCH_OPTION,
    NO_CACHE_OPTION,
  ],
  formats: ['text', 'json', 'ndjson', 'tap', 'junit', 'github'],
  run: runTest,
};
