/**
 * One rule about requests of a CiliumNetworkPolicy. Its expressions are of RE2 and mean the whole; that of the path means path and
 * query, as the target is sent once its path is normal.
 */
import type { RegexNode } from '../../../compiler/abi/index.js';
import { all, any, type Condition, not, TRUE, test, testWith } from '../condition.js';
import { Fields, type Findings, type Text } from '../fields.js';
import { type PolicyText, quote } from '../policy-text.js';
import { endsFreely, mayHold, readRegex, regexTest } from '../regex-match.js';
import { checkViewTexts } from '../text-match.js';
import type { Tree } from '../tree.js';

const QUESTION = 0x3f;
const QUERY = test('request.queryString.exists');
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Bytes of a path that are compared with its normal form: each turn of a loop is verified. */
const MAX_NORMAL_PATH = 1024;

const NORMAL = `(request: Request): bool {
  const path = request.path;
  if (path.length > ${MAX_NORMAL_PATH}) unreachable();
  for (let i: u32 = 0; i < ${MAX_NORMAL_PATH}; i++) {
    if (i >= path.length) break;
    if (request.target.at(i) != path.at(i)) return false;
  }
  return request.target.length == path.length + 1 + request.queryString.length;
}`;

function isNormal(policy: PolicyText): string {
  const comment = '// The path is sent in its normal form.';
  return `${policy.helper('isNormal', comment, NORMAL)}(request)`;
}

/** Path and query against an expression. */
function pathTest(value: Text, node: RegexNode, findings: Findings): Condition {
  const onPath = regexTest('request.path', 'paths', value.text, node);
  if (endsFreely(node, QUESTION)) return onPath;
  if (!mayHold(node, QUESTION)) return all(not(QUERY), onPath);
  const message =
    'where an expression looks into the query, the path has to be sent in its normal form';
  findings.warning('W505', value.at, message, 'GET /a/../b?c');
  const onTarget = regexTest('request.target', 'targets', value.text, node);
  return any(all(not(QUERY), onPath), all(QUERY, testWith(isNormal), onTarget));
}

function part(
  fields: Fields,
  name: string,
  findings: Findings,
  make: (value: Text, node: RegexNode) => Condition,
): Condition {
  const value = fields.text(name);
  if (value === null || value.text === '') return TRUE;
  const node = readRegex(value, findings);
  return node === null ? TRUE : make(value, node);
}

/** A header by name, with its value where that is said. */
function header(name: Text, value: string | null, findings: Findings): Condition {
  const lower = name.text.toLowerCase();
  if (!TOKEN.test(lower) || lower === 'host') {
    findings.error('W504', name.at, `\`${name.text}\` is no name of a header`);
    return TRUE;
  }
  if (value !== null && !checkViewTexts([{ at: name.at, text: value }], findings)) return TRUE;
  const message = `a request with two lines of \`${lower}\` is refused where a rule looks at it`;
  findings.warning('W505', name.at, message, `GET / with \`${lower}: a\` and \`${lower}: b\``);
  const expression = `request.header(${quote(lower)})`;
  return test(value === null ? `${expression}.exists` : `${expression}.is(${quote(value)})`);
}

/** `Name: value`, `Name value`, or the name alone. */
function headerLine({ at, text }: Text, findings: Findings): Condition {
  const blank = text.indexOf(' ');
  if (blank < 0) return header({ at, text }, null, findings);
  const name = text.slice(0, blank).replace(/:+$/, '');
  return header({ at, text: name }, text.slice(blank + 1), findings);
}

function headerMatch(tree: Tree, findings: Findings): Condition {
  const fields = Fields.of(tree, findings, 'an item of `headerMatches`');
  const name = fields?.text('name') ?? null;
  const value = fields?.text('value') ?? null;
  if (fields === null || name === null) return TRUE;
  if (fields.has('mismatch')) {
    const at = fields.place('mismatch');
    findings.error('W504', at, 'a request is refused or goes on as it is', 'leave `mismatch` out');
  }
  if (fields.has('secret')) {
    findings.error('W504', fields.place('secret'), 'secrets are not read', 'write the value out');
  }
  fields.end();
  return header(name, value === null || value.text === '' ? null : value.text, findings);
}

export function readHttpRule(tree: Tree, findings: Findings): Condition {
  const fields = Fields.of(tree, findings, 'a rule about requests');
  if (fields === null) return TRUE;
  const condition = all(
    part(fields, 'path', findings, (value, node) => pathTest(value, node, findings)),
    part(fields, 'method', findings, (value, node) =>
      regexTest('request.method', 'methods', value.text, node),
    ),
    part(fields, 'host', findings, (value, node) =>
      regexTest('request.host.bytes', 'hosts', value.text, node),
    ),
    ...(fields.texts('headers') ?? []).map((line) => headerLine(line, findings)),
    ...(fields.list('headerMatches') ?? []).map((item) => headerMatch(item, findings)),
  );
  fields.end();
  return condition;
}
