/** What an import comes to: a project in memory, ready to be written or compiled. */
import type { Attachment } from '../../compiler/bundle/manifest.js';
import type { Diagnostic } from '../../compiler/diagnostic/index.js';

export interface ImportedFile {
  readonly file: string;
  readonly text: string;
  readonly attach: readonly Attachment[];
  readonly mode: 'enforce' | 'shadow';
}

export interface ImportedProject {
  readonly policies: readonly ImportedFile[];
  /** Where no policy that can allow is on the target. */
  readonly default: 'allow' | 'deny';
  /** Objects that were read, and objects of other kinds that were left out. */
  readonly objects: { readonly read: number; readonly ignored: number };
  readonly diagnostics: readonly Diagnostic[];
}

/** weft.json of an import. */
export function projectText(
  name: string,
  { policies, default: outcome }: ImportedProject,
  world: string | null,
): string {
  const project = {
    name,
    policies: policies.map(({ file, attach, mode }) => ({ file, attach, mode })),
    default: outcome,
    ...(world === null ? {} : { world }),
  };
  return `${JSON.stringify(project, null, 2)}\n`;
}

/** A name of a file: what it may not have becomes `-`. Each is given once. */
export class FileNames {
  readonly #given = new Set<string>();

  give(words: string): string {
    const base = words.replace(/[^A-Za-z0-9-]+/g, '-').replace(/^-+|-+$/g, '') || 'policy';
    let name = base;
    for (let n = 2; this.#given.has(name); n += 1) name = `${base}-${n}`;
    this.#given.add(name);
    return `policies/${name}.ts`;
  }
}
