/**
 * `redirect` and `directResponse` of a VirtualService: answered where the request is sent. A Location keeps the port of Host in
 * Envoy and names the port of the connection here; where both could differ it is an error.
 */
import { checkHost, checkPath, REDIRECT_STATUS } from '../../../compiler/abi/index.js';
import type { Fields, Findings, Text } from '../fields.js';
import { quote } from '../policy-text.js';
import type { KnownService } from '../route/model.js';

const DEFAULT_PORT: Readonly<Record<string, number>> = { http: 80, https: 443 };
const MOVED = 301;
const FOUND = 302;

function pathCall(uri: Text | null, findings: Findings): string {
  if (uri === null || uri.text === '') return '';
  const fault = checkPath(uri.text);
  if (fault !== null) findings.error('W504', uri.at, fault.message, 'write a plain path');
  return `.path(${quote(uri.text)})`;
}

/** The port that `redirect` says; null where the scheme's or the request's holds. */
function portOf(fields: Fields, scheme: string, findings: Findings): number | null {
  const port = fields.number('port');
  const derived = fields.text('derivePort');
  if (port !== null && derived !== null) {
    findings.error('W503', derived.at, '`derivePort` stands beside `port`');
  }
  if (derived?.text === 'FROM_REQUEST_PORT' && scheme !== 'http') {
    findings.error('W504', derived.at, 'the port of the request under another scheme');
  } else if (
    derived !== null &&
    !['FROM_PROTOCOL_DEFAULT', 'FROM_REQUEST_PORT'].includes(derived.text)
  ) {
    findings.error('W503', derived.at, `\`${derived.text}\` is no \`derivePort\``);
  }
  if (port === null) return null;
  if (!Number.isInteger(port.number) || port.number < 1 || port.number > 65535) {
    findings.error('W503', port.at, 'the port is not between 1 and 65535');
  }
  return port.number === DEFAULT_PORT[scheme] ? null : port.number;
}

function codeCall(fields: Fields, findings: Findings): string {
  const code = fields.number('redirectCode');
  const status = code?.number ?? 0;
  if (code === null || status === 0) return `.code(${MOVED})`;
  if (REDIRECT_STATUS.includes(status)) return status === FOUND ? '' : `.code(${status})`;
  findings.error('W503', code.at, `${status} is no status of a redirect`);
  return '';
}

/** The calls that declare the redirect. */
export function readRedirect(
  fields: Fields,
  services: readonly KnownService[],
  findings: Findings,
): string {
  const given = fields.text('scheme');
  if (given !== null && !Object.hasOwn(DEFAULT_PORT, given.text)) {
    findings.error('W504', given.at, `\`${given.text}\` is no scheme of a redirect`);
  }
  const scheme = given?.text ?? 'http';
  const authority = fields.text('authority');
  const derived = fields.tree('derivePort')?.value === 'FROM_REQUEST_PORT';
  const port = portOf(fields, scheme, findings);
  const calls = [codeCall(fields, findings)];
  if (given !== null) calls.push(`.scheme(${quote(scheme)})`);
  if (authority !== null && authority.text !== '') {
    const fault = checkHost(authority.text, 'port');
    if (fault !== null) findings.error('W504', authority.at, fault.message);
    const [, host = '', own] = /^(.*?)(?::(\d+))?$/.exec(authority.text) ?? [];
    const named = port ?? (own === undefined ? DEFAULT_PORT[scheme] : Number(own));
    calls.push(`.host(${quote(host)})`);
    if (!derived) calls.push(`.port(${named})`);
  } else if (port !== null) calls.push(`.port(${port})`);
  else if (
    scheme !== 'http' &&
    services.some((s) => s.ports.some((p) => p.http && p.port !== 80))
  ) {
    const help = 'say `port` and `authority`';
    findings.error('W504', fields.at, 'the Location would keep the port of Host', help);
  }
  calls.push(pathCall(fields.text('uri'), findings));
  fields.end();
  return `redirect()${calls.join('')}`;
}

/** The call that declares a reply. */
export function readDirectResponse(
  fields: Fields,
  headers: readonly (readonly [string, string])[],
  findings: Findings,
): string {
  const status = fields.number('status');
  const body = fields.map('body');
  const text = body?.text('string') ?? null;
  if (body?.has('bytes') === true) {
    findings.error('W504', body.place('bytes'), 'a body of bytes', 'write it as `string`');
  }
  body?.end();
  fields.end();
  if (status === null) findings.error('W503', fields.at, '`status` is missing');
  else if (!Number.isInteger(status.number) || status.number < 200 || status.number > 599) {
    findings.error('W504', status.at, 'a reply has a status from 200 to 599');
  }
  return respondCall(status?.number ?? 500, text?.text ?? null, headers);
}

export function respondCall(
  status: number,
  body: string | null,
  headers: readonly (readonly [string, string])[] = [],
): string {
  const parts = [String(status)];
  if (body !== null || headers.length > 0) parts.push(body === null ? 'null' : quote(body));
  if (headers.length > 0) {
    parts.push(
      `[${headers.map(([name, value]) => `[${quote(name)}, ${quote(value)}]`).join(', ')}]`,
    );
  }
  return `respond(${parts.join(', ')})`;
}
