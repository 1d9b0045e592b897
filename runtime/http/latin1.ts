/** Bytes as characters and back, one each: Node's own way where it is there, since streams of millions ask, else plainly. */

/** The bytes of a text whose characters stand for bytes. */
export function encodeLatin1(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  latin1Writer(bytes.buffer)(text, 0, text.length);
  return bytes;
}

/** The text whose characters stand for these bytes. */
export function decodeLatin1(bytes: Uint8Array): string {
  if (typeof Buffer !== 'undefined') {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  }
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** Writes into a memory: at most so many bytes at an offset; how many were written. */
export type Latin1Writer = (text: string, at: number, most: number) => number;

/** A writer into a memory that never grows. */
export function latin1Writer(memory: ArrayBuffer): Latin1Writer {
  if (typeof Buffer !== 'undefined') {
    const buffer = Buffer.from(memory);
    return (text, at, most) => buffer.write(text, at, most, 'latin1');
  }
  const bytes = new Uint8Array(memory);
  return (text, at, most) => {
    const count = Math.min(text.length, most);
    for (let i = 0; i < count; i++) bytes[at + i] = text.charCodeAt(i);
    return count;
  };
}
