/**
 * BTF type information (Documentation/bpf/btf.rst). A type is
 *
 *   +-----------+-------------------------------+-------------+----------
 *   | name u32  | kflag:1 | kind:5<<24 | vlen:16 | size / type | kind's own
 *   +-----------+-------------------------------+-------------+----------
 *
 * numbered from 1 in the order of making; 0 is void. Equal types are made once.
 */
import { ByteWriter } from './byte-writer.js';
import { StringTable } from './string-table.js';

declare const brand: unique symbol;
export type TypeId = number & { readonly [brand]: 'TypeId' };

const KIND = {
  int: 1,
  ptr: 2,
  array: 3,
  struct: 4,
  typedef: 8,
  const: 10,
  func: 12,
  funcProto: 13,
  var: 14,
  datasec: 15,
} as const;
const INT_SIGNED = 1;
export const LINKAGE = { global: 1, extern: 2 } as const;
const MAGIC = 0xeb9f;
const HEADER_BYTES = 24;

export interface Member {
  readonly name: string;
  readonly type: TypeId;
  readonly byteOffset: number;
}

export class BtfBuilder {
  readonly strings: StringTable = new StringTable();
  readonly #words: number[] = [];
  readonly #made = new Map<string, TypeId>();
  #count = 0;

  int(name: string, size: number, signed = false): TypeId {
    const encoding = signed ? INT_SIGNED : 0;
    return this.#type(KIND.int, name, 0, size, [(encoding << 24) | (size * 8)]);
  }
  pointer(to: TypeId): TypeId {
    return this.#type(KIND.ptr, '', 0, to, []);
  }
  constant(of: TypeId): TypeId {
    return this.#type(KIND.const, '', 0, of, []);
  }
  typedef(name: string, of: TypeId): TypeId {
    return this.#type(KIND.typedef, name, 0, of, []);
  }
  array(of: TypeId, length: number): TypeId {
    const index = this.int('__ARRAY_SIZE_TYPE__', 4);
    return this.#type(KIND.array, '', 0, 0, [of, index, length]);
  }
  struct(name: string, size: number, members: readonly Member[]): TypeId {
    const words = members.flatMap((m) => [this.strings.add(m.name), m.type, m.byteOffset * 8]);
    return this.#type(KIND.struct, name, members.length, size, words);
  }
  prototype(result: TypeId, params: readonly { name: string; type: TypeId }[]): TypeId {
    const words = params.flatMap((p) => [this.strings.add(p.name), p.type]);
    return this.#type(KIND.funcProto, '', params.length, result, words);
  }
  func(name: string, prototype: TypeId, linkage: keyof typeof LINKAGE): TypeId {
    return this.#type(KIND.func, name, LINKAGE[linkage], prototype, []);
  }
  variable(name: string, type: TypeId): TypeId {
    return this.#type(KIND.var, name, 0, type, [LINKAGE.global]);
  }
  section(
    name: string,
    size: number,
    variables: readonly { type: TypeId; offset: number; size: number }[],
  ): TypeId {
    const words = variables.flatMap((v) => [v.type, v.offset, v.size]);
    return this.#type(KIND.datasec, name, variables.length, size, words);
  }

  /** The contents of the section .BTF. */
  bytes(): Uint8Array {
    const types = this.#words.length * 4;
    const strings = this.strings.bytes();
    const w = new ByteWriter().u16(MAGIC).u8(1).u8(0).u32(HEADER_BYTES);
    w.u32(0).u32(types).u32(types).u32(strings.length);
    for (const word of this.#words) w.u32(word);
    return w.bytes(strings).finish();
  }

  #type(kind: number, name: string, vlen: number, size: number, rest: number[]): TypeId {
    const words = [this.strings.add(name), (kind << 24) | vlen, size, ...rest];
    const key = words.join();
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    for (const word of words) this.#words.push(word);
    const id = ++this.#count as TypeId;
    this.#made.set(key, id);
    return id;
  }
}
