/** `weft diff OLD NEW`: what changes for all traffic that there can be, in words and as a document. */
import type { Diagnostic } from '../../compiler/diagnostic/index.js';
import { formatEndpoint } from '../discovery/index.js';
import type { ChangedSet, Comparison, Example, FieldWords, RoutedSet } from '../prove/index.js';
import type { Outcome } from '../simulate/index.js';
import type { Result } from './command-spec.js';
import { EXIT } from './exit.js';

/** An example in a line: both ends, and the request. */
export function exampleLine({ world, input }: Example): string {
  const [client] = input.source.workload === null ? [] : world.workloads;
  const from = client?.name ?? input.source.address?.text ?? '';
  const to = formatEndpoint(input.destination.address, input.destination.port);
  const host = world.workloads.find((w) =>
    w.addresses.some((a) => a.text === input.destination.address.text),
  );
  const service = world.services.find((s) =>
    s.addresses.some((a) => a.text === input.destination.address.text),
  );
  const name = host?.name ?? service?.name;
  const at = name === undefined ? to : `${name} ${to}`;
  const { request } = input;
  const asked =
    request === undefined
      ? input.protocol === 17
        ? ' udp'
        : ''
      : `  ${request.method} ${request.target}`;
  const headers = (request?.headers ?? []).map(
    ([name, value]) => ` -H ${JSON.stringify(`${name}: ${value}`)}`,
  );
  const draw = input.random === 0 ? '' : `  draw ${input.random}`;
  return `${from} (${input.source.address?.text ?? ''}) -> ${at}${asked}${headers.join('')}${draw}`;
}

/** Who an example's ends are, beyond their names. */
export function exampleNotes({ world, input }: Example): readonly string[] {
  const ends = world.workloads.filter(
    (w, i) =>
      i === input.source.workload ||
      w.addresses.some((a) => a.text === input.destination.address.text),
  );
  return ends.flatMap((w) => {
    const known: Record<string, string | null> = {
      'service account': w.serviceAccount,
      'trust domain': w.trustDomain === 'cluster.local' ? null : w.trustDomain,
      region: w.locality.region,
      zone: w.locality.zone,
      node: w.node,
    };
    const parts = Object.entries(known).flatMap(([key, value]) =>
      value === null ? [] : [`${key} ${JSON.stringify(value)}`],
    );
    const labels = Object.entries(w.labels).map(([key, value]) => `${key}=${value}`);
    const all = [...parts, ...(labels.length === 0 ? [] : [`labels ${labels.join(', ')}`])];
    return all.length === 0 ? [] : [`${w.name}: ${all.join(', ')}`];
  });
}

/** An example as the files that `weft simulate` reads. */
export function exampleDocument({ world, input }: Example): Readonly<Record<string, unknown>> {
  const [client] = input.source.workload === null ? [] : world.workloads;
  const from = client?.name ?? input.source.address?.text ?? '';
  const to = formatEndpoint(input.destination.address, input.destination.port);
  const { request } = input;
  const asked =
    request === undefined
      ? { connect: { from, to, protocol: input.protocol === 17 ? 'udp' : 'tcp' } }
      : {
          request: {
            from,
            to,
            method: request.method,
            path: request.target,
            headers: Object.fromEntries(request.headers),
          },
        };
  return {
    world: {
      services: world.services.map(({ name, addresses, ports, clusters }) => ({
        name,
        addresses: addresses.map(({ text }) => text),
        ports,
        clusters,
      })),
      workloads: world.workloads.map((w) => ({
        name: w.name,
        addresses: w.addresses.map(({ text }) => text),
        labels: w.labels,
        serviceAccount: w.serviceAccount,
        trustDomain: w.trustDomain,
        locality: w.locality,
        node: w.node,
      })),
    },
    case: {
      id: 'example',
      ...asked,
      ...(input.random === 0 ? {} : { random: input.random }),
      now: new Date(Number(input.now / 1_000_000n)).toISOString(),
    },
  };
}

/** Conditions, one a line. */
export function whereLines(where: readonly FieldWords[]): readonly string[] {
  return where.length === 0 ? ['anything'] : where.map(({ field, says }) => `${field} ${says}`);
}

function verdictText({ verdict, rule, file, line }: Outcome): string {
  return `${verdict} (${file === null ? rule : `${file}:${line}`})`;
}

function setLines(set: ChangedSet | RoutedSet, number: number): readonly string[] {
  const where = whereLines(set.where).map(
    (line, i) => `${i === 0 ? `  ${number}. ` : '     '}${line}`,
  );
  const said = (one: Outcome | string): string =>
    typeof one === 'string' ? one : verdictText(one);
  return [
    ...where,
    `     as  ${exampleLine(set.example)}`,
    ...exampleNotes(set.example).map((note) => `         ${note}`),
    `         ${said(set.old)} before, now ${said(set.new)}`,
  ];
}

function routeLines(routed: readonly RoutedSet[]): readonly string[] {
  return (['connection', 'request'] as const).flatMap((level) => {
    const sets = routed.filter((set) => set.level === level);
    if (sets.length === 0) return [];
    const title = `${level}s routed otherwise, in ${sets.length} ${sets.length === 1 ? 'set' : 'sets'}:`;
    return [title, ...sets.flatMap((set, i) => setLines(set, i + 1)), ''];
  });
}

function textOf({ changed, routed, more, undecided }: Comparison): string {
  const lines: string[] = [];
  for (const level of ['connection', 'request'] as const) {
    for (const change of ['newly allowed', 'newly denied'] as const) {
      const sets = changed.filter((set) => set.level === level && set.change === change);
      if (sets.length === 0) continue;
      const what = level === 'request' ? 'requests' : 'connections';
      lines.push(`${what} ${change}, in ${sets.length} ${sets.length === 1 ? 'set' : 'sets'}:`);
      lines.push(...sets.flatMap((set, i) => setLines(set, i + 1)), '');
    }
  }
  lines.push(...routeLines(routed));
  if (more) lines.push('and more sets: widen `--limit`', '');
  for (const { level, what, places } of undecided) {
    const of = what === 'routes' ? 'routes of ' : '';
    lines.push(`undecided for ${of}some ${level}s: ${places.join(', ')}`);
  }
  if (changed.length + routed.length + undecided.length === 0)
    lines.push('no difference: both decide alike, whatever comes');
  return lines.join('\n').trimEnd();
}

/** The answer of the verb: 5 where something changes, 4 where nothing is known to and not all is decided. */
export function formalResult(
  comparison: Comparison,
  diagnostics: readonly Diagnostic[],
  bundles: { readonly old: string; readonly new: string },
): Result {
  const { changed, routed, more, undecided } = comparison;
  const isChanged = changed.length + routed.length > 0;
  const brief = ({ verdict, rule, file, line, policy, reason }: Outcome): object => ({
    verdict,
    rule,
    file,
    line,
    policy,
    reason,
  });
  return {
    exit: isChanged ? EXIT.differences : undecided.length > 0 ? EXIT.unsupported : EXIT.ok,
    document: {
      ...bundles,
      changed: changed.map(({ change, level, where, example, old, new: now }) => ({
        change,
        level,
        where,
        example: exampleDocument(example),
        old: brief(old),
        new: brief(now),
      })),
      routed: routed.map(({ level, where, example, old, new: now }) => ({
        level,
        where,
        example: exampleDocument(example),
        old,
        new: now,
      })),
      more,
      undecided,
      summary: {
        changed: changed.length,
        routed: routed.length,
        undecided: undecided.length,
      },
    },
    text: textOf(comparison),
    diagnostics,
  };
}
