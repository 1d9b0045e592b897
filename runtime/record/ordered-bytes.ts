/**
 * The bytes of one direction of a captured connection, in order: segments that overtook others wait,
 * repeated ones are cut off. What a gap hides is not guessed.
 */

/** Bytes that may wait for a gap to be filled; a sender's window is seldom more. */
const MAX_WAITING = 1024 * 1024;
const MAX_SEGMENTS = 1024;

/** Signed distance of two sequence numbers (RFC 9293 3.4). */
function distance(a: number, b: number): number {
  return (a - b) | 0;
}

export class OrderedBytes {
  private next: number;
  private waiting: { readonly sequence: number; readonly bytes: Uint8Array }[] = [];
  private size = 0;

  /** `next` is the sequence number of the first byte. */
  constructor(next: number) {
    this.next = next;
  }

  /** The bytes that can be read now, in order; null where too much waits for what is missing. */
  take(sequence: number, payload: Uint8Array): readonly Uint8Array[] | null {
    const ready: Uint8Array[] = [];
    const add = (at: number, bytes: Uint8Array): void => {
      const known = distance(this.next, at);
      if (known >= bytes.length) return;
      ready.push(bytes.subarray(known));
      this.next = (at + bytes.length) >>> 0;
    };
    if (distance(sequence, this.next) > 0) {
      this.waiting.push({ sequence, bytes: payload.slice() });
      this.size += payload.length;
      return this.size > MAX_WAITING || this.waiting.length > MAX_SEGMENTS ? null : ready;
    }
    add(sequence, payload);
    for (let moved = this.waiting.length > 0; moved; ) {
      moved = false;
      for (const [i, { sequence: at, bytes }] of this.waiting.entries()) {
        if (distance(at, this.next) > 0) continue;
        add(at, bytes);
        this.waiting.splice(i, 1);
        this.size -= bytes.length;
        moved = true;
        break;
      }
    }
    return ready;
  }
}
