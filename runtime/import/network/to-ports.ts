/** `toPorts` of a rule of a CiliumNetworkPolicy: ports and protocols, and what requests there may be. */
import { all, any, type Condition, TRUE, test } from '../condition.js';
import { Fields, type Findings } from '../fields.js';
import type { Field } from '../istio/model.js';
import type { Tree } from '../tree.js';
import { readHttpRule } from './http-rule.js';
import { field, type NetworkReading } from './reading.js';

const TCP = 6;
const UDP = 17;
const PROTOCOLS: ReadonlyMap<string, number | null> = new Map([
  ['TCP', TCP],
  ['UDP', UDP],
  ['ANY', null],
]);
const MAX_PORT = 65535;
const UNKEPT: ReadonlyMap<string, string> = new Map([
  ['terminatingTLS', 'Weft does not encrypt'],
  ['originatingTLS', 'Weft does not encrypt'],
  ['serverNames', 'the name in a TLS handshake is not looked at'],
  ['listener', 'there is no Envoy'],
]);

interface Port {
  readonly condition: Condition;
  /** The only port that it means; null of a range and of all. */
  readonly number: number | null;
  readonly protocol: number | null;
}

function readPort(tree: Tree, findings: Findings): Port | null {
  const fields = Fields.of(tree, findings, 'a port');
  if (fields === null) return null;
  const port = fields.tree('port');
  const end = fields.number('endPort');
  const name = fields.text('protocol');
  fields.end();
  const protocol = PROTOCOLS.get(name?.text ?? 'ANY');
  if (protocol === undefined) {
    findings.error('W504', name?.at ?? tree.at, 'only TCP and UDP are judged');
  }
  const judged = protocol ?? null;
  const kind = judged === null ? TRUE : test(`connection.protocol == ${judged}`);
  const text = port === null ? '0' : String(port.value);
  if (!/^\d+$/.test(text)) {
    const help = 'write its number';
    findings.error('W504', port?.at ?? tree.at, 'a port by name is known to the pod only', help);
    return null;
  }
  const from = Number(text);
  const to = end?.number ?? from;
  if (from > MAX_PORT || !Number.isInteger(to) || to > MAX_PORT || (to !== 0 && to < from)) {
    findings.error('W503', tree.at, 'the port is not up to 65535, or ends before it begins');
  }
  if (from === 0) return { condition: kind, number: null, protocol: judged };
  const isOne = to === from || to === 0;
  const number = isOne
    ? test(`destination.port == ${from}`)
    : all(test(`destination.port >= ${from}`), test(`destination.port <= ${to}`));
  return { condition: all(kind, number), number: isOne ? from : null, protocol: judged };
}

/** Requests are judged where a port carries HTTP for sure. */
function checkHttpPort(port: Port, tree: Tree, { options, findings }: NetworkReading): void {
  if (port.protocol === UDP || port.number === null) {
    findings.error('W504', tree.at, 'rules about requests stand with single ports of TCP');
  } else if (!options.httpPorts.includes(port.number)) {
    const help = 'say `--http-port N`, or name a world in which a service has it: `--world FILE`';
    const message = `port ${port.number} is not known to carry HTTP`;
    findings.error('W504', tree.at, message, help);
  }
}

function readRules(rules: Fields | null, reading: NetworkReading): readonly Condition[] {
  if (rules === null) return [];
  const { findings } = reading;
  for (const name of ['kafka', 'dns', 'l7', 'l7proto'] as const) {
    if (!rules.has(name)) continue;
    findings.error('W504', rules.place(name), 'of protocols above TCP only HTTP is judged');
  }
  const list = rules.list('http') ?? [];
  rules.end();
  if (reading.denies && list.length > 0) {
    findings.error('W503', rules.place('http'), 'what denies may not look at requests');
  }
  return list.map((tree) => readHttpRule(tree, findings));
}

/** One item: all of its fields have to hold. */
export function readToPorts(tree: Tree, reading: NetworkReading): readonly Field[] {
  const { findings } = reading;
  const fields = Fields.of(tree, findings, 'an item of `toPorts`');
  if (fields === null) return [];
  for (const [name, help] of UNKEPT) {
    if (fields.has(name)) {
      findings.error('W504', fields.place(name), `\`${name}\` cannot be kept`, help);
    }
  }
  const list = fields.list('ports') ?? [];
  const ports = list.map((item) => readPort(item, findings));
  const http = readRules(fields.map('rules'), reading);
  fields.end();
  const known = ports.flatMap((port) => (port === null ? [] : [port]));
  const where = field(list.length === 0 ? TRUE : any(...known.map(({ condition }) => condition)));
  if (http.length === 0) return [where];
  if (list.length === 0) {
    findings.error('W503', tree.at, 'rules about requests stand with a port');
  }
  ports.forEach((port, i) => {
    const item = list[i];
    if (port !== null && item !== undefined) checkHttpPort(port, item, reading);
  });
  const isTcp = known.every(({ protocol }) => protocol === TCP);
  const kind = isTcp ? [] : [field(test(`connection.protocol == ${TCP}`))];
  return [where, ...kind, { http: true, condition: any(...http) }];
}
