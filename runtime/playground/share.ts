/**
 * A project as the fragment of an address, so that it can be sent to others without a server seeing it: JSON, deflated,
 * in the letters of base 64 for addresses. What comes back is checked, since anybody can write an address.
 */
import type { Files } from './types.js';

/** What is shared: the files, and the case that is looked at. */
export interface Shared {
  readonly files: Files;
  readonly case: string | null;
}

const MARK = 'p1=';
/** Longest text that is unpacked: a fragment may claim any length. */
const MAX_CHARACTERS = 2 * 1024 * 1024;

async function through(
  bytes: Uint8Array<ArrayBuffer>,
  stream: CompressionStream | DecompressionStream,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    parts.push(read.value);
    size += read.value.length;
    if (size > MAX_CHARACTERS) throw new RangeError('too long');
  }
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The fragment, without `#`. */
export async function shareText(shared: Shared): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(shared));
  const packed = await through(bytes, new CompressionStream('deflate-raw'));
  const letters = btoa(Array.from(packed, (byte) => String.fromCharCode(byte)).join(''));
  return MARK + letters.replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

function isFiles(value: unknown): value is Files {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.entries(value).every(([path, text]) => path !== '' && typeof text === 'string')
  );
}

/** What a fragment shares; null where it is none of ours, or is damaged. */
export async function readShared(fragment: string): Promise<Shared | null> {
  if (!fragment.startsWith(MARK)) return null;
  try {
    const letters = fragment.slice(MARK.length).replace(/-/g, '+').replace(/_/g, '/');
    const packed = Uint8Array.from(atob(letters), (letter) => letter.charCodeAt(0));
    const bytes = await through(packed, new DecompressionStream('deflate-raw'));
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof value !== 'object' || value === null) return null;
    const files: unknown = Reflect.get(value, 'files');
    const id: unknown = Reflect.get(value, 'case');
    return isFiles(files) ? { files, case: typeof id === 'string' ? id : null } : null;
  } catch {
    return null;
  }
}
