/** What discovery streams hand out: named bytes with a version, and what one node is to have of them. */
import { createHash } from 'node:crypto';
import { encodeItem, type Item, resourceName } from './wire/index.js';

export interface Resource {
  readonly name: string;
  /** Of the bytes alone: every control plane of a store gives the same, so that a node that moves from one to another is sent nothing twice. */
  readonly version: string;
  readonly body: Uint8Array;
}

/** What one node is to have. */
export interface View {
  readonly resources: ReadonlyMap<string, Resource>;
  /** It should have these, but they cannot be had now: what the node has of them stays. */
  readonly held: ReadonlySet<string>;
}

/** A version of bytes or text: equal where they are. */
export function versionOf(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex').slice(0, 32);
}

/** A bundle as a resource. */
export function bundleResource(item: Item): Resource {
  const body = encodeItem(item);
  return { name: resourceName(item.name, item.mode), version: versionOf(body), body };
}
