/** A view of a record, as maps and files give them; throws RangeError where it is shorter than `size`. */
export function viewOf(record: Uint8Array, size = 0): DataView {
  if (record.length < size) throw new RangeError(`record of ${record.length} bytes, want ${size}`);
  return new DataView(record.buffer, record.byteOffset, record.byteLength);
}
