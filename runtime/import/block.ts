/** Address blocks as texts that a CidrSet takes. */
import { parseAddress } from '../discovery/index.js';
import type { Findings, Text } from './fields.js';

const MAPPED = /^::ffff:/i;

/** The text of a block or address; null, and a finding, where it is none. */
export function readBlock({ at, text }: Text, findings: Findings): string | null {
  const [address = '', length, ...more] = text.split('/');
  const parsed = parseAddress(address);
  const bits = address.includes(':') ? 128 : 32;
  const sized = length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= bits);
  if (parsed === null || !sized || more.length > 0) {
    findings.error('W503', at, `\`${text}\` is no address and no block of addresses`);
    return null;
  }
  if (MAPPED.test(address) || (parsed.family === 4 && bits === 128)) {
    const help = 'write the IPv4 block';
    findings.error('W504', at, `\`${text}\` is an IPv4 block in IPv6, which is IPv4 here`, help);
    return null;
  }
  return text;
}
