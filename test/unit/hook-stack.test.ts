/** Hooks that ask policies leave them as much stack as `MAX_STACK` says: a program and all that it calls have 512 bytes. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_FUNCTIONS } from '../../compiler/check-functions.js';
import { MAX_STACK } from '../../compiler/lower/index.js';

const test = suite('stack of hooks');

/** MAX_BPF_STACK, include/linux/filter.h. */
const KERNEL_STACK = 512;
const FP = 10;
const [SYMTAB, REL] = [2, 9];
/** SHF_EXECINSTR. */
const EXECUTABLE = 4;

interface Section {
  readonly name: string;
  readonly type: number;
  readonly isCode: boolean;
  readonly info: number;
  readonly link: number;
  readonly bytes: DataView;
}

function textAt(view: DataView, at: number): string {
  let text = '';
  for (let i = at; view.getUint8(i) !== 0; i++) text += String.fromCharCode(view.getUint8(i));
  return text;
}

/** Sections of an ELF64 object, little-endian (elf(5)). */
function sectionsOf(file: Uint8Array): readonly Section[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const [start, size, count] = [Number(view.getBigUint64(40, true)), 64, view.getUint16(60, true)];
  const raw = Array.from({ length: count }, (_, i) => {
    const at = start + i * size;
    const offset = file.byteOffset + Number(view.getBigUint64(at + 24, true));
    // What holds no bytes has a size of what is not in the file.
    const isEmpty = view.getUint32(at + 4, true) === 8;
    const length = isEmpty ? 0 : Number(view.getBigUint64(at + 32, true));
    return {
      name: view.getUint32(at, true),
      type: view.getUint32(at + 4, true),
      isCode: (view.getUint32(at + 8, true) & EXECUTABLE) !== 0,
      link: view.getUint32(at + 40, true),
      info: view.getUint32(at + 44, true),
      bytes: new DataView(file.buffer, offset, length),
    };
  });
  const names = raw[view.getUint16(62, true)]?.bytes;
  if (names === undefined) throw new Error('no names of sections');
  return raw.map((section) => ({ ...section, name: textAt(names, section.name) }));
}

/** Names that a section's code refers to. */
function symbolsOf(sections: readonly Section[], index: number): readonly string[] {
  return sections
    .filter(({ type, info }) => type === REL && info === index)
    .flatMap(({ bytes, link }) => {
      const table = sections[link];
      const strings = sections[table?.link ?? -1]?.bytes;
      if (table?.type !== SYMTAB || strings === undefined) throw new Error('no symbols');
      return Array.from({ length: bytes.byteLength / 16 }, (_, i) => {
        const symbol = bytes.getUint32(i * 16 + 12, true);
        return textAt(strings, table.bytes.getUint32(symbol * 24, true));
      });
    });
}

/** Bytes below the frame pointer that code reads, writes or makes addresses of. */
function stackOf(code: DataView): number {
  let most = 0;
  for (let at = 0; at < code.byteLength; at += 8) {
    const [opcode, registers] = [code.getUint8(at), code.getUint8(at + 1)];
    const kind = opcode & 7;
    const base = kind === 1 ? registers >> 4 : registers & 15;
    if (kind >= 1 && kind <= 3 && base === FP) most = Math.max(most, -code.getInt16(at + 2, true));
    // r += -N, behind r = r10.
    const by = code.getInt32(at + 4, true);
    if (opcode === 0x07 && by >= -KERNEL_STACK) most = Math.max(most, -by);
    if (opcode === 0x18) at += 8;
  }
  return most;
}

for (const name of ['hooks', 'request-hooks']) {
  test(`${name} that ask policies`, () => {
    const sections = sectionsOf(new Uint8Array(readFileSync(`dist/bpf/${name}.o`)));
    const asking = sections.filter(({ isCode }, i) => {
      const symbols = isCode ? symbolsOf(sections, i) : [];
      return symbols.some((symbol) => /^weft_(authorize|route)_/.test(symbol));
    });
    assert.ok(asking.length > 4, 'nothing asks');
    // Functions of hooks would add their stack to that of who calls them.
    assert.not.ok(asking.some((section) => section.name === '.text'));
    for (const { name: section, bytes } of asking) {
      const stack = stackOf(bytes);
      assert.ok(stack > 0, section);
      assert.ok(Math.ceil(stack / 32) * 32 + MAX_STACK <= KERNEL_STACK, `${section}: ${stack}`);
    }
  });
}

/** BPF_MAX_SUBPROGS, include/linux/bpf_verifier.h. */
const KERNEL_FUNCTIONS = 256;
const FUNCTION = 2;

for (const name of ['hooks', 'request-hooks']) {
  test(`functions of ${name}`, () => {
    const sections = sectionsOf(new Uint8Array(readFileSync(`dist/bpf/${name}.o`)));
    const text = sections.findIndex((section) => section.name === '.text');
    const symbols = sections.find(({ type }) => type === SYMTAB)?.bytes;
    assert.ok(symbols);
    let count = 0;
    for (let at = 0; symbols !== undefined && at < symbols.byteLength; at += 24) {
      const isFunction = (symbols.getUint8(at + 4) & 15) === FUNCTION;
      if (isFunction && symbols.getUint16(at + 6, true) === text) count += 1;
    }
    assert.ok(count > 0, 'no functions');
    // And the hook itself.
    assert.ok(count + 1 + MAX_FUNCTIONS <= KERNEL_FUNCTIONS, `${count} functions`);
  });
}

test.run();
