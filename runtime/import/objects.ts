/** Kubernetes objects of some files: each with its kind, name and place; lists of objects taken apart. */
import type { Diagnostic, Position } from '../../compiler/diagnostic/index.js';
import { Fields, type Findings } from './fields.js';
import { readTrees, type Tree } from './tree.js';

export interface SourceFile {
  /** As findings and comments name it. */
  readonly name: string;
  readonly text: string;
}

export interface KubeObject {
  /** API group without version, empty for the core. */
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** RFC 3339, or empty. */
  readonly created: string;
  readonly at: Position;
  readonly root: Fields;
}

/** Names that become comments and names of files. */
const NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

function texts(fields: Fields | null): Readonly<Record<string, string>> {
  return fields?.labels() ?? {};
}

function readObject(tree: Tree, findings: Findings, fallback: string): KubeObject[] {
  const root = Fields.of(tree, findings, 'the document');
  if (root === null) return [];
  const version = root.text('apiVersion');
  const kind = root.text('kind');
  if (version === null || kind === null) {
    findings.error('W503', tree.at, 'an object needs `apiVersion` and `kind`');
    return [];
  }
  if (kind.text.endsWith('List') && root.has('items')) {
    return (root.list('items') ?? []).flatMap((item) => readObject(item, findings, fallback));
  }
  const meta = root.map('metadata');
  const name = meta?.text('name') ?? null;
  if (meta === null || name === null || !NAME.test(name.text)) {
    const at = name?.at ?? meta?.at ?? tree.at;
    findings.error('W503', at, 'an object needs a name of lower-case letters, digits, `-` and `.`');
    return [];
  }
  const namespace = meta.text('namespace') ?? { at: meta.at, text: fallback };
  if (!NAME.test(namespace.text)) {
    findings.error('W503', namespace.at, `\`${namespace.text}\` is no namespace`);
    return [];
  }
  const stamp = meta.tree('creationTimestamp')?.value;
  root.skip('status');
  return [
    {
      group: version.text.includes('/') ? (version.text.split('/')[0] ?? '') : '',
      kind: kind.text,
      name: name.text,
      namespace: namespace.text,
      labels: texts(meta.map('labels')),
      annotations: texts(meta.map('annotations')),
      created: typeof stamp === 'string' ? stamp : '',
      at: tree.at,
      root,
    },
  ];
}

/** All objects, in the order of the files; `namespace` is that of objects which name none. */
export function readObjects(
  files: readonly SourceFile[],
  findings: Findings,
  namespace: string,
): readonly KubeObject[] {
  const objects: KubeObject[] = [];
  const take = (found: readonly Diagnostic[]): void => {
    findings.all.push(...found);
  };
  for (const { name, text } of files) {
    const { trees, diagnostics } = readTrees(text, name);
    take(diagnostics);
    for (const tree of trees) objects.push(...readObject(tree, findings, namespace));
  }
  const seen = new Map<string, KubeObject>();
  return objects.filter((object) => {
    const key = [object.group, object.kind, object.namespace, object.name].join('/');
    const first = seen.get(key);
    seen.set(key, first ?? object);
    if (first === undefined) return true;
    const { file, line } = first.at;
    findings.error(
      'W508',
      object.at,
      `${object.kind} \`${object.namespace}/${object.name}\` stands also at ${file}:${line}`,
    );
    return false;
  });
}
