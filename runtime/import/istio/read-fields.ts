/** The fields of a source, of an operation and of `when`: what each asks, and what is wrong with it. */

import { readBlock } from '../block.js';
import { any, type Condition, FALSE, test, testWith } from '../condition.js';
import type { Fields, Findings, Text } from '../fields.js';
import { quote } from '../policy-text.js';
import { anyMatch, checkViewTexts, classify } from '../text-match.js';
import { claim, requestPrincipals } from './claims.js';
import { namespaces, principals, serviceAccounts, trustDomains } from './identity.js';
import type { Field } from './model.js';
import type { IstioOptions } from './options.js';
import { fitsTemplate, isTemplate, templateFault } from './path-template.js';

/** What reading a policy's rules needs to know. */
export interface Reading {
  readonly findings: Findings;
  readonly options: IstioOptions;
  /** Namespace of the policy. */
  readonly namespace: string;
}

type Kind = { readonly http: boolean; readonly read: (values: readonly Text[]) => Condition };

/** Address blocks of a side. */
function addresses(
  side: 'source' | 'destination',
  label: string,
  values: readonly Text[],
  { findings }: Reading,
): Condition {
  const blocks = values.flatMap((value) => readBlock(value, findings) ?? []);
  return testWith((policy) => `${side}.address.in(${policy.cidrs(label, blocks)})`);
}

function remote(label: string, values: readonly Text[], reading: Reading): Condition {
  const [first] = values;
  if (!reading.options.remoteIsPeer && first !== undefined) {
    const help = 'where no proxy stands before the mesh, say `--remote-ip peer`';
    reading.findings.error(
      'W504',
      first.at,
      'the original client of a proxied request is not known',
      help,
    );
    return FALSE;
  }
  return addresses('source', label, values, reading);
}

const FEW_PORTS = 4;

function ports(values: readonly Text[], { findings }: Reading): Condition {
  const numbers = values.flatMap(({ at, text }) => {
    if (/^\d{1,5}$/.test(text) && Number(text) <= 65535) return [Number(text)];
    findings.error('W503', at, `\`${text}\` is no port: a decimal number from 0 to 65535`);
    return [];
  });
  if (numbers.length <= FEW_PORTS) {
    return any(...numbers.map((port) => test(`destination.port == ${port}`)));
  }
  return testWith((policy) => `${policy.ports('ports', numbers)}.contains(destination.port)`);
}

function paths(values: readonly Text[], { findings }: Reading): Condition {
  if (!checkViewTexts(values, findings)) return FALSE;
  const templates = values.filter(({ text }) => isTemplate(text));
  for (const { at, text } of templates) {
    const fault = templateFault(text);
    if (fault !== null) findings.error('W503', at, `the path template \`${text}\` ${fault}`);
  }
  const plain = values.filter((value) => !templates.includes(value));
  const subject = { expression: 'request.path', kind: 'view', label: 'paths' } as const;
  return any(
    anyMatch(
      subject,
      plain.map(({ text }) => classify(text)),
    ),
    ...templates.map(({ text }) => fitsTemplate(text)),
  );
}

function view(expression: string, kind: 'view' | 'host', label: string) {
  return (values: readonly Text[], { findings }: Reading): Condition =>
    checkViewTexts(values, findings)
      ? anyMatch(
          { expression, kind, label },
          values.map(({ text }) => classify(text)),
        )
      : FALSE;
}
const hosts = view('request.host', 'host', 'hosts');
const methods = view('request.method', 'view', 'methods');

/** Fields of `source`, by the name without `not`. */
export function sourceKinds(reading: Reading): Readonly<Record<string, Kind>> {
  const { findings, options, namespace } = reading;
  return {
    principals: { http: false, read: (v) => principals(v, options.trustDomains) },
    namespaces: { http: false, read: (v) => namespaces(v, findings) },
    serviceAccounts: { http: false, read: (v) => serviceAccounts(v, namespace, findings) },
    trustDomains: { http: false, read: (v) => trustDomains(v, options.trustDomains, findings) },
    ipBlocks: { http: false, read: (v) => addresses('source', 'ipBlocks', v, reading) },
    remoteIpBlocks: { http: false, read: (v) => remote('remoteIpBlocks', v, reading) },
    requestPrincipals: {
      http: true,
      read: (v) => requestPrincipals(v, options, findings),
    },
  };
}

