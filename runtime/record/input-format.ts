/** What a file of traffic is, by how it begins. */
import { isCapture } from './pcap-packets.js';

export const INPUT_FORMATS = ['scenario', 'records', 'har', 'envoy', 'pcap'] as const;
export type InputFormat = (typeof INPUT_FORMATS)[number];

/** Bytes that are looked at. */
export const SNIFFED_BYTES: number = 64 * 1024;

/** Fields that an access log of Envoy has and no other form. */
const ENVOY: readonly string[] = [
  'downstream_remote_address',
  'downstream_direct_remote_address',
  'downstream_local_address',
  'upstream_host',
  'response_flags',
];

/** The first line as a JSON object; null where it is none. */
function firstObject(text: string): Readonly<Record<string, unknown>> | null {
  const line = text.trimStart().split('\n', 1)[0] ?? '';
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** Tells the form of a file by its first bytes; null where they begin none. */
export function inputFormat(start: Uint8Array): InputFormat | null {
  if (isCapture(start)) return 'pcap';
  const text = Buffer.from(start.buffer, start.byteOffset, start.length).toString('utf8');
  if (/^\s*\{\s*"log"\s*:/.test(text)) return 'har';
  const first = firstObject(text);
  if (first === null) {
    // A record that is damaged is still one: keys and values are not YAML's.
    if (/^\s*\{"(id|time|from)":/.test(text)) return 'records';
    return /^["']?cases["']?\s*:/m.test(text) || /^\s*\{[\s\S]*"cases"\s*:/.test(text)
      ? 'scenario'
      : null;
  }
  if ('from' in first && 'to' in first) return 'records';
  if (ENVOY.some((field) => field in first)) return 'envoy';
  return 'cases' in first ? 'scenario' : null;
}
