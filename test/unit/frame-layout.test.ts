/** compiler/abi/frame.ts and the C headers are one: structs and enums, by the object's BTF. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ASKED,
  ASKED_KIND,
  ASKED_MAX,
  CHUNK,
  CHUNK_HEADER_MAX,
  FRAME_EVENT,
  FRAME_REASON,
  LINES,
  REPLY,
  REPLY_FLAG,
  REPLY_HEAD_MAX,
  TRAILERS_MAX,
  WINDOW_MAX,
  WINDOW_SLACK,
} from '../../compiler/abi/index.js';

interface BtfType {
  readonly kind: string;
  readonly name: string;
  readonly size?: number;
  readonly members?: readonly { readonly name: string; readonly bits_offset: number }[];
}
const object = fileURLToPath(new URL('../../http/frame-harness.o', import.meta.url));
const dumped = spawnSync('bpftool', ['btf', 'dump', '-j', 'file', object], { encoding: 'utf8' });
const { types } = JSON.parse(dumped.stdout) as { readonly types: readonly BtfType[] };
const header = ['lines', 'chunk', 'reply']
  .map((name) => new URL(`../../../bpf/http/${name}.h`, import.meta.url))
  .map((url) => readFileSync(fileURLToPath(url), 'utf8'))
  .join('');

const camel = (name: string): string => name.replace(/_(\w)/g, (_, c: string) => c.toUpperCase());

function layout(name: string): Record<string, number> {
  const type = types.find((t) => t.kind === 'STRUCT' && t.name === name);
  const fields = (type?.members ?? []).map((m) => [camel(m.name), m.bits_offset / 8] as const);
  return { ...Object.fromEntries(fields), size: type?.size ?? 0 };
}

/** The members of a C enum, without the prefix and in camel case. */
function enumeration(name: string, prefix: string): Record<string, number> {
  const body = new RegExp(`enum ${name} \\{([^}]*)\\}`).exec(header)?.[1] ?? '';
  const members = [...body.matchAll(new RegExp(`${prefix}(\\w+) = (\\d+)`, 'g'))];
  return Object.fromEntries(members.map((m) => [camel((m[1] ?? '').toLowerCase()), Number(m[2])]));
}

function define(name: string): number {
  return Number(new RegExp(`#define ${name} (\\d+)`).exec(header)?.[1]);
}

const test = suite('frame layout');

for (const [name, want] of Object.entries({
  weft_lines: LINES,
  weft_reply: REPLY,
  weft_chunk: CHUNK,
  weft_asked: ASKED,
}))
  test(`${name} is where the object has it`, () => {
    assert.equal(layout(name), want);
    assert.not.equal(layout(name), { ...want, size: want.size + 8 });
  });

test('what a connection keeps of its replies is a cache line', () => {
  assert.ok(REPLY.size <= 64);
});

test('enums are the header files’', () => {
  assert.equal(enumeration('weft_frame_event', 'WEFT_FRAME_'), FRAME_EVENT);
  assert.equal(enumeration('weft_frame_reason', 'WEFT_FRAME_'), FRAME_REASON);
  assert.equal(enumeration('weft_reply_flag', 'WEFT_REPLY_'), REPLY_FLAG);
  assert.equal(enumeration('weft_asked_kind', 'WEFT_ASKED_'), ASKED_KIND);
});

test('limits are the header files’', () => {
  assert.is(define('WEFT_WINDOW_MAX'), WINDOW_MAX);
  assert.is(define('WEFT_WINDOW_SLACK'), WINDOW_SLACK);
  assert.is(define('WEFT_ASKED_MAX'), ASKED_MAX);
  assert.is(define('WEFT_REPLY_HEAD_MAX'), REPLY_HEAD_MAX);
  assert.is(define('WEFT_CHUNK_HEADER_MAX'), CHUNK_HEADER_MAX);
  assert.is(define('WEFT_TRAILERS_MAX'), TRAILERS_MAX);
});

test.run();
