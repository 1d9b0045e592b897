/** compiler/abi/head.ts and bpf/http/head.h are one: structs and enums, by the object's BTF. */
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
import { camelLayout, readHeaders, readLayouts } from '../support/c-twin.js';

const layouts = readLayouts('http/head-harness.o');
const { enumeration, define } = readHeaders('http/head.h');

const test = suite('head layout');

for (const [name, want] of Object.entries({
  weft_head: HEAD,
  weft_names: NAMES,
  weft_name_entry: NAME_ENTRY,
}))
  test(`${name} is where the object has it`, () => {
    assert.equal(camelLayout(layouts.get(name)), want);
    assert.not.equal(camelLayout(layouts.get(name)), { ...want, size: want.size + 8 });
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
