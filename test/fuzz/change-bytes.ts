/** Changed inputs: what readers of JSON, tar and headers trip over, put in, left out and turned round. */
import type { Prng } from '../support/prng.js';
import { utf8 } from './reader.js';

/** What readers of JSON, tar and headers trip over. */
const WORDS: readonly Uint8Array[] = [
  ...['null', '[]', '{}', '-1', '1e999', '9007199254740993', '"__proto__"', '"constructor"', ','],
  ...[
    '\0',
    '\r\n',
    '\\u0000',
    '\ud800',
    '{"a":',
    '[[[[',
    ']]]]',
    ':',
    '"',
    '../',
    '%2e',
    '@',
    '=',
    '&a *a',
  ],
  ...['sha256:', 'digest', 'size', 'annotations', '4294967296', 'true', '"mediaType"', '"subject"'],
].map(utf8);

/** The input with one to eight changes. */
export function changeBytes(seed: Uint8Array, random: Prng): Uint8Array {
  let bytes = Buffer.from(seed);
  for (let left = 1 + random.below(8); left > 0; left -= 1) {
    const at = random.below(bytes.length + 1);
    const end = Math.min(bytes.length, at + random.below(40));
    const word = WORDS[random.below(WORDS.length)] ?? new Uint8Array();
    switch (random.below(7)) {
      case 0:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
        break;
      case 1:
        bytes[at] = random.below(256);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]);
        break;
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, at), word, bytes.subarray(at)]);
        break;
      case 5:
        bytes = Buffer.concat([bytes.subarray(0, at), word, bytes.subarray(end)]);
        break;
      default:
        if (random.below(16) === 0) bytes = bytes.subarray(0, at);
    }
  }
  return bytes;
}
