/**
 * The BPF object of a bundle: all functions in .text (global, so that the verifier checks each once
 * and libbpf can join them with a hook), images in .rodata, and BTF for all of it, in clang's forms.
 * The same input gives the same bytes.
 */
import { FRAME_SLOTS, FRAMES } from '../abi/index.js';
import { BugError } from '../diagnostic/index.js';
import type { Image, IntType, Module, Type } from '../ir/types.js';
import type { LoweredFunction } from '../lower/index.js';
import { type AbiTypes, abiTypes } from './abi-types.js';
import { BtfBuilder, type TypeId } from './btf-builder.js';
import { btfExt, type PlacedFunction } from './btf-ext.js';
import { ByteWriter } from './byte-writer.js';
import { type ElfRelocation, type ElfSymbol, type Section, SHF, writeElf } from './elf-file.js';

export interface ObjectInput {
  readonly functions: readonly LoweredFunction[];
  readonly images: readonly Image[];
  /** Functions that are called; those not among `functions` stay undefined symbols. */
  readonly externs: Module['externs'];
}

/** R_BPF_64_64: lddw; the addend is in its first immediate. */
const RELOCATE_ADDRESS = 1;
/** R_BPF_64_32: call. */
const RELOCATE_CALL = 10;
/** That of the hooks: libbpf's linker refuses to join objects whose licenses differ. */
const LICENSE = 'Dual BSD/GPL\0';

const FRAMES_BYTES = FRAME_SLOTS * FRAMES.slot;
const FRAMES_SECTION: Section = {
  name: '.bss',
  bytes: new Uint8Array(),
  flags: SHF.write | SHF.alloc,
  align: 8,
  zeros: FRAMES_BYTES,
};
const FRAMES_SYMBOL: ElfSymbol = {
  name: FRAMES.symbol,
  type: 'object',
  section: FRAMES_SECTION.name,
  value: 0,
  size: FRAMES_BYTES,
};

function isFrames({ symbol }: LoweredFunction['relocations'][number]): boolean {
  return symbol === FRAMES.symbol;
}

function describeFrames(btf: BtfBuilder, types: AbiTypes): void {
  const type = btf.variable(FRAMES.symbol, btf.array(types.u8, FRAMES_BYTES));
  btf.section(FRAMES_SECTION.name, FRAMES_BYTES, [{ type, offset: 0, size: FRAMES_BYTES }]);
}

interface Prototype {
  readonly params: readonly Type[];
  readonly result: IntType | null;
  readonly input?: LoweredFunction['input'];
}
interface PlacedImage {
  readonly image: Image;
  readonly offset: number;
}

/** Writes the object; throws BugError on names that clash or are missing, and on empty images. */
export function writeObject(input: ObjectInput): Uint8Array {
  refuseClashes(input);
  const defined = new Set(input.functions.map((func) => func.name));
  const externs = input.externs.filter(({ name }) => !defined.has(name));
  const btf = new BtfBuilder();
  const types = abiTypes(btf);
  const functions = placeFunctions(input.functions, btf, types);
  for (const extern of uniqueByName(externs)) {
    btf.func(extern.name, prototypeOf(btf, types, extern), 'extern');
  }
  const images = placeImages(input.images);
  const rodata = imageBytes(images);
  describeData(btf, types, images, rodata.length);
  const frames = functions.some(({ func }) => func.relocations.some(isFrames));
  if (frames) describeFrames(btf, types);

  const ext = btfExt(functions, '.text', btf.strings);
  const text = new ByteWriter();
  for (const { func } of functions) text.bytes(func.bytes);
  const sections: Section[] = [
    { name: '.text', bytes: text.finish(), flags: SHF.alloc | SHF.exec, align: 8 },
    ...(images.length === 0 ? [] : [rodataSection(images, rodata)]),
    ...(frames ? [FRAMES_SECTION] : []),
    {
      name: 'license',
      bytes: new TextEncoder().encode(LICENSE),
      flags: SHF.write | SHF.alloc,
      align: 1,
    },
    { name: '.BTF', bytes: btf.bytes(), flags: 0, align: 4 },
    { name: '.BTF.ext', bytes: ext, flags: 0, align: 4 },
  ];
  return writeElf(
    sections,
    [...symbolsOf(functions, images, externs), ...(frames ? [FRAMES_SYMBOL] : [])],
    relocationsOf(functions),
  );
}

