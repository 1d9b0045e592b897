/**
 * Cases of imported policies, decided by an engine: each on the policies that are attached to its destination, the
 * connection first, then the request, whose head the real parser reads. Answers are told by the rule of the YAML.
 */
import { REQUEST, ROUTE_MASK, type RouteTarget } from '../../compiler/abi/index.js';
import type { Bundle, Manifest } from '../../compiler/bundle/manifest.js';
import { attachedWorkloads } from '../../runtime/discovery/index.js';
import type { World } from '../../runtime/discovery/types.js';
import type { ImportedProject } from '../../runtime/import/index.js';
import { type RecordFields, requestParser } from '../../runtime/simulate/index.js';
import type { Case, CaseParty } from './case-file.js';
import { describeRecord } from './describe-record.js';
import { encodeAll, type Interner } from './encode-connection.js';
import { encodeRequest } from './encode-request.js';
import type { TestEngine } from './engines.js';
import { editedPath, locationText } from './route-result.js';

export interface ImportedAnswer {
  readonly answer: string;
  /** `name[index]` of the rule, or the reason. */
  readonly rule: string;
}

/** Numbers of the policies that are attached to a workload with these texts. */
export function attachedTo({ policies }: Manifest, { texts }: CaseParty): readonly number[] {
  const labels = Object.fromEntries(
    [...texts].flatMap(([key, value]) => (key.startsWith('label:') ? [[key.slice(6), value]] : [])),
  );
  const workload = { name: 'x', namespace: texts.get('namespace') ?? '', labels };
  const world = { services: [], workloads: [workload] } as unknown as World;
  return policies
    .filter(({ attach }) => attachedWorkloads(world, attach).length > 0)
    .map(({ index }) => index);
}

/** The rule whose comment stands above a line of the imported text. */
function ruleAt(project: ImportedProject, file: string, line: number): string {
  const lines = project.policies.find((p) => p.file.endsWith(file))?.text.split('\n') ?? [];
  if (/^ {2}return selected/.test(lines[line - 1] ?? '')) return 'last line';
  for (let at = line - 1; at >= 0; at -= 1) {
    const text = lines[at] ?? '';
    if (text.includes('judged one by one')) return 'requests';
    const found =
      /^ *\/\/ ns\[[^\]]*\]-(?:policy\[([^\]]*)\]-rule(\[\d+\])|(request-authentication))/.exec(
        text,
      );
    if (found) return found[3] ?? `${found[1]}${found[2]}`;
    if (/^\}/.test(text)) break;
  }
  return `${file}:${line}`;
}

/** Decides all cases; in their order. */
export async function decideImported(
  engine: TestEngine,
  bundle: Bundle,
  project: ImportedProject,
  cases: readonly Case[],
  interner: Interner,
): Promise<readonly ImportedAnswer[]> {
  const { manifest } = bundle;
  const facts = cases.map((one) => ({ ...one, policies: attachedTo(manifest, one.destination) }));
  const connections = await engine.decide(encodeAll(facts, manifest, interner), 'authorize');
  const parse = requestParser(manifest.headers);
  const asked = facts.flatMap((one, i) => (one.request === null ? [] : [{ one, i }]));
  // Without policies about requests each is allowed as its connection was.
  const isJudged = manifest.policies.some(({ exports }) => exports.includes('authorizeRequest'));
  const structs: Uint8Array[] = [];
  const places = new Map<number, number>();
  const refused = new Set<number>();
  for (const { one, i } of asked) {
    if (one.request === null) continue;
    const { method, target, headers } = one.request;
    const hasHost = headers.some(([name]) => name.toLowerCase() === 'host');
    const sent = {
      method,
      target,
      headers: hasHost ? headers : [['host', 'svc'] as const, ...headers],
    };
    const parsed = parse(sent);
    if (!parsed.ok) {
      refused.add(i);
      continue;
    }
    const struct = encodeRequest({ ...one, ...sent }, manifest, interner);
    struct.set(parsed.head.subarray(0, REQUEST.zero - REQUEST.head), REQUEST.head);
    struct.set(parsed.bytes, REQUEST.bytes);
    places.set(i, structs.length);
    structs.push(struct);
  }
  const requests =
    structs.length === 0 || !isJudged
      ? []
      : await engine.decide(new Uint8Array(Buffer.concat(structs)), 'authorizeRequest');
  const say = (record: RecordFields): ImportedAnswer => {
    const { answer, rule } = describeRecord(record, manifest, 'authorize');
    const [, file, line] = /^(.*):(\d+)$/.exec(rule ?? '') ?? [];
    const told = file === undefined ? (rule ?? '') : ruleAt(project, file, Number(line));
    if (told !== 'last line') return { answer, rule: told };
    return { answer, rule: answer === 'allow' ? 'default' : 'noAllow' };
  };
  return facts.map((_, i) => {
    const connection = connections[i];
    if (connection === undefined) throw new Error('a record is missing');
    const first = say(connection);
    if (refused.has(i)) return { answer: 'deny', rule: 'parse' };
    const place = places.get(i);
    const request = place === undefined ? undefined : requests[place];
    return request === undefined || first.answer === 'deny' ? first : say(request);
  });
}

/** Routes to the service that the label `svc` of the destination names, in the words of a case. */
export async function routeImported(
  engine: TestEngine,
  { manifest }: Bundle,
  cases: readonly Case[],
  interner: Interner,
): Promise<readonly ImportedAnswer[]> {
  const facts = cases.map((one) => {
    const { texts } = one.destination;
    const service = `${texts.get('label:svc')}.${texts.get('namespace')}`;
    const policies = manifest.policies
      .filter(({ attach }) => attach.some((item) => item.service === service))
      .map(({ index }) => index);
    return { ...one, policies };
  });
  const asked = facts.filter(({ request }) => request !== null);
  const requests = asked.flatMap((one) =>
    one.request === null ? [] : [encodeRequest({ ...one, ...one.request }, manifest, interner)],
  );
  const opened = facts.filter(({ request }) => request === null);
  const records = new Map<string, RecordFields>();
  const take = (ids: readonly Case[], found: readonly RecordFields[]): void => {
    for (const [i, record] of found.entries()) records.set(ids[i]?.id ?? '', record);
  };
  if (asked.length > 0) {
    take(asked, await engine.decide(new Uint8Array(Buffer.concat(requests)), 'routeRequest'));
  }
  if (opened.length > 0) {
    take(opened, await engine.decide(encodeAll(opened, manifest, interner), 'route'));
  }
  return cases.map((one) => {
    const record = records.get(one.id);
    if (record === undefined) throw new Error(`no record of ${one.id}`);
    const { answer } = describeRecord(record, manifest, 'route');
    return { answer, rule: madeOf(manifest.routes[(record.route & ROUTE_MASK) - 1], one) };
  });
}

/** The path that an edited request has, the Location of a redirect, or the status of gRPC that a reply has. */
function madeOf(target: RouteTarget | undefined, { request, port }: Case): string {
  if (request === null) return '';
  const mark = request.target.indexOf('?');
  const path = mark < 0 ? request.target : request.target.slice(0, mark);
  const query = mark < 0 ? null : request.target.slice(mark + 1);
  const host = request.headers.find(([name]) => name.toLowerCase() === 'host')?.[1] ?? 'h';
  if (target?.kind === 'cluster') return editedPath(target.edits, path);
  if (target?.kind === 'reply')
    return /^grpc-status: \d+/m.exec(target.reply.head)?.[0].replace(' ', '') ?? '';
  if (target?.kind !== 'redirect') return '';
  return locationText(target.redirect, { path, query, host, port, headers: [] });
}
