/**
 * A relocatable ELF file for eBPF (ET_REL, EM_BPF, little-endian): sections, symbols, relocations.
 * What they mean is the caller's; this only lays bytes out.
 */
import { BugError } from '../diagnostic/index.js';
import { ByteWriter } from './byte-writer.js';
import { StringTable } from './string-table.js';

export interface Section {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly flags: number;
  readonly align: number;
  /** Zeros, which the file does not hold, in place of `bytes`. */
  readonly zeros?: number;
}
export interface ElfSymbol {
  readonly name: string;
  readonly type: 'none' | 'object' | 'func';
  /** null: defined elsewhere. */
  readonly section: string | null;
  readonly value: number;
  readonly size: number;
  /** Not to be found by other objects; libbpf takes such a function for a static one. */
  readonly isHidden?: boolean;
}
export interface ElfRelocation {
  /** The section that is patched. */
  readonly section: string;
  readonly offset: number;
  readonly type: number;
  readonly symbol: string;
}

export const SHF = { write: 1, alloc: 2, exec: 4 } as const;
const SHF_INFO_LINK = 0x40;
const SHT = { progbits: 1, symtab: 2, strtab: 3, nobits: 8, rel: 9 } as const;
const STT = { none: 0, object: 1, func: 2 } as const;
const STB_GLOBAL = 1;
const STV_HIDDEN = 2;
const EM_BPF = 247;
const ET_REL = 1;
const HEADER_BYTES = 64;
const SECTION_BYTES = 64;
const SYMBOL_BYTES = 24;
const REL_BYTES = 16;

interface RawSection extends Section {
  readonly type: number;
  readonly link: number;
  readonly info: number;
  readonly entry: number;
}

/** Writes the file; throws BugError where a relocation or symbol names something that is not there. */
export function writeElf(
  sections: readonly Section[],
  symbols: readonly ElfSymbol[],
  relocations: readonly ElfRelocation[],
): Uint8Array {
  const strings = new StringTable();
  const place = new Map(sections.map((section, i) => [section.name, i + 1]));
  const patched = sections.filter((s) => relocations.some((r) => r.section === s.name));
  const symtab = sections.length + patched.length + 1;
  const raw: RawSection[] = sections.map((s) => progbits(s));
  for (const section of patched) {
    const own = relocations.filter((r) => r.section === section.name);
    raw.push({
      name: `.rel${section.name}`,
      bytes: relocationBytes(own, symbols),
      flags: SHF_INFO_LINK,
      align: 8,
      type: SHT.rel,
      link: symtab,
      info: indexOf(place, section.name),
      entry: REL_BYTES,
    });
  }
  raw.push({
    name: '.symtab',
    bytes: symbolBytes(symbols, place, strings),
    flags: 0,
    align: 8,
    type: SHT.symtab,
    link: symtab + 1,
    info: 1, // all but the null symbol are global
    entry: SYMBOL_BYTES,
  });
  const names = [...raw.map((s) => strings.add(s.name)), strings.add('.strtab')];
  raw.push({
    ...progbits({ name: '.strtab', bytes: strings.bytes(), flags: 0, align: 1 }),
    type: SHT.strtab,
  });
  return layOut(raw, names);
}

function progbits(section: Section): RawSection {
  const type = section.zeros === undefined ? SHT.progbits : SHT.nobits;
  return { ...section, type, link: 0, info: 0, entry: 0 };
}

function indexOf(place: ReadonlyMap<string, number>, name: string): number {
  const index = place.get(name);
  if (index === undefined) throw new BugError(`no section ${name}`);
  return index;
}

function relocationBytes(
  relocations: readonly ElfRelocation[],
  symbols: readonly ElfSymbol[],
): Uint8Array {
  const numbers = new Map(symbols.map((symbol, i) => [symbol.name, i + 1]));
  const w = new ByteWriter();
  for (const { offset, type, symbol } of relocations) {
    const number = numbers.get(symbol);
    if (number === undefined) throw new BugError(`relocation to unknown symbol ${symbol}`);
    w.u64(offset).u32(type).u32(number);
  }
  return w.finish();
}

function symbolBytes(
  symbols: readonly ElfSymbol[],
  place: ReadonlyMap<string, number>,
  strings: StringTable,
): Uint8Array {
  const w = new ByteWriter().bytes(new Uint8Array(SYMBOL_BYTES));
  for (const { name, type, section, value, size, isHidden } of symbols) {
    w.u32(strings.add(name))
      .u8((STB_GLOBAL << 4) | STT[type])
      .u8(isHidden === true ? STV_HIDDEN : 0);
    w.u16(section === null ? 0 : indexOf(place, section))
      .u64(value)
      .u64(size);
  }
  return w.finish();
}

function layOut(sections: readonly RawSection[], names: readonly number[]): Uint8Array {
  const body = new ByteWriter();
  const headers = new ByteWriter().bytes(new Uint8Array(SECTION_BYTES));
  for (const [i, section] of sections.entries()) {
    body.align(8);
    headers
      .u32(names[i] ?? 0)
      .u32(section.type)
      .u64(section.flags)
      .u64(0);
    headers.u64(HEADER_BYTES + body.length).u64(section.zeros ?? section.bytes.length);
    headers.u32(section.link).u32(section.info).u64(section.align).u64(section.entry);
    body.bytes(section.bytes);
  }
  body.align(8);
  const header = new ByteWriter().bytes(Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1));
  header.align(16).u16(ET_REL).u16(EM_BPF).u32(1).u64(0).u64(0);
  header
    .u64(HEADER_BYTES + body.length)
    .u32(0)
    .u16(HEADER_BYTES)
    .u16(0)
    .u16(0);
  header
    .u16(SECTION_BYTES)
    .u16(sections.length + 1)
    .u16(sections.length);
  return header.bytes(body.finish()).bytes(headers.finish()).finish();
}
