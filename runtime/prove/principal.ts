/**
 * Questions about a principal as questions about what it is made of: `TRUST-DOMAIN/ns/NAMESPACE/sa/ACCOUNT`. None of
 * the parts has a slash, so that each text can be one in a few ways only.
 */
import type { SideName } from '../../compiler/abi/index.js';
import { ALL, NONE } from './diagram.js';
import { attributeField, type TextField } from './field.js';
import type { Guard, Guards } from './guards.js';
import type { TextTest } from './text-automaton.js';

/** Parts of a principal in order; texts stand for themselves. */
function partsOf(side: SideName): readonly (TextField | string)[] {
  const part = (name: 'trustDomain' | 'namespace' | 'serviceAccount'): TextField =>
    attributeField(side, name);
  return [part('trustDomain'), 'ns', part('namespace'), 'sa', part('serviceAccount')];
}

type Op = 'is' | 'startsWith' | 'endsWith' | 'contains';

function partPasses(guards: Guards, part: TextField | string, op: Op, text: string): Guard {
  if (typeof part !== 'string') {
    const test: TextTest = { op, text, ignoresCase: false };
    return guards.text(part, test);
  }
  const holds = {
    is: part === text,
    startsWith: part.startsWith(text),
    endsWith: part.endsWith(text),
    contains: part.includes(text),
  };
  return holds[op] ? ALL : NONE;
}

/** Whether there is one: it needs a service account. */
export function principalExists(guards: Guards, side: SideName): Guard {
  return guards.not(guards.absent(attributeField(side, 'serviceAccount')));
}

/** Where a principal passes a test. */
export function principalPasses(guards: Guards, side: SideName, op: Op, text: string): Guard {
  const parts = partsOf(side);
  const pieces = text.split('/');
  const last = pieces.length - 1;
  /** The pieces as parts from one on: the first is the end of its part, the last the beginning. */
  const from = (start: number, opens: boolean, closes: boolean): Guard => {
    if (start + pieces.length > parts.length) return NONE;
    let all: Guard = ALL;
    for (const [i, piece] of pieces.entries()) {
      const isFirst = i === 0 && !opens;
      const isLast = i === last && !closes;
      const kind: Op =
        isFirst && isLast ? 'contains' : isFirst ? 'endsWith' : isLast ? 'startsWith' : 'is';
      all = guards.and(all, partPasses(guards, parts[start + i] ?? '', kind, piece));
    }
    return all;
  };
  const places = Array.from({ length: parts.length }, (_, start) => start);
  const found: Record<Op, () => Guard> = {
    is: () => (pieces.length === parts.length ? from(0, true, true) : NONE),
    startsWith: () => from(0, true, false),
    endsWith: () => from(parts.length - pieces.length, false, true),
    contains: () => places.map((start) => from(start, false, false)).reduce(guards.or, NONE),
  };
  const starts = op === 'endsWith' && pieces.length > parts.length ? NONE : found[op]();
  return guards.and(starts, principalExists(guards, side));
}
