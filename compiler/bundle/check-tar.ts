/**
 * Whether a tar archive is whole, byte by byte. Digests cover what files hold; this covers the frame
 * around them, which readers of tar skip over: header checksums, padding, and the two zero blocks
 * at the end, without which nobody can tell a cut from an end.
 */

const BLOCK = 512;
/** POSIX.1-1988 ustar: size in octal at 124, checksum in octal at 148, ended by NULs and blanks. */
const SIZE = { start: 124, end: 136 } as const;
const CHECKSUM = { start: 148, end: 156 } as const;
const END_BLOCKS = 2;

export type TarFault = 'cut' | 'altered';

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

function text(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

/** Whether the checksum is the sum of all bytes of the header, its own field taken as blanks. */
function isSummed(header: Uint8Array): boolean {
  let sum = 0;
  header.forEach((byte, i) => {
    sum += i >= CHECKSUM.start && i < CHECKSUM.end ? 0x20 : byte;
  });
  const digits = /^([0-7]+)\0* *$/.exec(text(header.subarray(CHECKSUM.start, CHECKSUM.end)))?.[1];
  return digits !== undefined && Number.parseInt(digits, 8) === sum;
}

/** The first fault of the frame; null where it is whole. */
export function checkTar(archive: Uint8Array): TarFault | null {
  let at = 0;
  for (;;) {
    const header = archive.subarray(at, at + BLOCK);
    if (header.length < BLOCK) return 'cut';
    if (isZero(header)) break;
    if (!isSummed(header)) return 'altered';
    const size = Number.parseInt(text(header.subarray(SIZE.start, SIZE.end)), 8);
    if (Number.isNaN(size)) return 'altered';
    const end = at + BLOCK + size;
    at = Math.ceil(end / BLOCK) * BLOCK;
    if (at > archive.length) return 'cut';
    if (!isZero(archive.subarray(end, at))) return 'altered';
  }
  const rest = archive.subarray(at);
  if (!isZero(rest)) return 'altered';
  return rest.length < END_BLOCKS * BLOCK || rest.length % BLOCK !== 0 ? 'cut' : null;
}
