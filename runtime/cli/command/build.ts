/** `weft build`: a project to a bundle file, or one stage of the compilation to stdout. */
import type { Manifest } from '../../../compiler/bundle/manifest.js';
import { diagnostic } from '../../../compiler/diagnostic/index.js';
import type { VerifiedCost } from '../../agent/verified-cost.js';
import type { Build } from '../build-project.js';
import { columns } from '../columns.js';
import {
  type CommandSpec,
  flagOption,
  type Input,
  isCached,
  NO_CACHE_OPTION,
  type Result,
  textOption,
} from '../command-spec.js';
import { type Env, pathIn } from '../env.js';
import { EXIT } from '../exit.js';
import { writeFault } from '../file-fault.js';
import type { StepTimes } from '../step-times.js';
import { verifiedText } from '../verified-text.js';
import { answering, type Session, WATCH_OPTION } from '../watch.js';

const STAGES = ['wasm', 'ir', 'plan', 'asm', 'elf'] as const;
type Stage = (typeof STAGES)[number];

function usage(message: string, help: string): Result {
  return { exit: EXIT.usage, diagnostics: [diagnostic('U003', message, { help })] };
}

/** One stage as text or bytes; null where the compilation did not come so far. */
function stageOutput(
  { stages }: Build,
  stage: Stage,
  policy: string | null,
): Pick<Result, 'text' | 'bytes'> | null {
  if (stage === 'elf') return stages.elf === null ? null : { bytes: stages.elf.base };
  if (stage === 'wasm') {
    const bytes = policy === null ? [...stages.wasm.values()][0] : stages.wasm.get(policy);
    return bytes === undefined ? null : { bytes };
  }
  const text = stages[stage];
  return text === null ? null : { text };
}

async function emit(env: Env, input: Input, stage: Stage): Promise<Result> {
  const { compileFolder, findingsExit } = await import('../build-project.js');
  const build = await compileFolder(env, input.arguments[0] ?? '.');
  const policy = textOption(input, 'policy');
  const names = build.project.config.policies.length;
  if (stage === 'wasm' && policy === null && names > 1) {
    return usage('a project of several policies has several modules', 'name one with `--policy`');
  }
  const output = stageOutput(build, stage, policy);
  const { diagnostics, project } = build;
  const shown = { diagnostics, sources: project.sources };
  if (build.bundle === null) return { exit: findingsExit(diagnostics), ...output, ...shown };
  if (output === null) {
    const known = [...build.stages.wasm.keys()].join(', ');
    return usage(`the project has no policy \`${policy}\``, `known: ${known}`);
  }
  return { exit: EXIT.ok, ...output, ...shown };
}

async function build(
  env: Env,
  input: Input,
  out: string,
  session: Session | null,
): Promise<Result> {
  const times = await stepTimes(input);
  const shown = input.arguments[0] ?? '.';
  const folder = pathIn(env, shown);
  const output = pathIn(env, out);
  const { findCurrent, noteBuild } = await import('../build-record.js');
  const current = isCached(input) ? findCurrent(folder, output, env.program) : null;
  if (current !== null) {
    session?.onInputs(new Map(Object.entries(current.inputs)));
    const document = { bundle: current.bundle, file: out, changed: false };
    const text = `unchanged ${out} ${current.bundle}`;
    return { exit: EXIT.ok, ...(times?.told({ document, text }) ?? { document, text }) };
  }
  const { compileFolder, findingsExit } = await import('../build-project.js');
  const { project, bundle, diagnostics } = await compileFolder(
    env,
    shown,
    session?.cache ?? null,
    times?.timed,
  );
  const { sources } = project;
  session?.onInputs(project.inputs);
  if (bundle === null) return { exit: findingsExit(diagnostics), diagnostics, sources };
  const { checkVerified, verifiedCost } = await import('../verified-budget.js');
  const { cost: verified, refusal } = await (times === null
    ? verifiedCost(env, bundle)
    : times.timed('verifier', () => verifiedCost(env, bundle)));
  const over = verified === null ? [] : checkVerified(verified, project.config.budget.verified);
  if (refusal !== null) over.push(refusal);
  if (over.length > 0) {
    const found = [...diagnostics, ...over];
    return { exit: findingsExit(found), diagnostics: found, sources };
  }
  const { bundleDigest, encodeBundle } = await import('../../../compiler/bundle/index.js');
  const bytes = encodeBundle(bundle);
  const digest = bundleDigest(bundle);
  const { writeAtomic } = await import('../write-atomic.js');
  try {
    writeAtomic(output, bytes);
  } catch (error) {
    return {
      exit: EXIT.failure,
      diagnostics: [...diagnostics, writeFault(out, error)],
      sources,
    };
  }
  const { sha256 } = await import('../digest.js');
  const inputs = Object.fromEntries(project.inputs);
  // Warnings must be seen again by whoever builds again.
  if (isCached(input) && diagnostics.length === 0) {
    const record = { program: env.program, inputs, output: sha256(bytes), bundle: digest };
    noteBuild(folder, output, record);
  }
  const cost = { ...bundle.manifest.cost, verified };
  const document = { bundle: digest, file: out, changed: true, cost };
  const text = `built ${out} ${digest}\n${costText(bundle.manifest.cost, verified)}`;
  const answer = times?.told({ document, text }) ?? { document, text };
  return { exit: EXIT.ok, ...answer, diagnostics, sources };
}

