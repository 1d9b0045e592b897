/** Requests that meet what generated policies ask about, and their near misses. */
import type { RequestFacts } from './encode-request.js';
import { generateConnection } from './generate-connection.js';
import { POOLS } from './generate-pools.js';
import type { Prng } from './prng.js';

/** The text, or one that is a byte longer, shorter or other. */
function near(random: Prng, text: string): string {
  const at = random.below(Math.max(1, text.length));
  switch (random.below(12)) {
    case 0:
      return `${text}${random.pick(['a', '/', '0', '.'])}`;
    case 1:
      return text.slice(0, -1);
    case 2:
      return `${text.slice(0, at)}${random.pick(['A', 'z', '/', '9'])}${text.slice(at + 1)}`;
    case 3:
      return random.oneIn(2) ? text.toUpperCase() : text.toLowerCase();
    default:
      return text;
  }
}

function pairs(random: Prng, separator: string): string {
  const count = random.oneIn(40) ? 120 + random.below(20) : random.below(5);
  const all = Array.from({ length: count }, () => {
    const name = near(random, random.pick(POOLS.parameters));
    const value = near(random, random.pick(POOLS.texts)).replaceAll(';', '');
    return random.oneIn(6) ? name : `${name}=${value}`;
  });
  return all.join(random.oneIn(5) ? separator.trim() : separator);
}

function header(random: Prng): readonly [string, string] {
  const name = near(random, random.pick(POOLS.headers)).replace('/', '-') || 'x';
  if (name.toLowerCase() === 'cookie') return [name, pairs(random, '; ')];
  const text = near(random, random.pick(random.oneIn(3) ? POOLS.methods : POOLS.texts));
  return [name, random.oneIn(60) ? text.repeat(1 + random.below(300)) : text];
}

/** One request and the connection that it is on. */
export function generateRequest(random: Prng): RequestFacts {
  const path = near(random, random.pick(POOLS.paths)) || '/';
  const query = random.oneIn(2) ? '' : `?${pairs(random, '&')}`;
  const host = near(random, random.pick(POOLS.hosts));
  const headers = Array.from({ length: random.below(5) }, () => header(random));
  return {
    ...generateConnection(random),
    method: near(random, random.pick(POOLS.methods)) || 'X',
    target: path + query,
    headers: random.oneIn(5) ? headers : [['Host', host], ...headers],
  };
}
