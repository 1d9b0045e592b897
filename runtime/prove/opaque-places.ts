/** Lines that a set depends on and that are not looked into. */
import type { Diagram } from './diagram.js';
import { isOpaque } from './field.js';
import type { Space } from './guards.js';
import type { Opaques } from './leaf.js';

/** The first level that is not looked into. */
export function firstOpaque(space: Space): number {
  const at = space.levels.findIndex(({ field }) => isOpaque(field));
  return at < 0 ? space.levels.length : at;
}

/** The lines, each once, in order. */
export function opaquePlaces(
  { space, opaques }: { readonly space: Space; readonly opaques: Opaques },
  set: Diagram,
): readonly string[] {
  const from = firstOpaque(space);
  const places = space.diagrams.levelsOf(set).flatMap((level) => {
    if (level < from) return [];
    const number = Number(space.levels[level]?.field.name.split(' ').at(-1));
    return opaques.placeOf(number) ?? [];
  });
  return [...new Set(places)].sort();
}
