/**
 * Initial contents of global variables, written into libbpf's image of `.rodata`, `.data` or `.bss`
 * before the load. The object's BTF says where in its section a variable lies (a DATASEC lists
 * variable, offset, size).
 */
import { BugError } from '../../compiler/diagnostic/index.js';
import { KernelError } from './kernel-error.js';
import { type Native, stable } from './native.js';
import { viewOf } from './view-of.js';

const BTF_KIND_DATASEC = 15;
const TYPE_BYTES = 12; // struct btf_type
const SECTION_ENTRY_BYTES = 12; // struct btf_var_secinfo

interface Variable {
  readonly section: string;
  readonly offset: number;
  readonly size: number;
}

/** Writes `globals` into the data maps (by section name) of an opened object; throws KernelError. */
export function setGlobals(
  native: Native,
  object: bigint,
  dataMaps: ReadonlyMap<string, bigint>,
  globals: Readonly<Record<string, Uint8Array>>,
): void {
  const wanted = Object.entries(globals);
  if (wanted.length === 0) return;
  const variables = readVariables(native, object, dataMaps.keys());
  for (const [name, bytes] of wanted) {
    const variable = variables.get(name);
    const map = variable && dataMaps.get(variable.section);
    if (!variable || map === undefined) throw noSuchVariable(name, [...variables.keys()]);
    if (variable.size !== bytes.length)
      throw new BugError(`global \`${name}\` has ${variable.size} bytes, not ${bytes.length}`);
    const size = stable(8);
    const image = native.map_initial_value(map, size);
    const length = Number(new DataView(size.buffer).getBigUint64(0, true));
    if (image === null || variable.offset + variable.size > length)
      throw noSuchVariable(name, [...variables.keys()]);
    native.view(image, length).set(bytes, variable.offset);
  }
}

function readVariables(
  native: Native,
  object: bigint,
  sections: Iterable<string>,
): ReadonlyMap<string, Variable> {
  const found = new Map<string, Variable>();
  const btf = native.object_btf(object);
  if (btf === null) return found;
  for (const section of sections) {
    const id = native.btf_find(btf, section, BTF_KIND_DATASEC);
    const type = id > 0 ? native.btf_type(btf, id) : null;
    if (type === null) continue;
    const head = viewOf(native.copy(type, TYPE_BYTES));
    const count = head.getUint32(4, true) & 0xffff;
    const list = viewOf(native.copy(type + BigInt(TYPE_BYTES), count * SECTION_ENTRY_BYTES));
    for (let at = 0; at < count * SECTION_ENTRY_BYTES; at += SECTION_ENTRY_BYTES) {
      const variable = native.btf_type(btf, list.getUint32(at, true));
      if (variable === null) continue;
      const nameOffset = viewOf(native.copy(variable, TYPE_BYTES)).getUint32(0, true);
      const name = native.btf_name(btf, nameOffset);
      if (name)
        found.set(name, {
          section,
          offset: list.getUint32(at + 4, true),
          size: list.getUint32(at + 8, true),
        });
    }
  }
  return found;
}

function noSuchVariable(name: string, known: readonly string[]): KernelError {
  return new KernelError({
    code: 'KERNEL_NO_GLOBAL',
    call: 'bpf_map__initial_value',
    errno: 0,
    message: `the object has no global variable \`${name}\``,
    remedy: `known variables: ${known.join(', ') || 'none'}`,
  });
}
