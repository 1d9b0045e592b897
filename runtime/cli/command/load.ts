/** `weft load`: makes a bundle the deciding one on this node. */
import { writeFileSync } from 'node:fs';
import { type Diagnostic, diagnostic } from '../../../compiler/diagnostic/index.js';
import type { Loaded } from '../../agent/load.js';
import type { Verified } from '../../trust/index.js';
import {
  BUNDLE_ARGUMENT,
  type CommandSpec,
  flagOption,
  REGISTRY_OPTIONS,
  textOption,
} from '../command-spec.js';
import { type Env, pathIn } from '../env.js';
import { EXIT } from '../exit.js';
import { failureResult } from '../failure.js';
import { writeFault } from '../file-fault.js';

/** Keeps the log of a refused program, where one was asked for; what became of that besides. */
function writeLog(env: Env, file: string | null, error: unknown): readonly Diagnostic[] {
  if (file === null || !(error instanceof Error) || !('log' in error)) return [];
  try {
    writeFileSync(pathIn(env, file), String(error.log));
    return [];
  } catch (cause) {
    return [writeFault(file, cause)];
  }
}

/** Who signed, in a few words. */
function vouched({ version, signers }: Verified): string {
  return `version ${version} signed by ${signers.map((s) => s.name).join(', ')}`;
}

export const LOAD_COMMAND: CommandSpec = {
  name: 'load',
  summary: 'load a bundle into the kernel and activate it',
  description:
    'Activation is one write: until it, and on any failure, the running generation decides.\nThe generations before are kept (`--keep`). Cgroups are enrolled apart, with `weft enrol`.\nWith a trust policy (`--trust`, else /etc/weft/trust.json) a bundle that it refuses is not loaded (exit 6).',
  example:
    '$ sudo weft load shop.weft --world shop/world.yaml\ngeneration 3 is active: shop sha256:4f0c…',
  arguments: [{ syntax: '<BUNDLE>', description: BUNDLE_ARGUMENT }],
  options: [
    { flags: '--world <FILE>', description: 'the world (default: that of the project folder)' },
    {
      flags: '--short-circuit',
      description:
        'requests and replies between workloads of this node go past TCP (see docs/limits.md)',
    },
    { flags: '--trust <FILE>', description: 'the trust policy that must accept its signatures' },
    {
      flags: '--keep <N>',
      description: 'generations that stay loaded for `weft rollback`, 1 to 7 (default: 2)',
    },
    ...REGISTRY_OPTIONS,
    { flags: '--log <FILE>', description: "where to write the verifier's whole log on a refusal" },
  ],
  formats: ['text', 'json'],
  async run(env, input) {
    const keep = textOption(input, 'keep');
    if (keep !== null && !/^[1-7]$/.test(keep)) {
      const help = 'keep between 1 and 7 generations';
      const found = diagnostic('U004', `\`${keep}\` generations cannot be kept`, { help });
      return { exit: EXIT.usage, diagnostics: [found] };
    }
    const { worldOf } = await import('../subject.js');
    const { openBundle } = await import('../open-bundle.js');
    const { accessOf } = await import('../bundle-place.js');
    const opened = await openBundle(env, input.arguments[0] ?? '.', accessOf(env, input));
    const { subject, image, signatures } = opened;
    const world = await worldOf(env, subject, textOption(input, 'world'));
    const kernel = await env.openKernel();
    const paths = await env.nodePaths();
    const { loadOrNote } = await import('../../agent/load.js');
    const { trustPolicyOf } = await import('../../agent/admit.js');
    const trustFile = textOption(input, 'trust');
    const named = trustFile === null ? null : { path: pathIn(env, trustFile), shown: trustFile };
    const policy = trustPolicyOf(paths, named);
    const { withLock } = await import('../../agent/lock.js');
    const { bundle, digest, sources } = subject;
    const { encodeArchive } = await import('../../../compiler/bundle/index.js');
    const options = {
      ...{
        bundle,
        digest,
        archive: encodeArchive(image),
        signatures,
        world,
        shortCircuit: flagOption(input, 'shortCircuit'),
      },
      ...{ now: env.now(), clockOffset: env.clockOffset() },
      trust: policy === null ? null : { policy, signatures },
      ...(keep === null ? {} : { keep: Number(keep) }),
    };
    let loaded: Loaded;
    try {
      loaded = await withLock(paths, () => loadOrNote(kernel, paths, options));
    } catch (error) {
      const result = failureResult(error, env);
      const unwritten = writeLog(env, textOption(input, 'log'), error);
      return { ...result, diagnostics: [...(result.diagnostics ?? []), ...unwritten], sources };
    }
    const { generation, previous, trust, open } = loaded;
    const { openLines } = await import('../../agent/settle-open.js');
    const by = trust === null ? '' : `, ${vouched(trust)}`;
    return {
      exit: EXIT.ok,
      document: { generation, previous, bundle: digest, name: bundle.manifest.name, trust, open },
      text: [
        `generation ${generation} is active: ${bundle.manifest.name} ${digest}${by}`,
        ...openLines(open),
      ].join('\n'),
      // The build of a folder has planned with the same world already.
      diagnostics: [
        ...(subject.world === world ? subject.diagnostics : loaded.diagnostics),
        ...loaded.ofChange,
      ],
      sources,
    };
  },
};
