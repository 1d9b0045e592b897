/** The object file: sections, symbols, relocations and BTF in clang's forms, the same bytes each time. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { writeObject } from '../../compiler/elf/index.js';
import { type Module, parse } from '../../compiler/ir/index.js';
import { type LoweredFunction, lowerModule } from '../../compiler/lower/index.js';

const test = suite('elf-object');

const SOURCE = `module "m"
position "policies/p.ts" 7:3 "  return table[connection.protocol];"
position "policies/p.ts" 9:2000 "  far to the right"
extern g(ptr, i32) -> i64
image t_a align 8 size 12 {
}
image t_b align 64 size 64 {
}
func entry weft_route_connection(v0: ptr) -> i32 stopped 240 241 {
b0:
  v1 = load.pointer i32 1 v0 + 206 @0
  v2 = load.image i32 4 t_b v1 + 4 limit 56 @0
  v3 = call i64 g(v0, v2) @1
  v4 = wrap v3
  return v4
}
func dispatcher weft_authorize_connection(v0: ptr, v1: ptr) -> i32 stopped 2 2 {
b0:
  v2 = const i32 1
  v3 = store.pointer 4 v1 + 0, v2
  return v2
}
`;

function lowered(module: Module): readonly LoweredFunction[] {
  const result = lowerModule(module, { mayGoto: false });
  if (!result.ok) throw new Error('refused');
  return result.functions;
}
function objectOf(source: string): Uint8Array {
  const module = parse(source);
  const { images, externs } = module;
  return writeObject({ functions: lowered(module), images, externs });
}

interface Found {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly align: number;
}
function textAt(bytes: Uint8Array, at: number): string {
  return new TextDecoder().decode(bytes.subarray(at, bytes.indexOf(0, at)));
}
function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
/** Reads sections back, by the ELF specification. */
function sections(object: Uint8Array): Found[] {
  const view = viewOf(object);
  const start = Number(view.getBigUint64(40, true));
  const count = view.getUint16(60, true);
  const header = (i: number, field: number): number => start + i * 64 + field;
  const wide = (i: number, field: number): number =>
    Number(view.getBigUint64(header(i, field), true));
  const content = (i: number): Uint8Array =>
    object.subarray(wide(i, 24), wide(i, 24) + wide(i, 32));
  const names = content(view.getUint16(62, true));
  return Array.from({ length: count }, (_, i) => ({
    name: textAt(names, view.getUint32(header(i, 0), true)),
    bytes: content(i),
    align: wide(i, 48),
  }));
}
function section(object: Uint8Array, name: string): Uint8Array {
  return sections(object).find((s) => s.name === name)?.bytes ?? new Uint8Array();
}
/** Symbols as `name@section+value size`. */
function symbols(object: Uint8Array): string[] {
  const all = sections(object);
  const [table, names] = [section(object, '.symtab'), section(object, '.strtab')];
  const view = viewOf(table);
  return Array.from({ length: table.length / 24 - 1 }, (_, i) => {
    const at = (i + 1) * 24;
    const where = all[view.getUint16(at + 6, true)]?.name ?? '';
    const [value, size] = [view.getBigUint64(at + 8, true), view.getBigUint64(at + 16, true)];
    return `${textAt(names, view.getUint32(at, true))}@${where}+${value} ${size}`;
  });
}

test('an object has the sections that libbpf looks for', () => {
  const names = sections(objectOf(SOURCE)).map((s) => s.name);
  assert.equal(names.join(' '), ' .text .rodata license .BTF .BTF.ext .rel.text .symtab .strtab');
});

test('images stand at their alignment, functions one behind the other', () => {
  const object = objectOf(SOURCE);
  const [first] = lowered(parse(SOURCE));
  const size = first?.bytes.length ?? 0;
  const found = symbols(object);
  assert.ok(found.includes(`weft_route_connection@.text+0 ${size}`));
  assert.ok(found.some((s) => s.startsWith(`weft_authorize_connection@.text+${size} `)));
  assert.ok(found.includes('t_a@.rodata+0 12'));
  assert.ok(found.includes('t_b@.rodata+64 64'));
  assert.ok(found.includes('LICENSE@license+0 13'));
  assert.ok(found.includes('g@+0 0'));
  assert.is(sections(object).find((s) => s.name === '.rodata')?.align, 64);
});

test('relocations name the image and the function', () => {
  const object = objectOf(SOURCE);
  const found = symbols(object).map((s) => s.split('@')[0]);
  const view = viewOf(section(object, '.rel.text'));
  const rows = Array.from({ length: view.byteLength / 16 }, (_, i) => {
    const type = view.getUint32(i * 16 + 8, true);
    return `${type} ${found[view.getUint32(i * 16 + 12, true) - 1]}`;
  });
  assert.equal(rows, ['1 t_b', '10 g']);
});

test('line_info has a line for each function and cuts columns at their 10 bits', () => {
  const ext = section(objectOf(SOURCE), '.BTF.ext');
  const view = viewOf(ext);
  const start = 32 + view.getUint32(16, true);
  const count = view.getUint32(start + 8, true);
  const columns = Array.from({ length: count }, (_, i) => {
    const packed = view.getUint32(start + 12 + i * 16 + 12, true);
    return `${packed >>> 10}:${packed & 1023}`;
  });
  // The dispatcher has no position, and gets a line all the same.
  assert.equal(columns, ['7:3', '9:1023', '0:0']);
});

test('the same input gives the same bytes, another image gives others', () => {
  assert.equal(objectOf(SOURCE), objectOf(SOURCE));
  const other = SOURCE.replace('size 12 {\n}', 'size 12 {\n  0: ff\n}');
  assert.not.equal(objectOf(SOURCE), objectOf(other));
});

test('a called function that is among the functions is no undefined symbol', () => {
  const both = SOURCE.replace(
    'func dispatcher',
    'func internal g(v0: ptr, v1: i32) -> i64 stopped 240 241 {\nb0:\n  v2 = extend_u v1\n  return v2\n}\nfunc dispatcher',
  );
  const found = symbols(objectOf(both)).filter((s) => s.startsWith('g@'));
  assert.is(found.length, 1);
  assert.match(found[0] ?? '', /^g@\.text\+/);
});

test('without images there is no .rodata', () => {
  const source = SOURCE.slice(0, SOURCE.indexOf('image t_a')).concat(
    SOURCE.slice(SOURCE.indexOf('func dispatcher')),
  );
  assert.not.ok(sections(objectOf(source)).some((s) => s.name === '.rodata'));
});

test('names that clash, unknown symbols and empty images are our own fault', () => {
  const module = parse(SOURCE);
  const functions = lowered(module);
  const { images, externs } = module;
  const twice = { functions: [...functions, ...functions], images, externs };
  assert.throws(() => writeObject(twice), /two things are called weft_route_connection/);
  assert.throws(() => writeObject({ functions, images: [], externs }), /unknown symbol t_b/);
  assert.throws(() => writeObject({ functions, images, externs: [] }), /unknown symbol g/);
  const empty = [{ name: 'e', align: 8, bytes: new Uint8Array() }];
  assert.throws(() => writeObject({ functions: [], images: empty, externs }), /is empty/);
});

test.run();
