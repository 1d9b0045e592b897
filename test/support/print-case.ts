/** Facts as a row of a case file: how a found difference is handed on. */
import { formatAddress } from '../../runtime/discovery/address.js';
import type { CaseParty } from './case-file.js';
import type { Facts } from './encode-connection.js';
import type { RequestFacts } from './encode-request.js';

const KEYS: Readonly<Record<string, string>> = {
  namespace: 'ns',
  serviceAccount: 'sa',
  trustDomain: 'td',
  principal: 'principal',
};

function texts(party: CaseParty): string {
  const words = [...party.texts].map(
    ([name, value]) => `${KEYS[name] ?? name.replace('label:', '')}=${value}`,
  );
  if (!party.texts.has('principal')) words.push('principal=-');
  return `{${words.join(' ')}}`;
}

function address(party: CaseParty, port: number | null): string {
  if (party.address === null) return '-';
  const text = formatAddress(party.address);
  if (port === null) return text;
  return text.includes(':') ? `[${text}]:${port}` : `${text}:${port}`;
}

/** One row; `expect` is what the first engine said. */
export function printCase(
  id: string,
  facts: Facts | RequestFacts,
  ask: 'authorize' | 'route',
  expect: string,
): string {
  const { source, destination, port, protocol, random, now, policies } = facts;
  const options = [
    `random=${random}`,
    `now=${now}`,
    ...(policies ? [`policies=${policies.join(',')}`] : []),
  ];
  const ends = `${address(source, null)}${texts(source)} -> ${address(destination, port)}${texts(destination)}`;
  const headers = 'headers' in facts ? facts.headers.map(([k, v]) => `${k}: ${v}`).join(' | ') : '';
  const request =
    'method' in facts
      ? ` request ${facts.method} ${facts.target}${headers === '' ? '' : ` [${headers}]`}`
      : '';
  return `${id}: ${protocol === 6 ? 'tcp' : 'udp'} ${ends}${request} ${options.join(' ')}${ask === 'route' ? ' route' : ''} = ${expect}`;
}
