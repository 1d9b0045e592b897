import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PARTY } from '../../compiler/abi/index.js';
import {
  abiModule,
  ask,
  CONNECTION,
  expandAll,
  NO_DECLARATIONS,
  run,
} from '../support/abi-module.js';

const test = suite('expand-abi');

/** Linear memory with AssemblyScript strings, and the address of each. */
function memoryOf(texts: readonly string[]): { memory: Uint8Array; at: (text: string) => number } {
  const memory = new Uint8Array(65536);
  const view = new DataView(memory.buffer);
  const addresses = new Map<string, number>();
  let next = 64;
  for (const text of texts) {
    view.setUint32(next - 8, 2, true);
    view.setUint32(next - 4, text.length * 2, true);
    for (let i = 0; i < text.length; i++) view.setUint16(next + 2 * i, text.charCodeAt(i), true);
    addresses.set(text, next);
    next = (next + text.length * 2 + 48) & ~15;
  }
  return { memory, at: (text) => addresses.get(text) ?? 0 };
}

function connection(write: (view: DataView, bytes: Uint8Array) => void): Uint8Array {
  const bytes = new Uint8Array(CONNECTION.size);
  write(new DataView(bytes.buffer), bytes);
  return bytes;
}

const { memory, at } = memoryOf(['', 'prod', 'ä€', 'app', 'we']);

for (const { name, want } of [
  { name: 'destination_port', want: 0x1f90 },
  { name: 'protocol', want: 17 },
  { name: 'family', want: 6 },
]) {
  test(`\`${name}\` is a load of its field`, () => {
    const module = abiModule((emit) => ask(emit, name, []));
    assert.equal(expandAll(module).diagnostics, []);
    const bytes = connection((view) => {
      view.setUint16(CONNECTION.destinationPort, 0x1f90, true);
      view.setUint8(CONNECTION.protocol, 17);
      view.setUint8(CONNECTION.family, 6);
    });
    assert.is(run(module, bytes), want);
  });
}

test('a word of an address is a number in host order, also under a mask and a compare', () => {
  const bytes = connection((_, b) => b.set([10, 1, 2, 3], CONNECTION.destination + 12));
  const word = abiModule((emit) =>
    ask(emit, 'address_word', [emit.constant('i32', 1), emit.constant('i32', 3)]),
  );
  assert.equal(expandAll(word).diagnostics, []);
  assert.is(run(word, bytes), 0x0a010203);
  for (const [wanted, mask, hit] of [
    [0x0a010203, null, 1],
    [0x0302010a, null, 0],
    [0x0a010000, 0xffff0000, 1],
    [0x0a020000, 0xffff0000, 0],
  ] as const) {
    const module = abiModule((emit) => {
      const value = ask(emit, 'address_word', [emit.constant('i32', 1), emit.constant('i32', 3)]);
      const masked = mask === null ? value : emit.with('i32', 'and', value, mask);
      return emit.compareWith('i32', 'eq', masked, wanted);
    });
    expandAll(module);
    assert.is(run(module, bytes), hit);
    const last = module.functions[0]?.blocks[0]?.instrs.filter((i) => i.op === 'compare');
    const swaps = module.functions[0]?.blocks[0]?.instrs.filter((i) => i.op === 'unary');
    assert.is(last?.length, 1);
    assert.not(last?.some((c) => swaps?.some((s) => (c.args as readonly number[]).includes(s.id))));
  }
});

test('texts become symbols in sorted order; the empty text is 1', () => {
  for (const [text, want] of [
    ['', 1],
    ['prod', 3],
    ['we', 4],
    ['ä€', 5],
    ['app', 2],
  ] as const) {
    const module = abiModule((emit) => {
      for (const other of ['we', 'app', 'prod', 'ä€']) {
        ask(emit, 'symbol', [emit.constant('i32', at(other))]);
      }
      return ask(emit, 'symbol', [emit.constant('i32', at(text))]);
    });
    const { diagnostics, symbols } = expandAll(module, NO_DECLARATIONS, memory);
    assert.equal(diagnostics, []);
    assert.equal(symbols, ['app', 'prod', 'we', 'ä€']);
    assert.is(run(module, new Uint8Array(CONNECTION.size)), want);
  }
});

test('an attribute and a label are loads of different slots of their side', () => {
  for (const [which, want] of [
    ['namespace', 70],
    ['label', 80],
  ] as const) {
    const module = abiModule((emit) => {
      const side = emit.constant('i32', 1);
      const namespace = ask(emit, 'attribute', [side, emit.constant('i32', 0)]);
      const label = ask(emit, 'label', [side, emit.constant('i32', at('app'))]);
      const keep = emit.with('i32', 'mul', emit.binary('i32', 'xor', namespace, label), 0);
      return emit.binary('i32', 'add', which === 'label' ? label : namespace, keep);
    });
    assert.equal(expandAll(module, NO_DECLARATIONS, memory).diagnostics, []);
    const slots = CONNECTION.destination + PARTY.attributes;
    const bytes = connection((view) => {
      view.setUint32(slots, 80, true); // label sorts before namespace
      view.setUint32(slots + 4, 70, true);
    });
    assert.is(run(module, bytes), want);
  }
});

