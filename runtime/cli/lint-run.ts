/** What `weft lint` does: judges the policies of a bundle, and YAML of other meshes. */
import { join } from 'node:path';
import type { Diagnostic } from '../../compiler/diagnostic/index.js';
import { IMPORT_CODES, lintIstio } from '../import/index.js';
import { lintRules, lintTables, sarifReport, suppress } from '../prove/index.js';
import type { Env } from './env.js';
import { readImportFiles } from './import-files.js';
import { openSubject, openWorld } from './subject.js';
import { VERSION } from './version.js';

export interface LintRun {
  readonly found: readonly Diagnostic[];
  readonly suppressed: readonly { readonly finding: Diagnostic; readonly reason: string }[];
  readonly sources: (file: string) => string | null;
  /** As SARIF. */
  readonly report: () => string;
}

interface Part {
  readonly findings: readonly Diagnostic[];
  readonly sources: Readonly<Record<string, string>>;
}

async function lintPolicies(env: Env, shown: string, world: string | null): Promise<Part> {
  const subject = await openSubject(env, shown);
  const known = world === null ? subject.world : await openWorld(env, world);
  const { bundle } = subject;
  // A project's files are named from here, a bundle's from the root of its project.
  const isFolder = subject.world !== null || subject.sources(join(shown, 'weft.json')) !== null;
  const place = (file: string): string => (isFolder ? join(shown, file) : file);
  const findings = [...lintRules(bundle, known), ...lintTables(bundle)].map((d) =>
    d.file === null ? d : { ...d, file: place(d.file) },
  );
  const policies = bundle.manifest.policies.map(({ file }) => file);
  const sources = Object.fromEntries(
    policies.map((file) => [place(file), bundle.manifest.sources[file] ?? '']),
  );
  return { findings: [...subject.diagnostics, ...findings], sources };
}

function lintYaml(env: Env, names: readonly string[]): Part {
  const { files, diagnostics } = readImportFiles(env, names);
  const sources = Object.fromEntries(files.map(({ name, text }) => [name, text]));
  return { findings: [...diagnostics, ...lintIstio(files)], sources };
}

/** Lints a bundle where one is named, and YAML. Throws CliError. */
export async function runLint(
  env: Env,
  shown: string | null,
  yaml: readonly string[],
  world: string | null,
): Promise<LintRun> {
  const parts = [
    ...(shown === null ? [] : [await lintPolicies(env, shown, world)]),
    ...(yaml.length === 0 ? [] : [lintYaml(env, yaml)]),
  ];
  const sources: Readonly<Record<string, string>> = Object.assign(
    {},
    ...parts.map((part) => part.sources),
  );
  const suppressed = suppress(
    parts.flatMap(({ findings }) => findings),
    sources,
  );
  return {
    found: suppressed.left,
    suppressed: suppressed.taken,
    sources: (file) => sources[file] ?? null,
    report: () => sarifReport(suppressed, VERSION, IMPORT_CODES),
  };
}
