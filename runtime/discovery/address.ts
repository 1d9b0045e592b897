/**
 * Text forms of IP addresses. One representation inside Weft: 16 bytes in network order, IPv4 as
 * ::ffff:a.b.c.d, so an IPv4-mapped IPv6 address is read as the IPv4 address that it means.
 * Zone ids are refused: they name an interface of one machine.
 */
import type { Address } from './types.js';

const V4_PREFIX: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

function parseV4(text: string): number[] | null {
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  const bytes: number[] = [];
  for (const part of parts) {
    // No leading zeros: some readers take them for octal.
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return null;
    bytes.push(Number(part));
  }
  return bytes;
}

/** Bytes of colon-separated groups; only the last group may be a dotted quad. */
function parseGroups(text: string): number[] | null {
  if (text === '') return [];
  const groups = text.split(':');
  const bytes: number[] = [];
  for (const [index, group] of groups.entries()) {
    if (group.includes('.')) {
      const quad = index === groups.length - 1 ? parseV4(group) : null;
      if (quad === null) return null;
      bytes.push(...quad);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return null;
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    }
  }
  return bytes;
}

function parseV6(text: string): number[] | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = parseGroups(halves[0] ?? '');
  if (head === null) return null;
  const second = halves[1];
  if (second === undefined) return head.length === 16 ? head : null;
  const tail = parseGroups(second);
  if (tail === null || (halves[0] ?? '').includes('.')) return null;
  const gap = 16 - head.length - tail.length;
  // RFC 4291: `::` stands for at least one group.
  if (gap < 2) return null;
  return [...head, ...new Array<number>(gap).fill(0), ...tail];
}

/** True where 16 bytes hold an IPv4 address. */
export function isV4Mapped(bytes: Uint8Array): boolean {
  return V4_PREFIX.every((byte, index) => bytes[index] === byte);
}

/** Prints 16 bytes: dotted quad for IPv4, RFC 5952 for IPv6. */
export function formatAddress(bytes: Uint8Array): string {
  if (isV4Mapped(bytes)) return [...bytes.subarray(12, 16)].join('.');
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0));
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start += 1) {
    let end = start;
    while (end < 8 && groups[end] === 0) end += 1;
    if (end - start > best.length) best = { start, length: end - start };
  }
  const hex = (part: readonly number[]): string => part.map((g) => g.toString(16)).join(':');
  if (best.start < 0) return hex(groups);
  return `${hex(groups.slice(0, best.start))}::${hex(groups.slice(best.start + best.length))}`;
}

/** Reads an IPv4 or IPv6 address; null where the text is neither (also with a zone id). */
export function parseAddress(text: string): Address | null {
  const v4 = text.includes(':') ? null : parseV4(text);
  const raw = v4 === null ? (text.includes(':') ? parseV6(text) : null) : [...V4_PREFIX, ...v4];
  if (raw === null) return null;
  const bytes = Uint8Array.from(raw);
  return { family: isV4Mapped(bytes) ? 4 : 6, bytes, text: formatAddress(bytes) };
}

/** Prints address and port: `10.0.0.1:80`, `[fd00::1]:80`. */
export function formatEndpoint(address: Address, port: number): string {
  return address.family === 6 ? `[${address.text}]:${port}` : `${address.text}:${port}`;
}
