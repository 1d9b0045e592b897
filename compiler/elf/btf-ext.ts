/**
 * .BTF.ext: which BTF FUNC each function of .text is (func_info), and the policy line of each
 * instruction (line_info), which the verifier's log and bpftool print.
 */
import type { Line, LoweredFunction } from '../lower/index.js';
import type { TypeId } from './btf-builder.js';
import { ByteWriter } from './byte-writer.js';
import type { StringTable } from './string-table.js';

const MAGIC = 0xeb9f;
const HEADER_BYTES = 32;
const FUNC_RECORD = 8;
const LINE_RECORD = 16;
/** line_col holds the column in 10 bits (BPF_LINE_INFO_LINE_COL). */
const MAX_COLUMN = 1023;

export interface PlacedFunction {
  readonly func: LoweredFunction;
  readonly type: TypeId;
  /** Byte offset in .text. */
  readonly offset: number;
}

/** libbpf joins only functions that all have lines, so code without a policy line gets one that says so. */
function madeLine(func: LoweredFunction): Line {
  const text = `${func.name}, made by the compiler`;
  return { slot: 0 as Line['slot'], position: { file: '<weft>', line: 0, column: 0, text } };
}

/** The contents of the section .BTF.ext for functions in `section`. */
export function btfExt(
  functions: readonly PlacedFunction[],
  section: string,
  strings: StringTable,
): Uint8Array {
  const name = strings.add(section);
  const infos = new ByteWriter().u32(FUNC_RECORD);
  infos.u32(name).u32(functions.length);
  for (const { offset, type } of functions) infos.u32(offset).u32(type);

  const records = new ByteWriter();
  let count = 0;
  for (const { func, offset } of functions) {
    const lines = func.lines.length > 0 ? func.lines : [madeLine(func)];
    for (const { slot, position } of lines) {
      const { file, line, column, text } = position;
      records
        .u32(offset + slot * 8)
        .u32(strings.add(file))
        .u32(strings.add(text));
      records.u32(line * 1024 + Math.min(column, MAX_COLUMN));
      count++;
    }
  }
  // libbpf refuses a part that has a record size and no records.
  const lines = new ByteWriter();
  if (count > 0) lines.u32(LINE_RECORD).u32(name).u32(count).bytes(records.finish());

  const w = new ByteWriter().u16(MAGIC).u8(1).u8(0).u32(HEADER_BYTES);
  w.u32(0).u32(infos.length).u32(infos.length).u32(lines.length);
  w.u32(infos.length + lines.length).u32(0);
  return w.bytes(infos.finish()).bytes(lines.finish()).finish();
}