/** Fields of `operation`, by the name without `not`. */
export function operationKinds(reading: Reading): Readonly<Record<string, Kind>> {
  return {
    hosts: { http: true, read: (v) => hosts(v, reading) },
    methods: { http: true, read: (v) => methods(v, reading) },
    paths: { http: true, read: (v) => paths(v, reading) },
    ports: { http: false, read: (v) => ports(v, reading) },
  };
}

const NOT = 'not';
const negative = (name: string): string => `${NOT}${name.charAt(0).toUpperCase()}${name.slice(1)}`;

/** Reads positive and negative lists of all kinds out of one source or operation. */
export function readFieldLists(
  fields: Fields,
  kinds: Readonly<Record<string, Kind>>,
  findings: Findings,
): readonly Field[] {
  const out: Field[] = [];
  for (const [name, { http, read }] of Object.entries(kinds)) {
    for (const field of [name, negative(name)]) {
      const values = fields.texts(field);
      if (values === null || values.length === 0) continue;
      for (const { at, text } of values) {
        if (text === '') findings.error('W503', at, `\`${field}\` has an empty text`);
      }
      const condition = read(values);
      out.push({ http, condition: field === name ? condition : { kind: 'not', of: condition } });
    }
  }
  return out;
}

const HEADER = /^request\.headers\[([^\]]+)\]$/;
const CLAIMS = /^request\.auth\.claims((?:\[[^[\]]+\])+)$/;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** What a key of `when` compares; null, and a finding, where it is none. */
export function whenKind(key: Text, reading: Reading): Kind | null {
  const { findings, options } = reading;
  const sources = sourceKinds(reading);
  const plain: Readonly<Record<string, Kind | undefined>> = {
    'source.ip': sources['ipBlocks'],
    'remote.ip': sources['remoteIpBlocks'],
    'source.namespace': sources['namespaces'],
    'source.principal': sources['principals'],
    'source.serviceAccount': sources['serviceAccounts'],
    'source.trustDomain': sources['trustDomains'],
    'request.auth.principal': sources['requestPrincipals'],
    'destination.ip': {
      http: false,
      read: (v) => addresses('destination', 'destination.ip', v, reading),
    },
    'destination.port': operationKinds(reading)['ports'],
    'request.auth.audiences': { http: true, read: (v) => claim('aud', v, options, findings) },
    'request.auth.presenter': { http: true, read: (v) => claim('azp', v, options, findings) },
  };
  const known = plain[key.text];
  if (known !== undefined && Object.hasOwn(plain, key.text)) return known;
  const header = HEADER.exec(key.text)?.[1];
  if (header !== undefined) return headerKind(header, key, reading);
  const claims = CLAIMS.exec(key.text)?.[1];
  if (claims !== undefined) {
    const name = claims.slice(1, -1).split('][').join('.');
    return { http: true, read: (v) => claim(name, v, options, findings) };
  }
  if (key.text === 'connection.sni' || key.text.startsWith('experimental.envoy.filters.')) {
    findings.error('W504', key.at, `\`${key.text}\` is not known to the kernel`);
  } else findings.error('W503', key.at, `unknown condition \`${key.text}\``);
  return null;
}

function headerKind(name: string, key: Text, { findings }: Reading): Kind | null {
  const lower = name.toLowerCase();
  if (name.startsWith(':') || lower === 'host') {
    const help = 'say it by `hosts`, `methods` or `paths`';
    findings.error('W504', key.at, `\`${name}\` is no header of its own here`, help);
    return null;
  }
  if (!TOKEN.test(name)) {
    findings.error('W503', key.at, `\`${name}\` is no name of a header`);
    return null;
  }
  const expression = `request.header(${quote(lower)})`;
  const message = `a request with two lines of \`${lower}\` is refused where a rule looks at it`;
  findings.warning('W505', key.at, message, `GET / with \`${lower}: a\` and \`${lower}: b\``);
  return {
    http: true,
    read: (v) => view(expression, 'view', `header ${lower}`)(v, { findings } as Reading),
  };
}
