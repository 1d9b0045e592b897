/** The known word that a mistyped one most likely meant; null where none is near. */
import { closest, distance } from 'fastest-levenshtein';

/** Finds the nearest of `known`; at most half of the word (and at least two letters) may differ. */
export function nearest(word: string, known: readonly string[]): string | null {
  if (known.length === 0) return null;
  const found = closest(word.toLowerCase(), known);
  const limit = Math.max(2, Math.floor(word.length / 2));
  return distance(word.toLowerCase(), found.toLowerCase()) <= limit ? found : null;
}

/** The help line for a mistyped word. */
export function didYouMean(word: string, known: readonly string[]): string | null {
  const found = nearest(word, known);
  return found === null ? null : `did you mean \`${found}\`?`;
}
