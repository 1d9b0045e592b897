/** Tests of texts in the plainest code, as the simulator has them: what the classes of texts are labelled by. */
import { patternMatcher } from '../simulate/index.js';
import { isOneOf, type TextTest } from './text-automaton.js';

const matchers = new Map<string, (text: string) => boolean>();

function matcher(kind: 'path' | 'host' | 'regex', pattern: string): (text: string) => boolean {
  const key = `${kind} ${pattern}`;
  const known = matchers.get(key);
  if (known !== undefined) return known;
  const find = patternMatcher({ name: '', kind, entries: [[pattern, 1]] });
  const made = (text: string): boolean => find(text) !== undefined;
  matchers.set(key, made);
  return made;
}

/** ASCII letters only, as views compare. */
function fold(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** Whether a text passes a test. */
export function passes(test: TextTest, text: string): boolean {
  if (test.op === 'path' || test.op === 'host' || test.op === 'regex') {
    return matcher(test.op, test.pattern)(text);
  }
  if (test.op === 'longer') return text.length > test.than;
  if (test.op === 'byte') {
    return text.length > test.index && isOneOf(test.codes, text.charCodeAt(test.index));
  }
  const [have, want] = test.ignoresCase ? [fold(text), fold(test.text)] : [text, test.text];
  switch (test.op) {
    case 'is':
      return have === want;
    case 'startsWith':
      return have.startsWith(want);
    case 'endsWith':
      return have.endsWith(want);
    case 'contains':
      return have.includes(want);
  }
}

/** What tells a test from others. */
export function testKey(test: TextTest): string {
  switch (test.op) {
    case 'path':
    case 'host':
    case 'regex':
      return `${test.op} ${test.pattern}`;
    case 'longer':
      return `longer ${test.than}`;
    case 'byte':
      return `byte ${test.index} ${test.codes.join(' ')}`;
    default:
      return `${test.op}${test.ignoresCase ? '~' : ''} ${test.text}`;
  }
}
