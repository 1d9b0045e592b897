/**
 * The head parser in the kernel, in WASM, and llhttp, on the same generated heads: kernel and WASM
 * agree byte for byte; llhttp agrees but for what head-stricter.md lists.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeHeaderNames, HEAD, HEAD_MAX } from '../../compiler/abi/index.js';
import { type Head, viewText } from '../../runtime/http/index.js';
import { openKernel } from '../../runtime/kernel/index.js';
import { generateHead } from '../fuzz/generate-head.js';
import { askLlhttp, KNOWN_METHODS, type Llhttp } from '../fuzz/llhttp.js';
import { latin, wasmParser } from '../fuzz/wasm-head.js';
import { Prng } from '../support/prng.js';

const SEED = 0x4ead;
const HEADS = 60_000;
const NAMES = ['x-team', 'cookie', 'host', 'content-length', 'transfer-encoding'];
const CURSOR_BYTES = 104;
/** struct weft_head_work of bpf/http/head-harness.bpf.c. */
const WORK = { head: 8, cursor: 8 + HEAD.size, bytes: 8 + HEAD.size + CURSOR_BYTES } as const;
const root = fileURLToPath(new URL('../../../', import.meta.url));
const PACKET = new Uint8Array(64);

const wasm = wasmParser(NAMES);
const object = openKernel().load({
  name: 'head',
  bytes: readFileSync(`${root}dist/http/head-harness.o`),
});
const program = object.program('weft_test_head');
const works = object.map('weft_head_works');
const key = new Uint8Array(4);
object.map('weft_head_names').update(key, encodeHeaderNames(NAMES));
const work = new Uint8Array(works.info().valueSize);

/** Offers bytes to the kernel's parser; a piece of a head that goes on keeps cursor and head. */
function askKernel(bytes: Uint8Array, goesOn = false): { head: Uint8Array; bytes: Uint8Array } {
  if (!goesOn) work.fill(0, WORK.cursor, WORK.bytes);
  const have = Math.min(bytes.length, HEAD_MAX);
  new DataView(work.buffer).setUint32(0, have, true);
  work.set(bytes.subarray(0, have), WORK.bytes);
  works.update(key, work);
  const { retval } = program.testRun(PACKET);
  const after = works.lookup(key);
  if (after === null) throw new Error('the map has no work');
  work.set(after);
  const head = after.slice(WORK.head, WORK.cursor);
  assert.is(retval, new DataView(head.buffer).getUint16(HEAD.status, true));
  return { head, bytes: after.subarray(WORK.bytes, WORK.bytes + have) };
}

/** The heads of a run, then whatever should not be left to chance. */
function* heads(count: number): Generator<Uint8Array> {
  const random = new Prng(SEED);
  for (let i = 0; i < count; i++) yield generateHead(random);
  const line = 'Host: h\r\n';
  for (const text of [
    `\r\nGET / HTTP/1.1\r\n${line}\r\n`,
    'GET /\r\n\r\n',
    `GET / HTTP/2.0\r\n${line}\r\n`,
    `GET /%00 HTTP/1.1\r\n${line}\r\n`,
    `GET /#a HTTP/1.1\r\n${line}\r\n`,
    `${'M'.repeat(40)} / HTTP/1.1\r\n${line}\r\n`,
    `GET / HTTP/1.1\r\n${line}A: ${'x'.repeat(HEAD_MAX)}\r\n\r\n`,
    `GET / HTTP/1.1\r\n${line}A: ${'x'.repeat(HEAD_MAX - 32)}\r\n\r\n`,
    `GET / HTTP/1.1\r\n${line}${'a:\r\n'.repeat(2000)}\r\n`,
    `GET /${'a/../'.repeat(1600)} HTTP/1.1\r\n${line}\r\n`,
  ])
    yield latin(text);
}

const test = suite('head');
test.after(() => object[Symbol.dispose]());

const where = (index: number, bytes: Uint8Array): string =>
  `seed ${SEED}, head ${index}: ${JSON.stringify(Buffer.from(bytes).toString('latin1'))}`;

test('the verifier goes through each step of the parser a few times, not once for each state', () => {
  const { verifiedInstructions } = program.info();
  assert.ok(verifiedInstructions < 20_000, String(verifiedInstructions));
});

test(`kernel and WASM agree on ${HEADS} heads`, () => {
  let index = 0;
  const statuses = new Set<string>();
  for (const bytes of heads(HEADS)) {
    const kernel = askKernel(bytes);
    const parsed = wasm.parse(bytes);
    statuses.add(parsed.status);
    // Compared as text: a buffer's deep comparison costs more than both parsers.
    assert.is(
      Buffer.from(kernel.head).toString('hex'),
      Buffer.from(wasm.parseRaw(bytes)).toString('hex'),
      where(index, bytes),
    );
    if (parsed.status === 'ok')
      assert.is(
        Buffer.from(kernel.bytes.subarray(0, parsed.length)).toString('latin1'),
        Buffer.from(parsed.bytes).toString('latin1'),
        where(index, bytes),
      );
    index++;
  }
  assert.equal([...statuses].sort(), ['incomplete', 'ok', 'refused']);
});

