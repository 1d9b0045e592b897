/** Writes struct weft_connection for one set of facts, interning texts as a node does. */
import { CONNECTION, PARTY, putPolicies, SYMBOL_EMPTY } from '../../compiler/abi/index.js';
import type { Manifest } from '../../compiler/bundle/manifest.js';
import type { CaseParty } from './case-file.js';

export interface Facts {
  readonly source: CaseParty;
  readonly destination: CaseParty;
  readonly port: number;
  readonly protocol: 6 | 17;
  readonly random: number;
  readonly now: bigint;
  readonly policies: readonly number[] | null;
}

/** Symbols of one bundle: its own, then whatever texts turn up. */
export class Interner {
  readonly #symbols = new Map<string, number>([['', SYMBOL_EMPTY]]);
  constructor(manifest: Manifest) {
    for (const text of manifest.symbols) this.#symbols.set(text, this.#symbols.size + 1);
  }
  /** Texts above the bundle's own, in symbol order. */
  readonly added: string[] = [];
  symbol(text: string | undefined): number {
    if (text === undefined) return 0;
    const known = this.#symbols.get(text);
    if (known !== undefined) return known;
    const fresh = this.#symbols.size + 1;
    this.#symbols.set(text, fresh);
    this.added.push(text);
    return fresh;
  }
}

const HOLDS = {
  startsWith: (text: string, part: string): boolean => text.startsWith(part),
  endsWith: (text: string, part: string): boolean => text.endsWith(part),
  contains: (text: string, part: string): boolean => text.includes(part),
} as const;

function writeParty(
  out: Uint8Array,
  at: number,
  side: 'source' | 'destination',
  party: CaseParty,
  manifest: Manifest,
  interner: Interner,
): void {
  const view = new DataView(out.buffer, out.byteOffset);
  if (party.address) out.set(party.address, at + PARTY.address);
  const textOf = (attribute: string, key: string | null): string | undefined =>
    party.texts.get(attribute === 'label' ? `label:${key}` : attribute);
  for (const slot of manifest.attributes) {
    if (slot.side !== side) continue;
    const symbol = interner.symbol(textOf(slot.attribute, slot.key));
    view.setUint32(at + PARTY.attributes + 4 * slot.slot, symbol, true);
  }
  let bits = 0n;
  for (const predicate of manifest.predicates) {
    const text = textOf(predicate.attribute, predicate.key);
    if (predicate.side !== side || text === undefined) continue;
    if (HOLDS[predicate.op](text, predicate.text)) bits |= 1n << BigInt(predicate.bit);
  }
  view.setBigUint64(at + PARTY.predicates, bits, true);
}

/** Many, one after the other. */
export function encodeAll(
  all: readonly Facts[],
  manifest: Manifest,
  interner: Interner,
): Uint8Array {
  const bytes = new Uint8Array(all.length * CONNECTION.size);
  all.forEach((facts, i) => {
    bytes.set(encodeConnection(facts, manifest, interner), i * CONNECTION.size);
  });
  return bytes;
}

/** The bytes of struct weft_connection. */
export function encodeConnection(facts: Facts, manifest: Manifest, interner: Interner): Uint8Array {
  const out = new Uint8Array(CONNECTION.size);
  const view = new DataView(out.buffer);
  writeParty(out, CONNECTION.source, 'source', facts.source, manifest, interner);
  writeParty(out, CONNECTION.destination, 'destination', facts.destination, manifest, interner);
  const attached = facts.policies ?? manifest.policies.map((p) => p.index);
  putPolicies(
    view,
    CONNECTION.policies,
    attached.reduce((set, i) => set | (1n << BigInt(i)), 0n),
  );
  view.setBigUint64(CONNECTION.now, facts.now, true);
  view.setUint32(CONNECTION.random, facts.random, true);
  view.setUint16(CONNECTION.destinationPort, facts.port, true);
  view.setUint8(CONNECTION.protocol, facts.protocol);
  view.setUint8(CONNECTION.family, facts.destination.family ?? facts.source.family ?? 4);
  return out;
}
