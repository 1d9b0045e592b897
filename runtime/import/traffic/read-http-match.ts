/** One item of `match` of a VirtualService: all of it has to hold. */
import { all, any, type Condition, FALSE, TRUE, test } from '../condition.js';
import { Fields, type Findings } from '../fields.js';
import { quote } from '../policy-text.js';
import type { Tree } from '../tree.js';
import { inverseTest, matchTest, readStringMatch, type StringMatch } from './string-match.js';

export interface HttpMatch {
  /** What is known of the client: port, labels, namespace. */
  readonly client: Condition;
  readonly match: Condition;
  /** Of the path; null where it is not looked at. */
  readonly uri: StringMatch | null;
  readonly ignoresCase: boolean;
}

export const ANY_REQUEST: HttpMatch = { client: TRUE, match: TRUE, uri: null, ignoresCase: false };
const MESH = 'mesh';
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * Ports, labels and namespace of clients. Where gateways are named, Istio does not look at labels and namespace.
 * `side` is `request` or `connection`.
 */
export function readClient(fields: Fields, side: string, findings: Findings): Condition {
  const gateways = fields.texts('gateways') ?? [];
  const labels = Object.entries(fields.map('sourceLabels')?.labels() ?? {});
  const namespace = fields.text('sourceNamespace');
  const port = fields.number('port');
  const onPort = port === null ? TRUE : test(`${side}.destination.port == ${port.number}`);
  if (port !== null && !(Number.isInteger(port.number) && port.number > 0 && port.number < 65536)) {
    findings.error('W503', port.at, 'the port is not between 1 and 65535');
  }
  if (gateways.length > 0) {
    const [first] = gateways;
    if (first !== undefined && (labels.length > 0 || namespace !== null)) {
      const message =
        'where `gateways` stand, Istio does not look at labels and namespace of clients';
      findings.warning('W507', first.at, message);
    }
    return gateways.some(({ text }) => text === MESH) ? onPort : FALSE;
  }
  return all(
    onPort,
    ...labels.map(([key, value]) =>
      test(`${side}.source.label(${quote(key)}).is(${quote(value)})`),
    ),
    namespace === null || namespace.text === ''
      ? TRUE
      : test(`${side}.source.namespace.is(${quote(namespace.text)})`),
  );
}

function uriTest(uri: StringMatch, ignoresCase: boolean): Condition {
  if (!ignoresCase || uri.kind === 'present' || uri.kind === 'regex') {
    return matchTest('request.path', 'paths', uri);
  }
  const call = uri.kind === 'exact' ? 'equalsIgnoreCase' : 'startsWithIgnoreCase';
  return test(`request.path.${call}(${quote(uri.text)})`);
}

type Test = (name: string, match: StringMatch) => Condition;

function named(
  fields: Fields | null,
  noCase: boolean,
  findings: Findings,
  make: Test,
): readonly Condition[] {
  return (fields?.keys() ?? []).flatMap((name): Condition[] => {
    const tree = fields?.tree(name) ?? null;
    const at = fields?.place(name);
    if (tree === null || at === undefined) return [];
    const lower = name.toLowerCase();
    if (noCase && (name.startsWith(':') || name.startsWith('@') || lower === 'host')) {
      const help = 'say it by `authority`, `method` or `uri`';
      findings.error('W504', at, `\`${name}\` is no header of its own here`, help);
      return [];
    }
    if (noCase && !TOKEN.test(name)) {
      findings.error('W503', at, `\`${name}\` is no name of a header`);
      return [];
    }
    if (noCase) {
      const message = `a request with two lines of \`${lower}\` is refused where a rule looks at it`;
      findings.warning('W505', at, message, `GET / with \`${lower}: a\` and \`${lower}: b\``);
    }
    const match = readStringMatch(tree, name, findings);
    return match === null ? [] : [make(noCase ? lower : name, match)];
  });
}

const ofHeader = (name: string): string => `request.header(${quote(name)})`;

/** Reads one item; null where it is no map. */
export function readHttpMatch(tree: Tree, findings: Findings): HttpMatch | null {
  const fields = Fields.of(tree, findings, 'an item of `match`');
  if (fields === null) return null;
  const part = (name: string): StringMatch | null => {
    const found = fields.tree(name);
    return found === null ? null : readStringMatch(found, name, findings);
  };
  const [uri, method, authority] = [part('uri'), part('method'), part('authority')];
  if (fields.has('scheme')) {
    const help = 'take it out: what is not encrypted is `http`';
    findings.error('W504', fields.place('scheme'), 'the scheme is what a proxy says it is', help);
  }
  const ignoresCase = fields.boolean('ignoreUriCase') ?? false;
  const headers = named(fields.map('headers'), true, findings, (name, match) =>
    matchTest(ofHeader(name), `header ${name}`, match),
  );
  const without = named(fields.map('withoutHeaders'), true, findings, (name, match) =>
    inverseTest(ofHeader(name), `header ${name}`, match),
  );
  const query = named(fields.map('queryParams'), false, findings, (name, match) =>
    matchTest(`request.query(${quote(name)})`, `query ${name}`, match),
  );
  const client = readClient(fields, 'request', findings);
  fields.skip('name', 'statPrefix');
  fields.end();
  const match = all(
    uri === null ? TRUE : uriTest(uri, ignoresCase),
    method === null ? TRUE : matchTest('request.method', 'methods', method),
    authority === null ? TRUE : matchTest('request.host.bytes', 'hosts', authority),
    ...headers,
    ...without,
    ...query,
  );
  return { client, match, uri, ignoresCase };
}

/** Clients that an object is exported to: `.` are those of its own namespace. */
export function exportedTo(fields: Fields, namespace: string, side: string): Condition {
  const names = (fields.texts('exportTo') ?? []).map(({ text }) => text);
  if (names.length === 0 || names.includes('*')) return TRUE;
  const spaces = names.filter((name) => name !== '~').map((n) => (n === '.' ? namespace : n));
  return any(
    ...[...new Set(spaces)].map((name) => test(`${side}.source.namespace.is(${quote(name)})`)),
  );
}
