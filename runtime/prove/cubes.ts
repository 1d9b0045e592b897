/**
 * A set of inputs as few cubes: each names some fields and what they may be, and lies in the set wholly; none can be
 * widened, none is covered by the others.
 */
import { type ClassSet, type Cube, type Diagram, type Diagrams, NONE } from './diagram.js';
import type { Space } from './guards.js';

export interface Cubes {
  readonly cubes: readonly Cube[];
  /** What they do not cover, where there are more than were asked for. */
  readonly rest: Diagram;
}

function isWhole(diagrams: Diagrams, level: number, classes: ClassSet): boolean {
  const [first] = classes;
  return classes.length === 1 && first?.[0] === 0 && first[1] === diagrams.sizes[level];
}

/** Widens a cube field by field; what need not be named at all goes first. */
function widened(diagrams: Diagrams, set: Diagram, start: Cube): Cube {
  const cube = new Map(start);
  const levels = [...cube.keys()].sort((a, b) => b - a);
  for (const level of levels) {
    const classes = diagrams.fitting(set, cube, level);
    if (isWhole(diagrams, level, classes)) cube.delete(level);
  }
  for (const level of [...cube.keys()]) {
    const classes = diagrams.fitting(set, cube, level);
    if (isWhole(diagrams, level, classes)) cube.delete(level);
    else cube.set(level, classes);
  }
  return cube;
}

/**
 * Cubes of a set, of which only the part that can be counts; at most so many. What a field may be in a cube is told
 * as far as it can be so.
 */
export function cubesOf({ diagrams }: Space, set: Diagram, possible: Diagram, most: number): Cubes {
  const open = diagrams.or(set, diagrams.not(possible));
  const found: { readonly cube: Cube; readonly set: Diagram }[] = [];
  let rest = diagrams.and(set, possible);
  while (rest !== NONE && found.length < most) {
    const cube = widened(
      diagrams,
      open,
      diagrams.path(rest, () => false),
    );
    const covered = diagrams.cube(cube);
    found.push({ cube, set: covered });
    rest = diagrams.minus(rest, covered);
  }
  if (rest === NONE && found.length < MANY)
    dropCovered(diagrams, found, diagrams.and(set, possible));
  const told = found.map(({ cube, set: covered }) => {
    const real = diagrams.and(covered, possible);
    return new Map([...cube.keys()].map((level) => [level, diagrams.classesIn(real, level)]));
  });
  return { cubes: told, rest };
}

/** More are not compared with each other. */
const MANY = 300;

function dropCovered(diagrams: Diagrams, found: { readonly set: Diagram }[], whole: Diagram): void {
  for (let i = found.length - 1; i >= 0; i -= 1) {
    const others = diagrams.union(found.filter((_, n) => n !== i).map(({ set }) => set));
    if (diagrams.minus(whole, others) === NONE) found.splice(i, 1);
  }
}
