/** An expression that may be broken between its parts, so that a narrow page breaks no word of it. */
import { type Child, h } from './dom.js';

export function breakable(text: string): Child[] {
  return text
    .split(/(?<=[(,])|(?=\.[A-Za-z])/)
    .flatMap((part, i): Child[] => (i === 0 ? [part] : [h('wbr', {}), part]));
}
