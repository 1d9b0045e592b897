/** One ABI: compiler/abi, the SDK's declarations and attribute numbers, and the structs of bpf/. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ABI_IMPORTS,
  ABI_MODULE,
  ATTRIBUTE,
  CONNECTION,
  DECISION,
  HEAD,
  type OperandKind,
  PARTY,
  REQUEST,
} from '../../compiler/abi/index.js';
import { camelLayout, type Layout, readLayouts } from '../support/c-twin.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const sdk = (name: string): string => readFileSync(join(root, 'policies/sdk', name), 'utf8');

/** What an operand is in AssemblyScript: all but 64-bit numbers and texts are u32. */
function typeOf(kind: OperandKind): string {
  if (kind === 'i64') return 'u64';
  return kind === 'text' ? 'string' : 'u32';
}

/** Called by code that the compiler injects, so that policies do not declare it. */
const INJECTED = ['out_of_fuel'];

const DECLARATION =
  /@external\("([^"]+)", "([^"]+)"\) export declare function (\w+)\(([^)]*)\): (\w+);/g;

const test = suite('abi');

test('policies/sdk/abi.ts declares exactly the imports of the table', () => {
  const have = [...sdk('abi.ts').matchAll(DECLARATION)].map(
    ([, module, name, local, params, result]) => {
      assert.is(module, ABI_MODULE);
      assert.is(local, name);
      const types = [...(params ?? '').matchAll(/: (\w+)/g)].map((m) => m[1]);
      return `${name}(${types.join(', ')}): ${result}`;
    },
  );
  const want = Object.entries(ABI_IMPORTS)
    .filter(([name]) => !INJECTED.includes(name))
    .map(([name, { params, result }]) => {
      const type = { i32: 'u32', i64: 'u64', none: 'void' }[result];
      return `${name}(${params.map(typeOf).join(', ')}): ${type}`;
    });
  assert.equal(have.sort(), want.sort());
});

test('the SDK asks for each attribute by the number of the table', () => {
  const getter = /get (\w+)\(\): Attribute \{[^}]*abi\.attribute\([^)]*\), (\d+)\)/g;
  const have = Object.fromEntries(
    [...sdk('connection.ts').matchAll(getter)].map((m) => [m[1], Number(m[2])]),
  );
  assert.equal(have, { ...ATTRIBUTE });
});

/** A struct of a built object, named as compiler/abi names its fields. */
const inBtf = (name: string, file = 'harness'): Layout =>
  camelLayout(readLayouts(`bpf/${file}.o`).get(name));

for (const [name, layout] of [
  ['weft_party', PARTY],
  ['weft_connection', CONNECTION],
  ['weft_decision', DECISION],
] as const)
  test(`${name} is laid out as compiler/abi says`, () => {
    assert.equal(inBtf(name), { ...layout });
  });

for (const [name, layout] of [
  ['weft_head', HEAD],
  ['weft_request', REQUEST],
] as const)
  test(`${name} is laid out as compiler/abi says`, () => {
    assert.equal(inBtf(name, 'request-harness'), { ...layout });
  });

test('a layout that differs in one offset is told', () => {
  assert.not.equal(inBtf('weft_decision'), { ...DECISION, reason: 13 });
});

test.run();
