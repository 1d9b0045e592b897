/** `weft inspect`: what is in a bundle, without running or loading it. */
import { routeText } from '../../../compiler/abi/index.js';
import type { Bundle, Manifest } from '../../../compiler/bundle/manifest.js';
import { columns } from '../columns.js';
import { BUNDLE_ARGUMENT, type CommandSpec, REGISTRY_OPTIONS } from '../command-spec.js';
import { EXIT } from '../exit.js';
import { verifiedText } from '../verified-text.js';

function attached(item: Manifest['policies'][number]['attach'][number]): string {
  const parts: string[] = [];
  if (item.namespace !== undefined) parts.push(`namespace ${item.namespace}`);
  if (item.workload !== undefined) {
    const labels = Object.entries(item.workload).map(([k, v]) => `${k}=${v}`);
    parts.push(`workload ${labels.join(',')}`);
  }
  if (item.service !== undefined) parts.push(`service ${item.service}`);
  return parts.join(' and ');
}

function section(title: string, rows: readonly (readonly string[])[]): string {
  return rows.length === 0 ? '' : `\n${title}\n${columns(rows, '  ')}\n`;
}

function describe({ manifest, cases }: Bundle, digest: string): string {
  const failure = Object.entries(manifest.failure).map(([cause, outcome]) => `${cause} ${outcome}`);
  const head = columns([
    ['bundle', digest],
    ['name', manifest.name],
    ['default', manifest.default],
    ['trust', manifest.trust],
    ['on change', manifest.onChange],
    ['failure', failure.join(', ')],
    ['fuel', String(manifest.fuel)],
    ['kernels', manifest.kernels.join(', ')],
  ]);
  const slots = [
    ...manifest.attributes.map((a) => [
      `${a.side}.${a.attribute}${a.key === null ? '' : ` ${a.key}`}`,
      `slot ${a.slot}`,
    ]),
    ...manifest.predicates.map((p) => [
      `${p.side}.${p.attribute}${p.key === null ? '' : ` ${p.key}`} ${p.op} "${p.text}"`,
      `bit ${p.bit}`,
    ]),
    ...manifest.headers.map((name, slot) => [`header ${name}`, `slot ${slot}`]),
  ];
  return [
    `${head}\n`,
    section(
      'policies',
      manifest.policies.map((p) => [
        p.name,
        p.file,
        p.mode,
        p.canAllow || p.canAllowRequest ? 'can allow' : 'cannot allow',
        p.exports.join(', '),
        p.attach.map(attached).join(' or '),
      ]),
    ),
    section(
      'sites',
      manifest.sites.map((s) => [
        String(s.site),
        `${s.file}:${s.line}:${s.column}`,
        s.kind === 'route' ? 'route' : (s.verdict ?? ''),
      ]),
    ),
    section(
      'routes',
      manifest.routes.map((route, i) => [String(i + 1), routeText(route)]),
    ),
    section('attributes', slots),
    section(
      `tables (${manifest.cost.tableBytes} bytes)`,
      manifest.cost.tables.map(({ policy, name, kind, entries, bytes, form }) => [
        policy,
        name,
        kind,
        `${entries} entries`,
        `${bytes} bytes`,
        form,
      ]),
    ),
    ...(cases?.files ?? []).map(({ file, cases: own, left }) =>
      section(
        `self-test, ${file} (${own.length} of ${own.length + left} cases)`,
        own.map(({ line, case: { id, expect } }) => [
          id,
          `${file}:${line}`,
          Object.entries(expect ?? {})
            .map(([key, want]) => `${key} ${want}`)
            .join(', '),
        ]),
      ),
    ),
    section('cost', [
      ['function', 'instructions', 'worst case', 'stack bytes', 'look-ups'],
      ...manifest.cost.functions.map((f) => [
        f.name,
        String(f.instructions),
        f.worstInstructions === null ? 'loops' : String(f.worstInstructions),
        String(f.stackBytes),
        String(f.lookups),
      ]),
    ]),
  ].join('');
}

export const INSPECT_COMMAND: CommandSpec = {
  name: 'inspect',
  summary: 'show what a bundle holds: policies, sites, tables, cost',
  example: '$ weft inspect shop.weft\nbundle     sha256:…\nname       shop\ndefault    deny\n…',
  arguments: [{ syntax: '<BUNDLE>', description: BUNDLE_ARGUMENT }],
  options: [...REGISTRY_OPTIONS],
  formats: ['text', 'json'],
  async run(env, input) {
    const { openSubject } = await import('../subject.js');
    const { accessOf } = await import('../bundle-place.js');
    const shown = input.arguments[0] ?? '.';
    const opened = await openSubject(env, shown, { access: accessOf(env, input) });
    const { bundle, digest, diagnostics, sources } = opened;
    const { sources: _, ...manifest } = bundle.manifest;
    const sizes = {
      sbom: bundle.sbom.length,
      wasm: Object.fromEntries([...bundle.wasm].map(([name, bytes]) => [name, bytes.length])),
      objects: { base: bundle.objects.base.length, mayGoto: bundle.objects.mayGoto.length },
    };
    const { verifiedCost } = await import('../verified-budget.js');
    const { cost: verified, refusal } = await verifiedCost(env, bundle);
    const told = refusal === null ? verifiedText(verified) : refusal.message;
    return {
      exit: EXIT.ok,
      document: {
        bundle: digest,
        manifest,
        selfTest: bundle.cases?.files ?? [],
        bytes: sizes,
        verified,
      },
      text: `${describe(bundle, digest)}  ${told}\n`,
      diagnostics,
      sources,
    };
  },
};
