/**
 * A page of a list, object by object as it comes: of some MiB of JSON only one object is in memory at a
 * time. What is around the objects is kept, and read as the document that it then is.
 */
import type { IncomingMessage } from 'node:http';
import { StringDecoder } from 'node:string_decoder';
import { parseObject, readBody } from './answer.js';
import { KubernetesError } from './kubernetes-error.js';
import type { Raw } from './raw.js';

/** One object in JSON, and all that is around them; etcd bounds an object to 1.5 MiB. */
const MAX_TEXT = 8 << 20;

const QUOTE = '"'.charCodeAt(0);
const ESCAPE = '\\'.charCodeAt(0);
const BRACE = '{'.charCodeAt(0);
const BRACKET = '['.charCodeAt(0);
const BRACE_END = '}'.charCodeAt(0);
const BRACKET_END = ']'.charCodeAt(0);
const COMMA = ','.charCodeAt(0);
/** Of what stands in the list itself: the document is one, the list the next. */
const LIST = 2;

/** Takes a document in pieces; `items` of it go to `onItem` one by one. */
export class ListReader {
  readonly #onItem: (raw: Raw) => void;
  readonly #decoder = new StringDecoder('utf8');
  #depth = 0;
  #isText = false;
  #isEscaped = false;
  /** The list of objects is open. */
  #isList = false;
  #around = '';
  #item = '';

  constructor(onItem: (raw: Raw) => void) {
    this.#onItem = onItem;
  }

  /** Throws N103. */
  take(chunk: Buffer): void {
    const text = this.#decoder.write(chunk);
    let from = 0;
    for (let at = 0; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      if (this.#isText) this.#passText(code);
      else if (code === QUOTE) this.#isText = true;
      else if (code === BRACE || code === BRACKET) from = this.#open(text, from, at);
      else if (code === BRACE_END || code === BRACKET_END) from = this.#close(text, from, at);
      else if (code === COMMA && this.#depth === LIST && this.#isList) {
        this.#keepAround(text.slice(from, at));
        from = at + 1;
      }
    }
    if (this.#depth > LIST && this.#isList) this.#item = bounded(this.#item + text.slice(from));
    else this.#keepAround(text.slice(from));
  }

  /** What is around the objects. Throws N103 where it is no object, or the end lacks. */
  end(): Raw {
    return parseObject(this.#around + this.#item + this.#decoder.end());
  }

  #passText(code: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (code === ESCAPE) this.#isEscaped = true;
    else if (code === QUOTE) this.#isText = false;
  }

  /** Answers with where what is not kept yet begins. */
  #open(text: string, from: number, at: number): number {
    const isItem = this.#depth === LIST && this.#isList;
    if (isItem) this.#keepAround(text.slice(from, at));
    this.#depth += 1;
    if (this.#depth === LIST && text.charCodeAt(at) === BRACKET)
      this.#isList = /"items"\s*:\s*$/.test(this.#around.slice(-64) + text.slice(from, at));
    return isItem ? at : from;
  }

  #close(text: string, from: number, at: number): number {
    this.#depth -= 1;
    if (this.#depth < LIST) this.#isList = false;
    if (this.#depth !== LIST || !this.#isList) return from;
    const item = this.#item + text.slice(from, at + 1);
    this.#item = '';
    this.#onItem(parseObject(item));
    return at + 1;
  }

  #keepAround(text: string): void {
    if (text !== '') this.#around = bounded(this.#around + text);
  }
}

/** Reads a page: `onItem` is told each object, the answer is what is around them. Throws N101, N103. */
export async function readList(
  response: IncomingMessage,
  onItem: (raw: Raw) => void,
): Promise<Raw> {
  const reader = new ListReader(onItem);
  await readBody(response, (part) => reader.take(part));
  return reader.end();
}

function bounded(text: string): string {
  if (text.length <= MAX_TEXT) return text;
  throw new KubernetesError('N103', `an object is longer than ${MAX_TEXT >> 20} MiB`);
}
