/**
 * A tiny BTF image for probes: `int`, and two functions `int main(int)` and `int callee(int)`, the
 * second global. Layout: Documentation/bpf/btf.rst of the kernel, "BTF Type and String Encoding".
 */
const MAGIC = 0xeb9f;
const HEADER_BYTES = 24;
const KIND = { int: 1, func: 12, funcProto: 13 } as const;
const INT_SIGNED_32 = (1 << 24) | 32;
const LINKAGE_GLOBAL = 1;

export const BTF_INT_TYPE = 1;

/** The image and the func_info records (instruction, type id) for `globalCall`. */
export function functionBtf(calleeAt: number): {
  readonly image: Uint8Array;
  readonly funcInfo: Uint8Array;
} {
  const strings = new TextEncoder().encode('\0int\0main\0callee\0arg\0');
  const words = [
    ...[1, KIND.int << 24, 4, INT_SIGNED_32],
    ...[0, (KIND.funcProto << 24) | 1, BTF_INT_TYPE, 17, BTF_INT_TYPE],
    ...[5, (KIND.func << 24) | LINKAGE_GLOBAL, 2],
    ...[10, (KIND.func << 24) | LINKAGE_GLOBAL, 2],
  ];
  const image = new Uint8Array(HEADER_BYTES + words.length * 4 + strings.length);
  const view = new DataView(image.buffer);
  view.setUint16(0, MAGIC, true);
  view.setUint8(2, 1);
  view.setUint32(4, HEADER_BYTES, true);
  view.setUint32(12, words.length * 4, true);
  view.setUint32(16, words.length * 4, true);
  view.setUint32(20, strings.length, true);
  words.forEach((word, index) => {
    view.setUint32(HEADER_BYTES + index * 4, word, true);
  });
  image.set(strings, HEADER_BYTES + words.length * 4);
  const funcInfo = new Uint8Array(new Uint32Array([0, 3, calleeAt, 4]).buffer);
  return { image, funcInfo };
}
