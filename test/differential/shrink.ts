/**
 * Makes a trial that shows a difference smaller while it shows one: one input, as few policies as need be,
 * fewer lines, plainer expressions, fewer facts. What does not compile shows nothing.
 */
import type { Facts } from '../support/encode-connection.js';
import type { RequestFacts } from '../support/encode-request.js';
import { type Trial, withFacts } from './trial.js';

/** True where the trial shows the difference. */
export type Shows = (trial: Trial) => Promise<boolean>;

/** A compilation each: as many as a night has time for. */
const MOST_TRIES = 400;

class Shrinker {
  best: Trial;
  tries = 0;
  readonly #shows: Shows;
  readonly #most: number;

  constructor(trial: Trial, shows: Shows, most: number) {
    this.best = trial;
    this.#shows = shows;
    this.#most = most;
  }

  /** Takes the candidate where it still shows the difference. */
  async #take(candidate: Trial): Promise<boolean> {
    if (this.tries >= this.#most) return false;
    this.tries += 1;
    const shown = await this.#shows(candidate).catch(() => false);
    if (shown) this.best = candidate;
    return shown;
  }

  /** Leaves out policies; numbers of the attached ones follow. */
  async policies(): Promise<void> {
    for (let i = this.best.texts.size - 1; i >= 0 && this.best.texts.size > 1; i -= 1) {
      const texts = new Map([...this.best.texts].filter((_, at) => at !== i));
      const facts = this.best.asked.facts.map((one) => {
        const left = one.policies?.filter((p) => p !== i).map((p) => (p > i ? p - 1 : p)) ?? null;
        return { ...one, policies: left?.length === 0 ? null : left };
      });
      await this.#take({ ...withFacts(this.best, facts), texts });
    }
  }

  /** Leaves out runs of lines, long ones first. */
  async lines(): Promise<void> {
    for (const file of this.best.texts.keys()) {
      const count = (): number => this.#linesOf(file).length;
      for (let run = Math.ceil(count() / 2); run >= 1; run = run === 1 ? 0 : Math.ceil(run / 2)) {
        for (let at = count() - run; at >= 0; at -= run) {
          const lines = this.#linesOf(file);
          await this.#text(file, [...lines.slice(0, at), ...lines.slice(at + run)].join('\n'));
        }
      }
    }
  }

  /** Puts plain things, or parts of themselves, in the place of what stands in parentheses. */
  async expressions(): Promise<void> {
    for (const file of this.best.texts.keys()) {
      for (let at = 0; at < this.#textOf(file).length; at += 1) {
        const text = this.#textOf(file);
        if (text[at] !== '(') continue;
        const end = closing(text, at);
        if (end === null) continue;
        for (const plain of plainer(text.slice(at + 1, end))) {
          if (await this.#text(file, `${text.slice(0, at)}(${plain})${text.slice(end + 1)}`)) break;
        }
      }
    }
  }

  /** Takes facts away, one by one. */
  async facts(): Promise<void> {
    for (let i = 0; i < 4; i += 1) {
      const [one] = this.best.asked.facts;
      if (one === undefined) return;
      let changed = false;
      for (const smaller of fewer(one)) {
        if (await this.#take(withFacts(this.best, [smaller]))) {
          changed = true;
          break;
        }
      }
      if (!changed) return;
    }
  }

  #textOf(file: string): string {
    return this.best.texts.get(file) ?? '';
  }
  #linesOf(file: string): readonly string[] {
    return this.#textOf(file).split('\n');
  }
  #text(file: string, text: string): Promise<boolean> {
    if (text === this.#textOf(file)) return Promise.resolve(false);
    return this.#take({ ...this.best, texts: new Map(this.best.texts).set(file, text) });
  }
}

/** Where the parenthesis at `open` closes; null where it does not. */
function closing(text: string, open: number): number | null {
  let depth = 0;
  for (let i = open; i < text.length; i += 1) {
    if (text[i] === '(') depth += 1;
    if (text[i] === ')') depth -= 1;
    if (depth === 0) return i;
  }
  return null;
}

/** What may stand for an expression: constants, then its own parts on either side of an operator. */
function plainer(inside: string): readonly string[] {
  if (/^[\w."<>]*$/.test(inside)) return [];
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (const found of inside.matchAll(/[()]| (?:[-+*/%&|^<>=!?:]+) /g)) {
    if (found[0] === '(') depth += 1;
    else if (found[0] === ')') depth -= 1;
    else if (depth === 0) {
      parts.push(inside.slice(from, found.index));
      from = found.index + found[0].length;
    }
  }
  if (parts.length > 0) parts.push(inside.slice(from));
  return ['true', 'false', '<u32>1', '<u64>1', ...parts];
}

/** The same with one thing less. */
function* fewer<F extends Facts | RequestFacts>(one: F): Generator<F> {
  if (one.policies !== null) yield { ...one, policies: null };
  if (one.now !== 0n) yield { ...one, now: 0n };
  if (one.random !== 0) yield { ...one, random: 0 };
  for (const side of ['source', 'destination'] as const) {
    if (one[side].texts.size > 0) {
      yield { ...one, [side]: { ...one[side], texts: new Map<string, string>() } };
    }
    for (const name of one[side].texts.keys()) {
      const texts = new Map(one[side].texts);
      texts.delete(name);
      yield { ...one, [side]: { ...one[side], texts } };
    }
  }
  if ('headers' in one) {
    for (const [i] of one.headers.entries()) {
      yield { ...one, headers: one.headers.filter((_, at) => at !== i) };
    }
  }
}

/** The smallest trial found; `tries` says how many were made. */
export async function shrink(
  trial: Trial,
  shows: Shows,
  most: number = MOST_TRIES,
): Promise<{ readonly trial: Trial; readonly tries: number }> {
  const shrinker = new Shrinker(trial, shows, most);
  await shrinker.policies();
  await shrinker.lines();
  await shrinker.expressions();
  await shrinker.lines();
  await shrinker.facts();
  return { trial: shrinker.best, tries: shrinker.tries };
}