function refuseClashes(input: ObjectInput): void {
  const names = [...input.functions, ...input.images].map(({ name }) => name);
  const seen = new Set<string>(['LICENSE']);
  for (const name of names) {
    if (seen.has(name)) throw new BugError(`two things are called ${name}`);
    seen.add(name);
  }
  for (const image of input.images) {
    if (image.bytes.length === 0) throw new BugError(`image ${image.name} is empty`);
  }
}

function uniqueByName<T extends { readonly name: string }>(items: readonly T[]): readonly T[] {
  return [...new Map(items.map((item) => [item.name, item])).values()];
}

function placeFunctions(
  functions: readonly LoweredFunction[],
  btf: BtfBuilder,
  types: AbiTypes,
): PlacedFunction[] {
  let offset = 0;
  return functions.map((func) => {
    const type: TypeId = btf.func(func.name, prototypeOf(btf, types, func), 'global');
    const placed = { func, type, offset };
    offset += func.bytes.length;
    return placed;
  });
}

function prototypeOf(
  btf: BtfBuilder,
  types: AbiTypes,
  { params, result, input }: Prototype,
): TypeId {
  let pointers = 0;
  const named = params.map((type, i) => {
    if (type !== 'ptr') return { name: `a${i}`, type: types.param(type) };
    pointers++;
    if (pointers === 1 && input === 'request') return { name: 'request', type: types.request() };
    return pointers === 1
      ? { name: 'connection', type: types.connection }
      : { name: 'decision', type: types.decision };
  });
  return btf.prototype(types.result(result), named);
}

function placeImages(images: readonly Image[]): PlacedImage[] {
  let offset = 0;
  return images.map((image) => {
    offset = Math.ceil(offset / image.align) * image.align;
    const placed = { image, offset };
    offset += image.bytes.length;
    return placed;
  });
}

function imageBytes(images: readonly PlacedImage[]): Uint8Array {
  const w = new ByteWriter();
  for (const { image } of images) w.align(image.align).bytes(image.bytes);
  return w.finish();
}

function rodataSection(images: readonly PlacedImage[], bytes: Uint8Array): Section {
  const align = Math.max(...images.map(({ image }) => image.align));
  return { name: '.rodata', bytes, flags: SHF.alloc, align };
}

function describeData(
  btf: BtfBuilder,
  types: AbiTypes,
  images: readonly PlacedImage[],
  size: number,
): void {
  const byte = btf.constant(types.u8);
  const variables = images.map(({ image, offset }) => ({
    type: btf.variable(image.name, btf.array(byte, image.bytes.length)),
    offset,
    size: image.bytes.length,
  }));
  const license = btf.variable('LICENSE', btf.array(btf.int('char', 1, true), LICENSE.length));
  if (variables.length > 0) btf.section('.rodata', size, variables);
  // libbpf looks the variable up as an ELF symbol too: see symbolsOf.
  btf.section('license', LICENSE.length, [{ type: license, offset: 0, size: LICENSE.length }]);
}

function symbolsOf(
  functions: readonly PlacedFunction[],
  images: readonly PlacedImage[],
  externs: Module['externs'],
): ElfSymbol[] {
  const undefinedOnes = uniqueByName(externs).map(({ name }): ElfSymbol => {
    return { name, type: 'none', section: null, value: 0, size: 0 };
  });
  return [
    ...functions.map(({ func, offset }): ElfSymbol => {
      const size = func.bytes.length;
      const isHidden = func.kind === 'turn';
      return { name: func.name, type: 'func', section: '.text', value: offset, size, isHidden };
    }),
    ...images.map(({ image, offset }): ElfSymbol => {
      const size = image.bytes.length;
      return { name: image.name, type: 'object', section: '.rodata', value: offset, size };
    }),
    { name: 'LICENSE', type: 'object', section: 'license', value: 0, size: LICENSE.length },
    ...undefinedOnes,
  ];
}

function relocationsOf(functions: readonly PlacedFunction[]): ElfRelocation[] {
  return functions.flatMap(({ func, offset }) =>
    func.relocations.map((r) => ({
      section: '.text',
      offset: offset + r.slot * 8,
      type: r.kind === 'call' ? RELOCATE_CALL : RELOCATE_ADDRESS,
      symbol: r.symbol,
    })),
  );
}