test('a head that comes in pieces is to the kernel what it is at once', () => {
  const random = new Prng(SEED);
  for (let i = 0; i < 3000; i++) {
    const bytes = generateHead(random);
    const whole = Buffer.from(askKernel(bytes).head).toString('hex');
    let at = random.below(bytes.length + 1);
    let answer = askKernel(bytes.subarray(0, at)).head;
    while (answer[HEAD.status] === 1 && answer[HEAD.status + 1] === 0 && at < bytes.length) {
      at = Math.min(bytes.length, at + 1 + random.below(60));
      answer = askKernel(bytes.subarray(0, at), true).head;
    }
    assert.is(Buffer.from(answer).toString('hex'), whole, where(i, bytes));
  }
});

const document = readFileSync(`${root}test/differential/head-stricter.md`, 'utf8');
const stricter = new Set([...document.matchAll(/^\| `(\w+)` \|/gm)].map((m) => m[1] ?? ''));

/** The fields of a head that llhttp has too, from either. */
function fields(bytes: Uint8Array, head: Head): object {
  const text = (name: 'method' | 'target'): string | null => viewText(bytes, head[name]);
  return {
    minor: head.minor,
    method: text('method'),
    target: text('target'),
    upgrade: head.upgrade,
    keepAlive: head.keepAlive,
    headers: NAMES.map((_, slot) => viewText(bytes, head.headers[slot] ?? null)),
    repeated: NAMES.map((_, slot) => (head.repeated >> slot) & 1),
    length: head.contentLength,
    chunked: head.chunked,
  };
}

function fieldsOfLlhttp(answer: Llhttp): object {
  const values = (name: string): string[] =>
    answer.headers.filter((_, i, all) => i % 2 === 1 && all[i - 1]?.toLowerCase() === name);
  const length = values('content-length')[0];
  return {
    minor: answer.minor,
    method: answer.method,
    target: answer.url,
    upgrade: answer.upgrade,
    keepAlive: answer.keepAlive,
    headers: NAMES.map((name) => values(name)[0] ?? null),
    repeated: NAMES.map((name) => (values(name).length > 1 ? 1 : 0)),
    length: length === undefined ? null : BigInt(length),
    chunked: values('transfer-encoding')[0]?.toLowerCase() === 'chunked',
  };
}

/** The two rows of `Read otherwise`. */
function isReadOtherwise({ minor, headers }: Llhttp): boolean {
  const said = headers
    .filter((_, i) => i % 2 === 1 && headers[i - 1]?.toLowerCase() === 'connection')
    .join()
    .toLowerCase();
  return said.includes('\t') || (minor === 0 && /close/.test(said) && /keep-alive/.test(said));
}

test(`llhttp agrees on ${HEADS} heads but for what is listed`, () => {
  const seen = new Set<string>();
  let [both, index, method] = [0, 0, 0];
  for (const bytes of heads(HEADS)) {
    const ours = wasm.parse(bytes);
    const theirs = askLlhttp(ours.status === 'ok' ? bytes.subarray(0, ours.length) : bytes);
    const message = `${where(index, bytes)} ${JSON.stringify(theirs)}`;
    index++;
    if (theirs !== null && 'error' in theirs) {
      if (ours.status !== 'ok') continue;
      const name = viewText(bytes, ours.method) ?? '';
      assert.is(theirs.error, 'HPE_INVALID_METHOD', message);
      assert.not(KNOWN_METHODS.has(name), message);
      method++;
      continue;
    }
    // A refusal may come before the end of the head; llhttp then waits for more.
    if (theirs === null) {
      assert.is.not(ours.status, 'ok', message);
      continue;
    }
    if (ours.status === 'ok') {
      const keepAlive = isReadOtherwise(theirs) ? { keepAlive: ours.keepAlive } : {};
      assert.equal(fields(bytes, ours), { ...fieldsOfLlhttp(theirs), ...keepAlive }, message);
      both++;
    } else {
      assert.is(ours.status, 'refused', message);
      const reason = ours.status === 'refused' ? ours.reason : '';
      assert.ok(stricter.has(reason), `not listed: ${reason} ${message}`);
      seen.add(reason);
    }
  }
  assert.ok(both > HEADS / 3 && method > 0, `${both} taken by both`);
  const unseen = [...stricter].filter((reason) => !seen.has(reason));
  assert.equal(unseen, [], 'rows that never occurred');
});

test.run();
