/** Both snapshot engines give one state, and the same project gives the same bytes anywhere. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ABI_IMPORTS } from '../../compiler/abi/index.js';
import {
  ASC_NO_ABORT,
  ASC_OPTIONS,
  readModule,
  type Snapshotter,
} from '../../compiler/frontend/index.js';
import { SDK_SOURCES } from '../../compiler/frontend/sdk.gen.js';
import { v8Snapshot, wizerSnapshot } from '../../runtime/snapshot/index.js';
import { ALLOW, compile, compiled, decide, type Files, IMPORTS } from './frontend-project.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const test = suite('frontend snapshot');

const policies: Readonly<Record<string, string>> = {
  plain: ALLOW,
  tables: `const t = new Table<u32>("t"); for (let i = 0; i < 2000; i++) t.set("k" + i.toString(), i);
export function authorizeConnection(c: Connection): Verdict {
  return t.get(c.source.label("t")) > 3 ? Verdict.Allow : Verdict.Deny;
}`,
  memory: `const list: u32[] = []; for (let i: u32 = 0; i < 50; i++) list.push(i * i);
const big: u64 = <u64>list[49] << 40; const sum = list.reduce<u32>((a, b) => a + b, 0);
export function authorizeConnection(c: Connection): Verdict {
  if (unchecked(list[c.destination.port & 31]) > sum) return Verdict.Audit;
  return c.now > big ? Verdict.Allow : Verdict.Deny;
}`,
};
for (const [name, text] of Object.entries(policies)) {
  test(`${name}: the same bytes from Wasmtime and V8, and twice`, async () => {
    const wasm: string[] = [];
    for (const engine of [wizerSnapshot, v8Snapshot, v8Snapshot]) {
      const outcome = await compile(text, engine);
      assert.ok(outcome.ok);
      wasm.push(Buffer.from(outcome.result.wasm).toString('hex'));
    }
    assert.is(wasm[0], wasm[1]);
    assert.is(wasm[1], wasm[2]);
  });
}

test('V8 answers after a module without end, one that stops and one with much memory as it did before', async () => {
  const before = (await compiled(policies['memory'] ?? '')).wasm;
  const soon: Snapshotter = (wasm) => v8Snapshot(wasm, 300);
  const others: readonly (readonly [text: string, engine: Snapshotter, code: string | null])[] = [
    [`let n: u32 = 1; while (n != 0) n |= 1;\n${ALLOW}`, soon, 'P112'],
    [`unreachable();\n${ALLOW}`, v8Snapshot, 'P111'],
    [`const big = new StaticArray<u8>(40_000_000); big[7] = 1;\n${ALLOW}`, v8Snapshot, null],
  ];
  for (const [text, engine, code] of others) {
    const outcome = await compile(text, engine);
    assert.equal(
      outcome.diagnostics.map((d) => d.code),
      code === null ? [] : [code],
    );
    const after = (await compiled(policies['memory'] ?? '')).wasm;
    assert.is(Buffer.from(after).compare(before), 0, text);
  }
});

test('globals are constants, and the configure phase is gone', async () => {
  const result = await compiled(policies['memory'] ?? '');
  const read = readModule(result.wasm);
  assert.ok(read.ok);
  const mutable = read.value.globals.flatMap((g, i) => (g.mutable ? [i] : []));
  assert.equal(mutable, [result.fuelGlobal]);
  assert.equal(read.value.exports.map((e) => e.name).sort(), [
    'authorizeConnection',
    'fuel',
    'memory',
  ]);
  assert.is(read.value.start, null);
});

test('texts that were made at the top level are still there', async () => {
  const result = await compiled(`const made = "team-" + (6 + 1).toString();
const unused = "unused-" + made;
export function authorizeConnection(c: Connection): Verdict {
  if (c.source.namespace.is("prod")) return Verdict.Allow;
  return c.source.label("team").is(made) ? Verdict.Audit : Verdict.Deny;
}
export function keep(): string { return unused; }`);
  const texts: string[] = [];
  const imports = { attribute: () => 5, label: () => 101 };
  const word = decide(result, 'authorizeConnection', { texts, imports });
  assert.equal(texts, ['prod', 'team-7']);
  assert.is(word & 0xff, 4);
  const bytes = Buffer.from(result.wasm);
  assert.ok(bytes.includes(Buffer.from('team-7', 'utf16le')));
  assert.not.ok(bytes.includes(Buffer.from('unused', 'utf16le')), 'the rest is pruned');
});

test('no path of the machine is in the module', async () => {
  const files: Files = { 'policies/x.ts': IMPORTS + policies['tables'] };
  const result = await compiled(files);
  assert.not.match(Buffer.from(result.wasm).toString('latin1'), /work|node_modules|policies/);
});

test('the folder of the process does not matter', async () => {
  const home = process.cwd();
  const here = await compiled(policies['tables'] ?? '');
  process.chdir('/');
  try {
    const there = await compiled(policies['tables'] ?? '');
    assert.is(Buffer.from(here.wasm).compare(there.wasm), 0);
    assert.equal(there.sites, here.sites);
  } finally {
    process.chdir(home);
  }
});

test('asconfig.json holds the flags that are used', () => {
  const { options } = JSON.parse(readFileSync(join(root, 'asconfig.json'), 'utf8'));
  const { lib: _, ...used } = ASC_OPTIONS;
  assert.equal(options, { ...used, use: ASC_NO_ABORT });
});

test('the SDK that is embedded is the SDK that is shipped, and declares the ABI', () => {
  for (const [name, text] of Object.entries(SDK_SOURCES)) {
    assert.is(text, readFileSync(join(root, 'policies/sdk', name), 'utf8'), 'run npm run gen');
  }
  const abi = SDK_SOURCES['abi.ts'] ?? '';
  const kinds = { i32: 'u32', i64: 'u64', none: 'void' } as const;
  for (const [name, { params, result }] of Object.entries(ABI_IMPORTS)) {
    if (name === 'out_of_fuel') continue; // injected by the compiler
    const found = new RegExp(`@external\\("weft", "${name}"\\).* ${name}\\((.*)\\): (\\w+);`).exec(
      abi,
    );
    const types = (found?.[1] ?? '')
      .split(', ')
      .filter((p) => p !== '')
      .map((p) => p.split(': ')[1]);
    const want = params.map((p) => (p === 'text' ? 'string' : p === 'i64' ? 'u64' : 'u32'));
    assert.equal(types, want, name);
    assert.is(found?.[2], kinds[result], name);
  }
});

test.run();