test('a predicate is a bit of its side, and nothing loads its attribute', () => {
  const module = abiModule((emit) => {
    const side = emit.constant('i32', 0);
    const namespace = ask(emit, 'attribute', [side, emit.constant('i32', 0)]);
    const text = emit.constant('i32', at('we'));
    const ends = ask(emit, 'text_ends_with', [namespace, text]);
    const starts = ask(emit, 'text_starts_with', [namespace, text]);
    return emit.binary('i32', 'add', emit.with('i32', 'mul', ends, 2), starts);
  });
  assert.equal(expandAll(module, NO_DECLARATIONS, memory).diagnostics, []);
  const instrs = module.functions[0]?.blocks[0]?.instrs ?? [];
  assert.not(instrs.some((i) => i.op === 'load.pointer' && i.size === 4));
  for (const bits of [0, 1, 2, 3]) {
    const bytes = connection((view) =>
      view.setBigUint64(CONNECTION.source + PARTY.predicates, BigInt(bits), true),
    );
    // endsWith sorts before startsWith: bit 0 and bit 1
    assert.is(run(module, bytes), (bits & 1) * 2 + (bits >> 1));
  }
});

test('out of fuel ends the decision', () => {
  const module = abiModule((emit) => {
    ask(emit, 'out_of_fuel', []);
    return emit.constant('i32', 1);
  });
  expandAll(module);
  assert.is(run(module, new Uint8Array(CONNECTION.size)), 0xf1);
});

type Ask = Parameters<typeof abiModule>[0];
const slot =
  (side: number): Ask =>
  (emit) =>
    ask(emit, 'attribute', [emit.constant('i32', side), emit.constant('i32', 0)]);

/** `where`: the entry function, and so the export, in which the question is asked. */
const REFUSED: readonly { code: string; message: RegExp; where?: string; write: Ask }[] = [
  {
    code: 'I201',
    message: /the side of `attribute` is not a constant/,
    write: (emit) => ask(emit, 'attribute', [ask(emit, 'protocol', []), emit.constant('i32', 0)]),
  },
  {
    code: 'I201',
    message: /the text that `is` is asked with is none of up to 32/,
    write: (emit) => ask(emit, 'symbol', [ask(emit, 'protocol', [])]),
  },
  {
    code: 'I202',
    message: /`destination.namespace` does not exist in `routeConnection`/,
    where: 'p0_route',
    write: slot(1),
  },
  {
    code: 'I202',
    message: /`random` does not exist in `authorizeConnection`/,
    write: (emit) => ask(emit, 'random', []),
  },
  {
    code: 'I205',
    message: /`contains` is asked of a text that is not one attribute/,
    write: (emit) =>
      ask(emit, 'text_contains', [ask(emit, 'protocol', []), emit.constant('i32', at('we'))]),
  },
  { code: 'I206', message: /`teapot` is no import/, write: (emit) => ask(emit, 'teapot', []) },
  {
    code: 'I207',
    message: /names table 3, which does not exist/,
    write: (emit) => ask(emit, 'table_has', [emit.constant('i32', 3), emit.constant('i64', 0)]),
  },
  {
    code: 'I207',
    message: /names no text/,
    write: (emit) => ask(emit, 'symbol', [emit.constant('i32', at('we') + 4)]),
  },
];

for (const { code, message, where, write } of REFUSED) {
  test(`${code} at its line: ${message.source}`, () => {
    const { diagnostics } = expandAll(abiModule(write, where), NO_DECLARATIONS, memory);
    assert.is(diagnostics.length, 1);
    assert.is(diagnostics[0]?.code, code);
    assert.match(diagnostics[0]?.message ?? '', message);
    assert.is(diagnostics[0]?.line, 7);
    assert.ok(diagnostics[0]?.help);
  });
}

test('what one export lacks, the other has', () => {
  const route = abiModule((emit) => ask(emit, 'random', []), 'p0_route');
  assert.equal(expandAll(route).diagnostics, []);
  assert.equal(expandAll(abiModule(slot(1))).diagnostics, []);
  assert.equal(expandAll(abiModule(slot(0), 'p0_route')).diagnostics, []);
});

for (const { count, code } of [
  { count: 16, code: null },
  { count: 17, code: 'I203' },
]) {
  test(`${count} labels of one side: ${code ?? 'fit'}`, () => {
    const keys = Array.from({ length: count }, (_, i) => `k${i}`);
    const texts = memoryOf(keys);
    const module = abiModule((emit) => {
      const side = emit.constant('i32', 0);
      const labels = keys.map((k) => ask(emit, 'label', [side, emit.constant('i32', texts.at(k))]));
      return labels.reduce((a, b) => emit.binary('i32', 'xor', a, b));
    });
    const { diagnostics } = expandAll(module, NO_DECLARATIONS, texts.memory);
    assert.equal(
      diagnostics.map((d) => d.code),
      code === null ? [] : [code],
    );
  });
}

for (const { count, code } of [
  { count: 64, code: null },
  { count: 65, code: 'I204' },
]) {
  test(`${count} predicates of one side: ${code ?? 'fit'}`, () => {
    const texts = memoryOf(Array.from({ length: count }, (_, i) => `t${i}`));
    const module = abiModule((emit, func) => {
      const namespace = slot(0)(emit, func);
      const hits = Array.from({ length: count }, (_, i) =>
        ask(emit, 'text_contains', [namespace, emit.constant('i32', texts.at(`t${i}`))]),
      );
      return hits.reduce((a, b) => emit.binary('i32', 'xor', a, b));
    });
    const { diagnostics } = expandAll(module, NO_DECLARATIONS, texts.memory);
    assert.equal(
      diagnostics.map((d) => d.code),
      code === null ? [] : [code],
    );
  });
}

test.run();
