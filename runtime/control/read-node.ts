/** Who is on a stream: the name in its certificate, and the labels that it gives itself. */
import type { Peer } from '../spiffe/index.js';
import { StreamFault } from './stream-machine.js';
import { MAX_LABELS, MAX_NAME_CHARS, type Node } from './wire/index.js';

export interface NodeSelf {
  readonly node: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** The node of a stream's first message. Throws StreamFault where it says nothing, too much, or speaks for another. */
export function readNode(node: Node | undefined, { id }: Peer): NodeSelf {
  if (node === undefined) throw new StreamFault('the first message names no node');
  if (node.id !== id.name) {
    throw new StreamFault(`\`${id.name}\` may not speak for \`${node.id.slice(0, 128)}\``);
  }
  const labels = node.metadata?.['labels'] ?? {};
  if (typeof labels !== 'object' || Array.isArray(labels))
    throw new StreamFault('labels are an object');
  const entries = Object.entries(labels);
  if (entries.length > MAX_LABELS) throw new StreamFault(`more than ${MAX_LABELS} labels`);
  for (const [key, value] of entries) {
    if (typeof value !== 'string' || key.length > MAX_NAME_CHARS || value.length > MAX_NAME_CHARS) {
      throw new StreamFault('a label is a short text');
    }
  }
  return { node: id.name, labels: Object.fromEntries(entries) as Record<string, string> };
}
