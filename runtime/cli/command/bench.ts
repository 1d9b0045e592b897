/** `weft bench`: what the cases of scenarios cost, and whether it has become more. */
import type { CommandSpec } from '../command-spec.js';

/** Samples of a case are taken for so long. */
const DEFAULT_MS = '100';
const DEFAULT_PERCENT = '10';

export const BENCH_COMMAND: CommandSpec = {
  name: 'bench',
  summary: 'measure what decisions cost, and compare with a baseline',
  description:
    'Decides each case of scenario files over and over: ns a decision (the median of many samples, and what a hundredth\nof them exceeds), the values that its policies compute, the look-ups that they make; of each function its\ninstructions in the kernel. Under V8 a decision is the whole way of a record; `--engine kernel` (root) times\nthe policies alone by test-runs. Exit code 5 where something has become worse than the baseline by more than\n`--max-regression`, 4 where the baseline is of another machine, whose times are not compared.',
  example:
    '$ weft bench shop --save base.json\nfunction                   instructions  at worst  look-ups\np0_authorize               16            16        0\n…\nratings-from-reviews  …  allow\n…\n\n$ weft bench shop --baseline base.json --max-regression 20',
  arguments: [
    {
      syntax: '[BUNDLE]',
      description: 'a project folder, or a bundle file (default: this folder)',
    },
    { syntax: '[FILE...]', description: 'scenario files (default: those of the project)' },
  ],
  options: [
    { flags: '--save <FILE>', description: 'write what was measured as a baseline' },
    { flags: '--baseline <FILE>', description: 'compare with a baseline' },
    {
      flags: '--max-regression <PERCENT>',
      description: 'how much worse is still well',
      default: DEFAULT_PERCENT,
    },
    { flags: '--time <MS>', description: 'how long each case is measured', default: DEFAULT_MS },
    { flags: '--world <FILE>', description: 'the world (default: that of the project)' },
    {
      flags: '--engine <NAME>',
      description: 'what decides; kernel needs root',
      choices: ['wasm', 'kernel'],
      default: 'wasm',
    },
  ],
  formats: ['text', 'json'],
  run: async (env, input) => (await import('../bench-run.js')).runBench(env, input),
};
