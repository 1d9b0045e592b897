/** `weft diff OLD NEW`: what changes for all traffic that there can be, in words and as a document. */
import type { Diagnostic } from '../../compiler/diagnostic/index.js';
import { formatEndpoint } from '../discovery/index.js';
import type { ChangedSet, Comparison, Example, FieldWords } from '../prove/index.js';
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
  const at = host === undefined ? to : `${host.name} ${to}`;
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
  return `${from} (${input.source.address?.text ?? ''}) -> ${at}${asked}${headers.join('')}`;
}

/** Who an example's workloads are, beyond their names. */
export function exampleNotes({ world }: Example): readonly string[] {
  return world.workloads.flatMap((w) => {
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
    case: { id: 'example', ...asked, now: new Date(Number(input.now / 1_000_000n)).toISOString() },
  };
}

/** Conditions, one a line. */
export function whereLines(where: readonly FieldWords[]): readonly string[] {
  return where.length === 0 ? ['anything'] : where.map(({ field, says }) => `${field} ${says}`);
}

function verdictText({ verdict, rule, file, line }: Outcome): string {
  return `${verdict} (${file === null ? rule : `${file}:${line}`})`;
}

function setLines(set: ChangedSet, number: number): readonly string[] {
  const where = whereLines(set.where).map(
    (line, i) => `${i === 0 ? `  ${number}. ` : '     '}${line}`,
  );
  return [
    ...where,
    `     as  ${exampleLine(set.example)}`,
    ...exampleNotes(set.example).map((note) => `         ${note}`),
    `         ${verdictText(set.old)} before, now ${verdictText(set.new)}`,
  ];
}

function textOf({ changed, more, undecided }: Comparison): string {
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
  if (more) lines.push('and more sets: widen `--limit`', '');
  for (const { level, places } of undecided) {
    lines.push(`undecided for some ${level}s: ${places.join(', ')}`);
  }
  if (changed.length === 0 && undecided.length === 0)
    lines.push('no difference: both decide alike, whatever comes');
  return lines.join('\n').trimEnd();
}

/** The answer of the verb: 5 where something changes, 4 where nothing is known to and not all is decided. */
export function formalResult(
  comparison: Comparison,
  diagnostics: readonly Diagnostic[],
  bundles: { readonly old: string; readonly new: string },
): Result {
  const { changed, more, undecided } = comparison;
  const brief = ({ verdict, rule, file, line, policy, reason }: Outcome): object => ({
    verdict,
    rule,
    file,
    line,
    policy,
    reason,
  });
  return {
    exit: changed.length > 0 ? EXIT.differences : undecided.length > 0 ? EXIT.unsupported : EXIT.ok,
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
      more,
      undecided,
      summary: { changed: changed.length, undecided: undecided.length },
    },
    text: textOf(comparison),
    diagnostics,
  };
}