/** What times the steps, where that was asked for. */
async function stepTimes(input: Input): Promise<StepTimes | null> {
  return flagOption(input, 'timings') ? new (await import('../step-times.js')).StepTimes() : null;
}

/** A line a policy function and table, and what all of them take. */
function costText(cost: Manifest['cost'], verified: VerifiedCost | null): string {
  const rows = cost.functions
    .filter(({ name }) => /^p\d+_/.test(name))
    .map(({ name, instructions, worstInstructions, stackBytes, lookups }) => [
      name,
      `${instructions} instructions`,
      worstInstructions === null ? 'loops' : `at most ${worstInstructions} executed`,
      `${stackBytes} bytes of stack`,
      `${lookups} look-ups`,
    ]);
  const tables = cost.tables.map(({ policy, name, kind, entries, bytes, form }) => [
    `${policy} ${name}`,
    kind,
    `${entries} entries`,
    `${bytes} bytes`,
    form,
  ]);
  const all = `  tables take ${cost.tableBytes} bytes; ${verifiedText(verified)}`;
  return [...[rows, tables].filter((r) => r.length > 0).map((r) => columns(r, '  ')), all].join(
    '\n',
  );
}

export const BUILD_COMMAND: CommandSpec = {
  name: 'build',
  summary: 'compile a project to a bundle',
  description:
    'The file is replaced whole, and stays as it was where there are findings.\nUnchanged inputs are not compiled again; with --watch, only what changed is.',
  example:
    '$ weft build shop --out shop.weft\nbuilt shop.weft sha256:…\n  p0_authorize  16 instructions  at most 16 executed  …\n…\n\n$ weft build shop --emit asm',
  arguments: [{ syntax: '[DIR]', description: 'the project (default: this folder)' }],
  options: [
    { flags: '--out <FILE>', description: 'the bundle to write' },
    {
      flags: '--emit <STAGE>',
      description: 'print a stage of the compilation instead',
      choices: STAGES,
    },
    { flags: '--policy <NAME>', description: 'whose module `--emit wasm` prints' },
    WATCH_OPTION,
    NO_CACHE_OPTION,
    {
      flags: '--timings',
      description: 'say where the time went: asc, configure phases, the verifier, Weft',
    },
  ],
  formats: ['text', 'json', 'ndjson'],
  async run(env, input) {
    const out = textOption(input, 'out');
    const stage = STAGES.find((s) => s === textOption(input, 'emit'));
    if (stage !== undefined && flagOption(input, 'timings'))
      return usage('`--timings` is of a whole build', 'give `--out FILE` with it');
    if (stage !== undefined && out === null) return emit(env, input, stage);
    if (stage === undefined && out !== null) {
      const answer = (session: Session | null): Promise<Result> => build(env, input, out, session);
      return answering(env, input, { answer, isAnswer: false });
    }
    return usage('nowhere to build to', 'give either `--out FILE` or `--emit STAGE`');
  },
};
