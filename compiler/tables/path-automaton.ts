/**
 * Patterns of paths as one minimised deterministic automaton over whole elements. A path is walked
 * element by element; a state says what the next one leads to: by its text, as any other that is not
 * empty, or as the empty one. Only pattern sets that multiply states, by many `{x}` before elements that
 * differ, grow beyond their own size; they are refused with the number.
 *
 * A state stands for the patterns that may still match, the most special first, and for the best one
 * that matches whatever comes (`**`), behind which none can win any more. States with equal futures are
 * one; since patterns have an end, futures are told apart bottom up.
 */
import type { PathElements } from '../abi/index.js';

/** `answer` counts from 1; 0 is none. */
export interface PathRule extends PathElements {
  readonly answer: number;
}
/** A state to go to, or an answer that nothing can change any more. */
export type PathTarget =
  | { readonly kind: 'state'; readonly state: number }
  | { readonly kind: 'answer'; readonly answer: number };
export interface PathState {
  readonly byText: ReadonlyMap<string, PathTarget>;
  readonly other: PathTarget;
  readonly empty: PathTarget;
  /** The answer where the path ends here. */
  readonly end: number;
}
export interface PathAutomaton {
  readonly states: readonly PathState[];
  /** Where the first element is read. */
  readonly root: number;
  /** Elements of the longest pattern. */
  readonly depth: number;
  readonly transitions: number;
}

interface Node {
  readonly id: number;
  readonly byText: Map<string, Node>;
  any: Node | null;
  end: number;
  rest: number;
}

/** Builds the automaton; null where it has more than `most` transitions by text, or states. */
export function buildAutomaton(rules: readonly PathRule[], most: number): PathAutomaton | null {
  const builder = new Builder(most);
  const root = builder.build(buildTrie(rules));
  if (root === null) return null;
  const depth = rules.reduce((deepest, { elements }) => Math.max(deepest, elements.length), 0);
  return { states: builder.states, root, depth, transitions: builder.transitions };
}

function buildTrie(rules: readonly PathRule[]): Node {
  let count = 0;
  const create = (): Node => ({ id: count++, byText: new Map(), any: null, end: 0, rest: 0 });
  const root = create();
  for (const { elements, rest, answer } of rules) {
    let node = root;
    for (const element of elements) {
      if (element === null) {
        node.any ??= create();
        node = node.any;
        continue;
      }
      const next = node.byText.get(element) ?? create();
      node.byText.set(element, next);
      node = next;
    }
    // The last value of a pattern counts.
    if (rest) node.rest = answer;
    else node.end = answer;
  }
  return root;
}

/** Patterns that may still match, the most special first, and the answer if none does. */
interface Live {
  readonly nodes: readonly Node[];
  readonly rest: number;
}

class Builder {
  readonly states: PathState[] = [];
  transitions = 0;
  readonly #most: number;
  /** By what is still alive, and by what can still happen. */
  readonly #byLive = new Map<string, PathTarget>();
  readonly #byFuture = new Map<string, PathTarget>();
  #isTooLarge = false;

  constructor(most: number) {
    this.#most = most;
  }

  build(root: Node): number | null {
    // The root is a state even where its future is settled: a path must still begin with a slash.
    const target = this.#add({ nodes: [root], rest: 0 });
    return this.#isTooLarge || target.kind === 'answer' ? null : target.state;
  }

  #target(live: Live): PathTarget {
    if (live.nodes.length === 0) return { kind: 'answer', answer: live.rest };
    const key = `${live.nodes.map(({ id }) => id).join(' ')} ${live.rest}`;
    const known = this.#byLive.get(key);
    if (known !== undefined) return known;
    const target = this.#add(live);
    this.#byLive.set(key, target);
    return target;
  }

  #add(live: Live): PathTarget {
    const texts = new Set(live.nodes.flatMap(({ byText }) => [...byText.keys()]));
    const other = this.#target(step(live, null));
    const empty = this.#target(step(live, ''));
    texts.delete('');
    const byText = new Map<string, PathTarget>();
    for (const text of texts) {
      if (this.#isTooLarge) break;
      const target = this.#target(step(live, text));
      if (name(target) !== name(other)) byText.set(text, target);
    }
    const state = { byText, other, empty, end: endOf(live) };
    const future = [state.end, name(other), name(empty)];
    for (const [text, target] of [...byText].sort(([a], [b]) => (a < b ? -1 : 1))) {
      future.push(text, name(target));
    }
    const key = future.join('/');
    const known = this.#byFuture.get(key);
    if (known !== undefined) return known;
    this.transitions += byText.size;
    const target: PathTarget = { kind: 'state', state: this.states.push(state) - 1 };
    if (this.transitions > this.#most || this.states.length > this.#most) this.#isTooLarge = true;
    this.#byFuture.set(key, target);
    return target;
  }
}

/** After an element: its text, or null for one that no pattern of the state names. */
function step({ nodes, rest }: Live, text: string | null): Live {
  const next: Node[] = [];
  for (const node of nodes) {
    const named = text === null ? undefined : node.byText.get(text);
    if (named !== undefined) next.push(named);
    if (node.any !== null && text !== '') next.push(node.any);
    if (node.rest !== 0) return { nodes: next, rest: node.rest };
  }
  return { nodes: next, rest };
}

function endOf({ nodes, rest }: Live): number {
  for (const node of nodes) {
    if (node.end !== 0) return node.end;
    if (node.rest !== 0) return node.rest;
  }
  return rest;
}

function name(target: PathTarget): string {
  return target.kind === 'state' ? `s${target.state}` : `a${target.answer}`;
}
