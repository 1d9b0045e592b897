/** Reads weft.json: the schema's form, the defaults, and what a schema cannot say. */
import {
  DEFAULT_REFUSALS,
  isOlder,
  MAX_REPLY,
  OLDEST_KERNEL,
  REFUSALS,
  type RefusalConfig,
  refusalReplies,
  replyBytes,
} from '../../compiler/abi/index.js';
import type { ProjectConfig } from '../../compiler/bundle/project.js';
import { type Diagnostic, diagnostic, hasErrors } from '../../compiler/diagnostic/index.js';
import { type DocumentRead, readDocument } from '../schema/index.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type RawPolicy = Omit<ProjectConfig['policies'][number], 'at' | 'mode'> & {
  readonly mode?: 'enforce' | 'shadow';
};
type Raw = Partial<
  Mutable<Omit<ProjectConfig, 'policies' | 'failure' | 'refusals' | 'budget' | 'selfTest'>>
> & {
  readonly name: string;
  readonly policies: readonly RawPolicy[];
  readonly failure?: Partial<ProjectConfig['failure']>;
  readonly refusals?: Partial<Record<string, Partial<RefusalConfig>>>;
  readonly budget?: Partial<ProjectConfig['budget']>;
  readonly selfTest?: readonly { readonly file: string; readonly cases?: readonly string[] }[];
};

/** What holds where weft.json is silent. */
export const PROJECT_DEFAULTS: Omit<ProjectConfig, 'name' | 'policies'> = {
  default: 'deny',
  trust: 'address',
  onChange: 'close',
  failure: { trap: 'deny', fuel: 'deny', unknownIdentity: 'deny', parse: 'deny' },
  refusals: DEFAULT_REFUSALS,
  budget: { instructions: 4096, verified: 250_000, tableBytes: 67_108_864, fuel: 20_000 },
  kernels: ['6.1', '6.12', '6.18'],
  selfTest: null,
  world: null,
};

function isInside(path: string): boolean {
  return (
    path !== '' &&
    !path.startsWith('/') &&
    !path.includes('\\') &&
    !path.split('/').some((part) => part === '..' || part === '')
  );
}

function checkPolicies(raw: Raw, at: DocumentRead['at']): Diagnostic[] {
  const out: Diagnostic[] = [];
  const files = new Set<string>();
  const names = new Map<string, string>();
  for (const [index, { file, attach }] of raw.policies.entries()) {
    const place = at(['policies', index, 'file']);
    const name = (file.split('/').at(-1) ?? '').replace(/\.ts$/, '');
    const other = names.get(name);
    if (!isInside(file) || !file.endsWith('.ts')) {
      const message = `\`${file}\` is not a \`.ts\` file below the project`;
      out.push(diagnostic('W201', message, { at: place }));
    } else if (files.has(file)) {
      out.push(diagnostic('W202', `the policy \`${file}\` is listed twice`, { at: place }));
    } else if (other !== undefined) {
      const message = `\`${file}\` and \`${other}\` are both named \`${name}\``;
      out.push(diagnostic('W203', message, { at: place }));
    }
    files.add(file);
    names.set(name, file);
    for (const [item, { service }] of attach.entries()) {
      if (service === undefined || /^[^.\s]+\.[^.\s]+$/.test(service)) continue;
      const message = `\`${service}\` is not of the form name.namespace`;
      out.push(
        diagnostic('W204', message, { at: at(['policies', index, 'attach', item, 'service']) }),
      );
    }
  }
  return out;
}

function refusalsOf(raw: Raw): ProjectConfig['refusals'] {
  return Object.fromEntries(
    REFUSALS.map((name) => [name, { ...DEFAULT_REFUSALS[name], ...raw.refusals?.[name] }]),
  ) as ProjectConfig['refusals'];
}

function checkRefusals(refusals: ProjectConfig['refusals'], at: DocumentRead['at']): Diagnostic[] {
  const replies = refusalReplies(refusals);
  return REFUSALS.flatMap((name) => {
    const size = replyBytes(replies[name]).length;
    if (size <= MAX_REPLY) return [];
    const message = `the reply to \`${name}\` has ${size} bytes, at most ${MAX_REPLY}`;
    return [diagnostic('W205', message, { at: at(['refusals', name]) })];
  });
}

function checkKernels(kernels: readonly string[], at: DocumentRead['at']): Diagnostic[] {
  return kernels.flatMap((series, index) =>
    isOlder(series, OLDEST_KERNEL)
      ? [diagnostic('W206', `Weft does not run on Linux ${series}`, { at: at(['kernels', index]) })]
      : [],
  );
}

export interface ProjectRead {
  /** Null where there are errors. */
  readonly project: ProjectConfig | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads the text of a weft.json; every fault is a diagnostic. */
export function readProject(text: string, file: string): ProjectRead {
  const read = readDocument(text, file, 'weft');
  if (read.value === null) return { project: null, diagnostics: read.diagnostics };
  const raw = read.value as Raw;
  const found = [...read.diagnostics, ...checkPolicies(raw, read.at)];
  if (typeof raw.world === 'string' && !isInside(raw.world)) {
    const message = `\`${raw.world}\` is not a file below the project`;
    found.push(diagnostic('W201', message, { at: read.at(['world']) }));
  }
  for (const [index, { file: path }] of (raw.selfTest ?? []).entries()) {
    if (isInside(path)) continue;
    const message = `\`${path}\` is not a file below the project`;
    found.push(diagnostic('W201', message, { at: read.at(['selfTest', index, 'file']) }));
  }
  const refusals = refusalsOf(raw);
  found.push(...checkRefusals(refusals, read.at));
  found.push(...checkKernels(raw.kernels ?? [], read.at));
  if (hasErrors(found)) return { project: null, diagnostics: found };
  const project: ProjectConfig = {
    name: raw.name,
    policies: raw.policies.map(({ file: path, attach, mode }, index) => ({
      file: path,
      attach,
      mode: mode ?? 'enforce',
      at: read.at(['policies', index, 'file']),
    })),
    default: raw.default ?? PROJECT_DEFAULTS.default,
    trust: raw.trust ?? PROJECT_DEFAULTS.trust,
    onChange: raw.onChange ?? PROJECT_DEFAULTS.onChange,
    failure: { ...PROJECT_DEFAULTS.failure, ...raw.failure },
    refusals,
    budget: { ...PROJECT_DEFAULTS.budget, ...raw.budget },
    kernels: raw.kernels ?? PROJECT_DEFAULTS.kernels,
    selfTest:
      raw.selfTest?.map(({ file: path, cases }) => ({ file: path, cases: cases ?? null })) ?? null,
    world: raw.world ?? PROJECT_DEFAULTS.world,
  };
  return { project, diagnostics: found };
}
