/** `weft explain`: why one connection or request is let in or refused, predicate by predicate. */
import type { Bundle } from '../../../compiler/bundle/manifest.js';
import { BugError } from '../../../compiler/diagnostic/index.js';
import type { World } from '../../discovery/types.js';
import type { Decide } from '../../explain/index.js';
import type { CommandSpec, Input, Result } from '../command-spec.js';
import { textOption } from '../command-spec.js';
import { DECISION_OPTIONS } from '../decision-options.js';
import type { Env } from '../env.js';
import { EXIT } from '../exit.js';
import type { RecordedCase } from '../recorded-case.js';
import type { Cases } from '../simulate-run.js';
import { TRAFFIC_FORMAT_OPTION } from '../traffic-options.js';
import { usageFault } from '../usage-fault.js';

function chooseCase({ cases }: Cases, id: string | null): Cases['cases'][number] {
  const found = id === null && cases.length === 1 ? cases[0] : cases.find((c) => c.id === id);
  if (found !== undefined) return found;
  const ids = cases.map((c) => c.id).join(', ');
  throw id === null
    ? usageFault('the scenario has more than one case', `name one by --case: ${ids}`)
    : usageFault(`the scenario has no case \`${id}\``, `it has ${ids}`);
}

/** The kernel's own verdict, by test-run of the functions that the hooks call. */
async function kernelDecides(env: Env, bundle: Bundle, world: World): Promise<Decide> {
  const kernel = await env.openKernel();
  const { createKernelSimulator } = await import('../../agent/kernel-simulator.js');
  return async (input) => {
    using simulator = createKernelSimulator(kernel, bundle, world);
    const [outcome] = await simulator.simulateAll([input]);
    if (outcome === undefined) throw new BugError('one input, no outcome');
    return outcome;
  };
}

type Chosen = Omit<RecordedCase, 'recorded'> & Partial<Pick<RecordedCase, 'recorded'>>;

/** What is to be explained: a record, a case of a scenario, or what the options say. */
async function chosenCase(env: Env, input: Input): Promise<Chosen> {
  const file = textOption(input, 'record');
  if (file !== null) return (await import('../recorded-case.js')).openRecorded(env, input, file);
  if (textOption(input, 'id') !== null)
    throw usageFault('`--id` goes with `--record`', 'name the recording by `--record FILE`');
  const { openCases } = await import('../simulate-run.js');
  const { subject, cases, single } = await openCases(env, input, 'explain');
  const id = textOption(input, 'case');
  if (single && id !== null) throw usageFault('`--case` goes with a scenario');
  const { connect, request, ...chosen } = chooseCase(cases, id);
  const ends = `${connect.from} -> ${connect.to}`;
  const asked = request === undefined ? ends : `${ends} ${request.method} ${request.path}`;
  const { world, text } = cases;
  const sources = (name: string): string | null =>
    name === cases.file ? text : subject.sources(name);
  const { input: decided, at } = chosen;
  return { subject: { ...subject, sources }, world, id: chosen.id, asked, input: decided, at };
}

async function runExplain(env: Env, input: Input): Promise<Result> {
  const chosen = await chosenCase(env, input);
  const { explain, explanationDocument, printExplanation } = await import('../../explain/index.js');
  const { subject, world, recorded } = chosen;
  const { bundle, digest, sources } = subject;
  const { unseenRequests } = await import('../../simulate/index.js');
  const diagnostics = [...subject.diagnostics, ...unseenRequests(bundle.manifest, world, [chosen])];
  const isKernel = textOption(input, 'engine') === 'kernel';
  const options = { world, input: chosen.input };
  const explanation = isKernel
    ? await explain(bundle, { ...options, decide: await kernelDecides(env, bundle, world) })
    : await explain(bundle, options);
  const isOther = recorded && recorded.verdict !== explanation.outcome.verdict;
  const then = isOther ? `\n\nwhen it was seen: ${recorded.verdict}` : '';
  return {
    exit: explanation.outcome.verdict === 'deny' ? EXIT.denied : EXIT.ok,
    document: {
      bundle: digest,
      id: chosen.id,
      ...(recorded === undefined ? {} : { recorded }),
      ...explanationDocument(explanation, bundle.manifest),
    },
    text: printExplanation(chosen.asked, explanation, bundle.manifest) + then,
    diagnostics,
    sources,
  };
}

export const EXPLAIN_COMMAND: CommandSpec = {
  name: 'explain',
  summary: 'say why a connection or a request is let in or refused',
  description:
    'Tells every predicate on the way with the values that it saw, the tables that were looked up and the entry hit,\nthe line that decided, and for a refusal the fewest predicates that would have had to answer otherwise.\nExit code 2 where the verdict is deny.',
  example:
    '$ weft explain shop --from batch.dev --to ratings.prod:80\ndeny  batch.dev -> ratings.prod:80\ndecided by default (noAllow) at the client\n…\n  no  isolation.ts:10  source.namespace.is("prod")  …\n…\nnearest to being let in:\n  isolation.ts:10: source.namespace.is("prod") would have to hold; …\n…',
  arguments: [
    { syntax: '[BUNDLE]', description: 'a bundle file or a project folder (default: this folder)' },
    { syntax: '[SCENARIO]', description: 'a scenario file' },
  ],
  options: [
    { flags: '--case <ID>', description: 'which case of the scenario' },
    {
      flags: '--record <FILE>',
      description: 'recorded traffic, instead of a scenario; `-` for stdin',
    },
    TRAFFIC_FORMAT_OPTION,
    { flags: '--id <ID>', description: 'which record: its id, its line, or LINE.N of several' },
    { flags: '--seed <N>', description: 'of the draws that a record does not have (default: 0)' },
    ...DECISION_OPTIONS,
    {
      flags: '--engine <NAME>',
      description: 'who decides; kernel needs root',
      choices: ['wasm', 'kernel'],
      default: 'wasm',
    },
    { flags: '--world <FILE>', description: 'the world (default: that of scenario or project)' },
  ],
  formats: ['text', 'json'],
  run: runExplain,
};
