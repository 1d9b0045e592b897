/** compiler/abi/head.ts and bpf/http/head.h are one: structs and enums, by the object's BTF. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  HEAD,
  HEAD_FLAG,
  HEAD_MAX,
  HEAD_REASON,
  HEAD_SLACK,
  HEAD_STATUS,
  HEADER_NAME_MAX,
  HEADER_SLOTS,
  NAME_BUCKETS,
  NAME_ENTRIES,
  NAME_ENTRY,
  NAME_KIND,
  NAMES,
} from '../../compiler/abi/index.js';

interface BtfType {
  readonly kind: string;
  readonly name: string;
  readonly size?: number;
  readonly members?: readonly { readonly name: string; readonly bits_offset: number }[];
}
const object = fileURLToPath(new URL('../../http/head-harness.o', import.meta.url));
const dumped = spawnSync('bpftool', ['btf', 'dump', '-j', 'file', object], { encoding: 'utf8' });
const { types } = JSON.parse(dumped.stdout) as { readonly types: readonly BtfType[] };
const header = readFileSync(
  fileURLToPath(new URL('../../../bpf/http/head.h', import.meta.url)),
  'utf8',
);

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

const test = suite('head layout');

for (const [name, want] of Object.entries({
  weft_head: HEAD,
  weft_names: NAMES,
  weft_name_entry: NAME_ENTRY,
}))
  test(`${name} is where the object has it`, () => {
    assert.equal(layout(name), want);
    assert.not.equal(layout(name), { ...want, size: want.size + 8 });
  });

test('enums are the header file’s', () => {
  assert.equal(enumeration('weft_head_reason', 'WEFT_HEAD_'), HEAD_REASON);
  assert.equal(enumeration('weft_head_flag', 'WEFT_HEAD_'), HEAD_FLAG);
  assert.equal(enumeration('weft_head_status', 'WEFT_HEAD_'), HEAD_STATUS);
  const { plain, ...kinds } = enumeration('weft_name_kind', 'WEFT_NAME_');
  assert.equal([plain, ...Object.values(kinds)], [0, ...Object.values(NAME_KIND)]);
});

test('limits are the header file’s', () => {
  assert.is(define('WEFT_HEAD_MAX'), HEAD_MAX);
  assert.is(define('WEFT_HEAD_SLACK'), HEAD_SLACK);
  assert.is(define('WEFT_HEADER_SLOTS'), HEADER_SLOTS);
  assert.is(define('WEFT_NAME_MAX'), HEADER_NAME_MAX);
  assert.is(define('WEFT_NAME_ENTRIES'), NAME_ENTRIES);
  assert.is(define('WEFT_NAME_BUCKETS'), NAME_BUCKETS);
});

test.run();
