/** Compiles policies given as texts: what tests and benchmarks start from. */

import type { ProjectConfig } from '../../compiler/bundle/project.js';
import type { Diagnostic } from '../../compiler/diagnostic/index.js';
import { type Bundle, type CompileInput, compileProject } from '../../compiler/index.js';
import { PROJECT_DEFAULTS } from '../../runtime/config/index.js';
import { wizerSnapshot } from '../../runtime/snapshot/index.js';

/** Long, since many tests share few processors. */
const DEADLINE_MS = 120_000;

/** weft.json as far as a test says; policies default to all texts, attached everywhere, enforced. */
export type ConfigText = Partial<Omit<ProjectConfig, 'policies' | 'failure' | 'budget'>> & {
  readonly policies?: readonly { readonly file: string; readonly mode?: 'enforce' | 'shadow' }[];
  readonly failure?: Partial<ProjectConfig['failure']>;
  readonly budget?: Partial<ProjectConfig['budget']>;
};

/** A project of texts: file name -> AssemblyScript. */
export function projectOf(
  texts: ReadonlyMap<string, string>,
  config: ConfigText = {},
): ProjectConfig {
  const files = config.policies ?? [...texts.keys()].map((file) => ({ file }));
  return {
    ...PROJECT_DEFAULTS,
    ...config,
    name: config.name ?? 'test',
    failure: { ...PROJECT_DEFAULTS.failure, ...config.failure },
    budget: { ...PROJECT_DEFAULTS.budget, ...config.budget },
    policies: files.map((policy) => ({
      file: policy.file,
      mode: ('mode' in policy && policy.mode) || 'enforce',
      attach: [{ namespace: 'prod' }],
      at: null,
    })),
  };
}

/** Compiles; answers with the bundle or the findings. */
export async function compileTexts(
  texts: ReadonlyMap<string, string>,
  config: ConfigText = {},
  observe?: CompileInput['observe'],
  calls?: CompileInput['calls'],
): Promise<{ readonly bundle: Bundle | null; readonly diagnostics: readonly Diagnostic[] }> {
  const outcome = await compileProject({
    project: projectOf(texts, config),
    read: (path) => texts.get(path) ?? null,
    snapshot: (wasm) => wizerSnapshot(wasm, DEADLINE_MS),
    checkCluster: null,
    observe,
    calls,
  });
  return { bundle: outcome.ok ? outcome.bundle : null, diagnostics: outcome.diagnostics };
}

/** As above, but throws with the findings where it does not compile. */
export async function mustCompile(
  texts: ReadonlyMap<string, string>,
  config: ConfigText = {},
  observe?: CompileInput['observe'],
  calls?: CompileInput['calls'],
): Promise<Bundle> {
  const { bundle, diagnostics } = await compileTexts(texts, config, observe, calls);
  if (bundle === null) {
    const found = diagnostics.map((d) => `${d.file}:${d.line}:${d.column} ${d.code} ${d.message}`);
    throw new Error(
      `does not compile:\n${found.join('\n')}\n${[...texts.values()].join('\n---\n')}`,
    );
  }
  return bundle;
}

/** Kernels that have may_goto. */
const NEWER = ['6.12', '6.18'];

/** For all kernels; for newer ones alone where verifiers of others walk too much of it (B211). Throws as above. */
export async function mustCompileForSome(
  texts: ReadonlyMap<string, string>,
  config: ConfigText = {},
  observe?: CompileInput['observe'],
): Promise<Bundle> {
  const { bundle, diagnostics } = await compileTexts(texts, config, observe);
  if (bundle !== null) return bundle;
  const isTooLong = diagnostics.every(({ code }) => code === 'B211');
  return mustCompile(texts, isTooLong ? { ...config, kernels: NEWER } : config, observe);
}
