/** Texts of address blocks -> bytes. Accepts what ipBlocks of Istio accepts: a block or a single address. */
import type { CidrDeclaration } from './types.js';

export type Prefix = CidrDeclaration['prefixes'][number];
export type CidrOutcome =
  | { readonly ok: true; readonly prefix: Prefix }
  | { readonly ok: false; readonly message: string };

const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

function parseIPv4(text: string): number[] | null {
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  // A leading zero is refused: some readers take it for octal.
  if (!parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part))) return null;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : null;
}

function parseGroups(text: string): number[] | null {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [i, group] of groups.entries()) {
    if (i === groups.length - 1 && group.includes('.')) {
      const tail = parseIPv4(group);
      if (tail === null) return null;
      bytes.push(...tail);
      continue;
    }
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return null;
    const value = Number.parseInt(group, 16);
    bytes.push(value >> 8, value & 255);
  }
  return bytes;
}

function parseIPv6(text: string): number[] | null {
  const gap = text.indexOf('::');
  if (gap < 0) {
    const bytes = parseGroups(text);
    return bytes?.length === 16 ? bytes : null;
  }
  const head = text.slice(0, gap);
  if (head.includes('.')) return null;
  const before = parseGroups(head);
  const after = parseGroups(text.slice(gap + 2));
  if (before === null || after === null || before.length + after.length > 14) return null;
  return [...before, ...new Array<number>(16 - before.length - after.length).fill(0), ...after];
}

/** Parses `10.0.0.0/8`, `2001:db8::/32` or a single address; bits behind the length are cleared. */
export function parseCidr(text: string): CidrOutcome {
  const slash = text.indexOf('/');
  const address = slash < 0 ? text : text.slice(0, slash);
  let family: 4 | 6 = address.includes(':') ? 6 : 4;
  const parsed = family === 4 ? parseIPv4(address) : parseIPv6(address);
  if (parsed === null) return { ok: false, message: `\`${text}\` is no address block` };
  let bits = family === 4 ? 32 : 128;
  let length = bits;
  if (slash >= 0) {
    const word = text.slice(slash + 1);
    if (!/^(0|[1-9]\d{0,2})$/.test(word) || Number(word) > bits) {
      return { ok: false, message: `the length of \`${text}\` is not between 0 and ${bits}` };
    }
    length = Number(word);
  }
  let bytes = family === 4 ? [...MAPPED, ...parsed] : parsed;
  if (family === 6 && length >= 96 && MAPPED.every((byte, i) => bytes[i] === byte)) {
    family = 4; // an IPv4-mapped address is IPv4 everywhere
    bits = 32;
    length -= 96;
  }
  const kept = family === 4 ? 96 + length : length;
  bytes = bytes.map((byte, i) => {
    const free = Math.min(8, Math.max(0, (i + 1) * 8 - kept));
    return byte & (0xff << free) & 0xff;
  });
  return { ok: true, prefix: { family, bytes: Uint8Array.from(bytes), length, text } };
}
