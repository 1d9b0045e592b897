/**
 * PeerAuthentication: where it is STRICT, peers that nobody vouches for are refused. An object with a selector
 * (the oldest that fits) goes before that of the namespace, that before the mesh's; UNSET inherits.
 */
import type { Attachment } from '../../../compiler/bundle/manifest.js';
import { write } from '../condition.js';
import type { Fields, Findings, Text } from '../fields.js';
import type { KubeObject } from '../objects.js';
import { PolicyText } from '../policy-text.js';
import type { FileNames, ImportedFile } from '../project.js';
import type { Scope } from './model.js';
import type { IstioOptions } from './options.js';
import { readScope } from './read-scope.js';
import { attachmentOf, describeScope, inScope, placeText } from './write-policies.js';

type Mode = 'STRICT' | 'PERMISSIVE' | 'UNSET';

interface PeerAuthentication {
  readonly object: KubeObject;
  readonly scope: Scope;
  readonly mode: Mode;
  readonly ports: ReadonlyMap<number, Mode>;
}

function readMode(text: Text | null, findings: Findings): Mode {
  if (text === null) return 'UNSET';
  switch (text.text) {
    case 'STRICT':
    case 'PERMISSIVE':
    case 'UNSET':
      return text.text;
    case 'DISABLE': {
      const help = 'peers have no identity there, and here they have: use PERMISSIVE';
      findings.error('W504', text.at, 'DISABLE takes the identity of peers away', help);
      return 'UNSET';
    }
    default:
      findings.error('W503', text.at, `\`${text.text}\` is no mode of mutual TLS`);
      return 'UNSET';
  }
}

function readPorts(fields: Fields | null, findings: Findings): ReadonlyMap<number, Mode> {
  const ports = new Map<number, Mode>();
  for (const key of fields?.keys() ?? []) {
    const inner = fields?.map(key) ?? null;
    const mode = readMode(inner?.text('mode') ?? null, findings);
    inner?.end();
    const at = fields?.place(key);
    if (/^\d{1,5}$/.test(key) && Number(key) > 0 && Number(key) <= 65535)
      ports.set(Number(key), mode);
    else if (at !== undefined) findings.error('W503', at, `\`${key}\` is no port`);
  }
  return ports;
}

/** Reads one object; null where it cannot be used. */
export function readPeerAuthentication(
  object: KubeObject,
  options: IstioOptions,
  findings: Findings,
): PeerAuthentication | null {
  const spec = object.root.map('spec');
  object.root.end();
  const scope = readScope(spec, object.namespace, options, findings);
  const mtls = spec?.map('mtls') ?? null;
  const mode = readMode(mtls?.text('mode') ?? null, findings);
  mtls?.end();
  const ports = readPorts(spec?.map('portLevelMtls') ?? null, findings);
  if (scope !== null && ports.size > 0 && Object.keys(scope.labels).length === 0) {
    const at = spec?.place('portLevelMtls') ?? object.at;
    findings.error('W503', at, '`portLevelMtls` stands only with a selector');
  }
  spec?.end();
  return scope === null ? null : { object, scope, mode, ports };
}

const isSelected = ({ scope }: PeerAuthentication): boolean => Object.keys(scope.labels).length > 0;

/** The oldest goes first; of the same age by name. */
function byAge(a: PeerAuthentication, b: PeerAuthentication): number {
  const key = ({ object }: PeerAuthentication): string =>
    [object.created, object.namespace, object.name].join(' ');
  return key(a) < key(b) ? -1 : 1;
}

function comment({ object, scope }: PeerAuthentication): string {
  return `  // ${object.namespace}/${object.name}, ${placeText(object.at)}: ${describeScope(scope)}`;
}

/** Statements for what holds by namespace and mesh. */
function inheritedLines(all: readonly PeerAuthentication[], policy: PolicyText): string[] {
  const wide = all.filter((one) => !isSelected(one) && one.mode !== 'UNSET').sort(byAge);
  const spaces = wide.filter((one) => one.scope.namespace !== null);
  const mesh = wide.find((one) => one.scope.namespace === null);
  const lines = spaces.flatMap((one) => [
    comment(one),
    `  if (${write(inScope(one.scope), policy)}) return ${one.mode === 'STRICT'};`,
  ]);
  if (mesh !== undefined) lines.push(comment(mesh));
  return [...lines, `  return ${mesh?.mode === 'STRICT'};`];
}

function selectedLines(
  one: PeerAuthentication,
  policy: PolicyText,
  inherited: string,
): readonly string[] {
  const value = (mode: Mode): string => (mode === 'UNSET' ? inherited : String(mode === 'STRICT'));
  const own = value(one.mode);
  const ports = [...one.ports].filter(([, mode]) => mode !== 'UNSET');
  return [
    comment(one),
    `  if (${write(inScope(one.scope), policy)}) {`,
    ...ports.map(([port, mode]) => `    if (destination.port == ${port}) return ${value(mode)};`),
    `    return ${own};`,
    '  }',
  ];
}

/** The policy file; null where nothing is STRICT. */
export function writePeerAuthentication(
  objects: readonly PeerAuthentication[],
  names: FileNames,
): ImportedFile | null {
  const strict = objects.filter(
    ({ mode, ports }) => mode === 'STRICT' || [...ports.values()].includes('STRICT'),
  );
  if (strict.length === 0) return null;
  const policy = new PolicyText(['Imported by weft import istio: PeerAuthentication.']);
  const inherited = policy.helper(
    'isStrictByDefault',
    '// By namespace and mesh.',
    `(destination: Destination): bool {\n${inheritedLines(objects, policy).join('\n')}\n}`,
  );
  const selected = objects.filter(isSelected).sort(byAge);
  const lines = selected.flatMap((one) => selectedLines(one, policy, `${inherited}(destination)`));
  const asked =
    lines.length === 0
      ? inherited
      : policy.helper(
          'isStrict',
          '// By workload.',
          `(destination: Destination): bool {\n${lines.join('\n')}\n  return ${inherited}(destination);\n}`,
        );
  policy.add(`export function authorizeConnection(connection: Connection): Verdict {
  const isKnown = connection.source.principal.exists;
  if (!isKnown && ${asked}(connection.destination)) return Verdict.Deny;
  return Verdict.Pass;
}`);
  const attach = new Map<string, Attachment>(
    strict.map(({ scope }) => [JSON.stringify(attachmentOf(scope)), attachmentOf(scope)]),
  );
  return {
    file: names.give('peer-authentication'),
    text: policy.toString(),
    attach: [...attach.values()],
    mode: 'enforce',
  };
}
