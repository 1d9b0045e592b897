/**
 * Rules as boxes: what a rule says of each part, one thing a part. A rule that lets a part be one of several is as
 * many boxes; a box that says what an earlier one says already is none, since the earlier one always answers.
 */
import type { AttributeSlot, SideName } from '../abi/index.js';
import type { PortRange, Rule } from '../frontend/types.js';
import type { Prefix } from './reference.js';

/** A part that must be one number: where the number of a connection comes from. */
export type IdField =
  | { readonly from: 'protocol' | 'kind' }
  | ({ readonly from: 'attribute' } & Pick<AttributeSlot, 'side' | 'attribute' | 'key'>);

export interface Box {
  /** The place of its rule; the lowest answers. */
  readonly rank: number;
  readonly value: number;
  readonly source: Prefix | null;
  readonly destination: Prefix | null;
  readonly port: PortRange | null;
  /** By number of the field; 0 where it says nothing of it. */
  readonly ids: readonly number[];
}
export interface Boxes {
  readonly fields: readonly IdField[];
  readonly boxes: readonly Box[];
}

/** The numbers of fields as they are compared: never 0, which stands for none. */
export const PLUS_ONE: ReadonlySet<IdField['from']> = new Set(['protocol', 'kind']);

type Parts = Omit<Box, 'rank' | 'value'>;
const NOTHING: Parts = { source: null, destination: null, port: null, ids: [] };

/** Boxes of rules in their order; null where there are more than `most`. */
export function boxesOf(
  rules: readonly Rule[],
  {
    symbolOf,
    most,
  }: {
    readonly symbolOf: (text: string) => number;
    readonly most: number;
  },
): Boxes | null {
  const fields = new FieldNumbers();
  const known = new Set<string>();
  const boxes: Box[] = [];
  for (const [rank, rule] of rules.entries()) {
    for (const parts of alternatives(rule, fields, symbolOf)) {
      const key = keyOf(parts);
      if (known.has(key)) continue;
      known.add(key);
      if (boxes.length === most) return null;
      boxes.push({ rank, value: rule.value >>> 0, ...parts });
    }
  }
  const ids = ({ ids: own }: Box): number[] => fields.all.map((_, i) => own[i] ?? 0);
  return { fields: fields.all, boxes: boxes.map((box) => ({ ...box, ids: ids(box) })) };
}

/** Numbers the fields as rules name them. */
class FieldNumbers {
  readonly all: IdField[] = [];
  readonly #numbers = new Map<string, number>();

  of(field: IdField): number {
    const key =
      field.from === 'attribute'
        ? JSON.stringify([field.side, field.attribute, field.key])
        : field.from;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.all.push(field) - 1;
    this.#numbers.set(key, number);
    return number;
  }
}

/** Each choice of one criterion a part. */
function* alternatives(
  { criteria }: Rule,
  fields: FieldNumbers,
  symbolOf: (text: string) => number,
): Generator<Parts> {
  const byPart = new Map<string | number, ((parts: Parts) => Parts)[]>();
  for (const criterion of criteria) {
    const [part, apply] = choice(criterion, fields, symbolOf);
    byPart.set(part, [...(byPart.get(part) ?? []), apply]);
  }
  let open: Iterable<Parts> = [NOTHING];
  for (const choices of byPart.values()) open = multiplied(open, choices);
  yield* open;
}

function* multiplied(
  open: Iterable<Parts>,
  choices: readonly ((parts: Parts) => Parts)[],
): Generator<Parts> {
  for (const parts of open) for (const apply of choices) yield apply(parts);
}

/** The part that a criterion is about, and what it makes of a box. */
function choice(
  criterion: Rule['criteria'][number],
  fields: FieldNumbers,
  symbolOf: (text: string) => number,
): readonly [part: SideName | 'port' | number, apply: (parts: Parts) => Parts] {
  const id = (field: IdField, value: number): ReturnType<typeof choice> => {
    const number = fields.of(field);
    const set = ({ ids }: Parts): number[] =>
      Array.from({ length: Math.max(ids.length, number + 1) }, (_, i) =>
        i === number ? value : (ids[i] ?? 0),
      );
    return [number, (parts) => ({ ...parts, ids: set(parts) })];
  };
  switch (criterion.field) {
    case 'address': {
      const { side, prefix } = criterion;
      return [side, (parts) => ({ ...parts, [side]: prefix })];
    }
    case 'port': {
      const { first, last } = criterion;
      return ['port', (parts) => ({ ...parts, port: { first, last } })];
    }
    case 'protocol':
    case 'kind':
      return id({ from: criterion.field }, criterion.value + 1);
    case 'attribute': {
      const { side, attribute, key, text } = criterion;
      return id({ from: 'attribute', side, attribute, key }, symbolOf(text));
    }
  }
}

function keyOf({ source, destination, port, ids }: Parts): string {
  const block = (prefix: Prefix | null): string =>
    prefix === null ? '' : `${prefix.family} ${prefix.bytes.join('.')}/${prefix.length}`;
  const said = ids.flatMap((id, i) => (id === 0 ? [] : [`${i}=${id}`]));
  return [block(source), block(destination), port?.first, port?.last, ...said].join();
}
