/** Reads tables of keys of several parts out of the registry; each key has the kinds of the first one. */
import { MAX_PARTS, PART_KIND, type PartKind } from '../abi/index.js';
import { diagnostic } from '../diagnostic/index.js';
import { CODES } from './codes.js';
import { Damaged, type Heap } from './heap.js';
import { parseCidr } from './parse-cidr.js';
import type { ReadContext } from './read-context.js';
import type { KeyPart, KeysDeclaration } from './types.js';

const PART_BYTES = 16;
const KINDS = Object.keys(PART_KIND) as PartKind[];

/** Reads the table at an item; findings go to `refuse`. */
export function readKeys(
  heap: Heap,
  item: number,
  { positionOf, refuse }: ReadContext,
): KeysDeclaration {
  const name = heap.text(heap.u32(item));
  const at = positionOf(item);
  let kinds: readonly PartKind[] = [];
  const entries = heap.items(heap.u32(item + 8)).flatMap((entry) => {
    const finding = (message: string): readonly [] => {
      const notes = [`table \`${name}\``];
      refuse(
        diagnostic('P130', message, {
          at: positionOf(entry) ?? at,
          help: CODES['P130']?.help ?? null,
          notes,
        }),
      );
      return [];
    };
    const count = heap.u32(entry + 12);
    if (count > MAX_PARTS) throw new Damaged();
    const parts: KeyPart[] = [];
    for (let i = 0; i < count; i++) {
      const part = readPart(heap, heap.u32(entry) + i * PART_BYTES);
      if (typeof part === 'string') return finding(`\`${part}\` is no address`);
      parts.push(part);
    }
    const own = parts.map(({ kind }) => kind);
    if (kinds.length === 0) kinds = own;
    if (own.join() !== kinds.join()) {
      return finding(`a key of ${own.join(', ')} among keys of ${kinds.join(', ')}`);
    }
    return [{ parts, value: heap.u32(entry + 8) }];
  });
  return { name, kinds, entries, at };
}

/** A part, or the text that should be an address and is none. */
function readPart(heap: Heap, part: number): KeyPart | string {
  const kind = KINDS.find((name) => PART_KIND[name] === heap.u32(part + 8));
  if (kind === undefined) throw new Damaged();
  if (kind === 'integer') return { kind, value: heap.u64(part) };
  const text = heap.text(heap.u32(part));
  if (kind === 'text') return { kind, value: text };
  const parsed = parseCidr(text);
  return parsed.ok && !text.includes('/') ? { kind, bytes: parsed.prefix.bytes, text } : text;
}
