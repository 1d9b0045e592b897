/** The options of `weft deploy` as the plan that they stand for. */
import { readFileSync } from 'node:fs';
import { diagnostic } from '../../compiler/diagnostic/index.js';
import type { Plan, PlanGates, PlanStage } from '../rollout/index.js';
import { flagOption, type Input, listOption, type OptionSpec, textOption } from './command-spec.js';
import { type Env, pathIn } from './env.js';
import { EXIT } from './exit.js';
import { CliError } from './failure.js';
import { readFault } from './file-fault.js';

export const PLAN_OPTIONS: readonly OptionSpec[] = [
  { flags: '--plan <FILE>', description: 'a rollout plan (docs/rollouts.md) instead of options' },
  {
    flags: '--target <KEY=VALUE>',
    description: 'nodes with this label (repeatable; default: those of before, else all)',
    repeat: true,
  },
  { flags: '--shadow <FOR>', description: 'first decide beside the old bundle, for so long' },
  {
    flags: '--canary <WHO>',
    description: 'then on some nodes: 10% or KEY=VALUE[,…] (repeatable, in order)',
    repeat: true,
  },
  {
    flags: '--hold <FOR>',
    description: 'how long canaries and the last stage hold',
    default: '1m',
  },
  { flags: '--pause', description: 'wait for `weft rollout resume` behind each canary' },
  { flags: '--max-refusals <N>', description: 'so many nodes may refuse it (default 0)' },
  {
    flags: '--max-rise <SHARE>',
    description: "by so much may a node's share of denials rise (default 5%)",
  },
  {
    flags: '--max-differences <SHARE>',
    description: 'in so many verdicts may it differ in shadow (default 1%)',
  },
  { flags: '--at-least <N>', description: 'shares of fewer verdicts are not judged (default 50)' },
  { flags: '--silence <FOR>', description: 'how long a node may be silent (default 30s)' },
  { flags: '--confirm <FOR>', description: 'how long it may take to take it (default 2m)' },
  {
    flags: '--on-shut <WHAT>',
    description: 'what a shut gate does',
    choices: ['rollback', 'pause'],
    default: 'rollback',
  },
];

function wrong(value: string, form: string): CliError {
  const help = `written as ${form}`;
  return new CliError([diagnostic('U004', `\`${value}\` is not understood`, { help })], EXIT.usage);
}

function labelsOf(text: string): Readonly<Record<string, string>> {
  const pairs = text.split(',').map((part): [string, string] => {
    const [, key = '', value = ''] = /^([^=\s]+)=([^=\s]*)$/.exec(part) ?? [];
    if (key === '') throw wrong(text, 'KEY=VALUE');
    return [key, value];
  });
  return Object.fromEntries(pairs);
}

function percentOf(text: string): number | null {
  const [, digits] = /^(\d{1,3}(?:\.\d{1,4})?)%$/.exec(text) ?? [];
  return digits === undefined ? null : Number(digits);
}

function shareOf(input: Input, name: string): number | undefined {
  const text = textOption(input, name);
  if (text === null) return undefined;
  const percent = percentOf(text);
  if (percent === null || percent > 100) throw wrong(text, 'a percentage, for instance 5%');
  return percent / 100;
}

function countOf(input: Input, name: string): number | undefined {
  const text = textOption(input, name);
  if (text === null) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw wrong(text, 'a whole number');
  return Number(text);
}

function canary(text: string): Pick<PlanStage, 'percent' | 'labels'> {
  if (!text.includes('%')) return { labels: labelsOf(text) };
  const percent = percentOf(text);
  if (percent === null) throw wrong(text, 'a percentage or KEY=VALUE');
  return { percent };
}

/** Without what was not given. */
function given<T extends object>(values: T): T {
  return Object.fromEntries(Object.entries(values).filter(([, v]) => v !== undefined)) as T;
}

function stagesOf(input: Input): PlanStage[] {
  const hold = textOption(input, 'hold') ?? '1m';
  const shadow = textOption(input, 'shadow');
  const pause = flagOption(input, 'pause');
  return [
    ...(shadow === null ? [] : [{ stage: 'shadow', for: shadow } as const]),
    ...listOption(input, 'canary').map(
      (text): PlanStage => ({ stage: 'canary', ...canary(text), for: hold, pause }),
    ),
    { stage: 'all', for: hold },
  ];
}

/** Options that say what a plan file says. */
const OWN = ['target', 'shadow', 'canary', 'pause', 'maxRefusals', 'maxRise', 'maxDifferences'];
const OWN_TOO = ['atLeast', 'silence', 'confirm'];

/** Text of the plan, and what it is called in findings. Throws CliError. */
export function planText(env: Env, input: Input): { readonly text: string; readonly file: string } {
  const file = textOption(input, 'plan');
  if (file !== null) {
    const other = [...OWN, ...OWN_TOO].find((name) => input.options[name] !== undefined);
    if (other !== undefined) {
      const message = 'a plan file says all that the options say';
      throw new CliError(
        [diagnostic('U004', message, { help: 'give one of the two' })],
        EXIT.usage,
      );
    }
    try {
      return { text: readFileSync(pathIn(env, file), 'utf8'), file };
    } catch (error) {
      throw new CliError([readFault(file, error)], EXIT.failure);
    }
  }
  const gates: PlanGates = given({
    refusals: countOf(input, 'maxRefusals'),
    rise: shareOf(input, 'maxRise'),
    differences: shareOf(input, 'maxDifferences'),
    atLeast: countOf(input, 'atLeast'),
    silence: textOption(input, 'silence') ?? undefined,
    confirm: textOption(input, 'confirm') ?? undefined,
  } as PlanGates);
  const target = listOption(input, 'target');
  const plan: Plan = {
    ...(target.length === 0 ? {} : { target: labelsOf(target.join(',')) }),
    ...{ stages: stagesOf(input), gates },
    onShut: textOption(input, 'onShut') === 'pause' ? 'pause' : 'rollback',
  };
  return { text: JSON.stringify(plan), file: 'options' };
}
