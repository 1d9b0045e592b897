/** The reply framer and the chunk walker in the kernel, behind what the WASM build has. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  ASKED,
  ASKED_KIND,
  CHUNK,
  FRAME_EVENT,
  FRAME_REASON,
  type FrameEvent,
  type FrameReason,
  LINES,
  REPLY,
  WINDOW_MAX,
} from '../../compiler/abi/index.js';
import {
  type ChunkReader,
  type ChunkStep,
  decodeReply,
  type ReplyFramer,
  type ReplyStep,
} from '../../runtime/http/index.js';
import { openKernel } from '../../runtime/kernel/index.js';

/** struct weft_frame_work of bpf/http/frame-harness.bpf.c. */
const WORK = {
  have: 0,
  stream: 4,
  asked: 8,
  reply: 8 + ASKED.size,
  chunk: 8 + ASKED.size + REPLY.size,
  bytes: 8 + ASKED.size + REPLY.size + CHUNK.size,
} as const;
/** WEFT_FRAME_DATA_CR. */
const AFTER_DATA = 4;
const PACKET = new Uint8Array(64);
const EVENTS = Object.keys(FRAME_EVENT) as FrameEvent[];
const REASONS = Object.keys(FRAME_REASON) as FrameReason[];

export interface KernelFraming {
  openReplyFramer(): ReplyFramer;
  openChunkReader(): ChunkReader;
  /** Least and median nanoseconds of a program with this work, less those of none. */
  time(program: 'reply' | 'chunk', bytes: Uint8Array): { least: number; median: number };
  verified(program: 'reply' | 'chunk'): number;
  [Symbol.dispose](): void;
}

/** Loads dist/http/frame-harness.o. */
export function openKernelFraming(): KernelFraming {
  const object = openKernel().load({
    name: 'frame',
    bytes: readFileSync(fileURLToPath(new URL('../../http/frame-harness.o', import.meta.url))),
  });
  const works = object.map('weft_frame_works');
  const key = new Uint8Array(4);
  const work = new Uint8Array(works.info().valueSize);
  const view = new DataView(work.buffer);
  const run = (name: string): FrameEvent => {
    works.update(key, work);
    const { retval } = object.program(name).testRun(PACKET);
    const after = works.lookup(key);
    if (after === null) throw new Error('the map has no work');
    work.set(after);
    return EVENTS[retval] as FrameEvent;
  };
  const look = (bytes: Uint8Array): void => {
    const window = bytes.subarray(0, WINDOW_MAX);
    view.setUint32(WORK.have, window.length, true);
    view.setUint32(WORK.stream, bytes.length, true);
    work.set(window, WORK.bytes);
  };

  const openReplyFramer = (): ReplyFramer => {
    const own = new Uint8Array(ASKED.size + REPLY.size);
    const reply = own.subarray(ASKED.size);
    const asked = new DataView(own.buffer);
    const frame = (bytes: Uint8Array): ReplyStep => {
      let taken = 0;
      let event: FrameEvent = 'more';
      while (taken < bytes.length && event === 'more') {
        work.set(own, WORK.asked);
        look(bytes.subarray(taken));
        event = run('weft_test_reply');
        own.set(work.subarray(WORK.asked, WORK.chunk));
        taken += view.getUint32(WORK.reply + LINES.at, true);
      }
      return { event: event as ReplyStep['event'], taken };
    };
    return {
      // What sk_msg does with weft_ask, here in TypeScript: requests are never taken back.
      ask: (...kinds) => {
        const count = asked.getUint32(ASKED.count, true);
        const bits = kinds.reduce((all, kind) => all | ASKED_KIND[kind], 0);
        const word = asked.getBigUint64(ASKED.kinds, true) | (BigInt(bits) << BigInt(4 * count));
        asked.setBigUint64(ASKED.kinds, word, true);
        asked.setUint32(ASKED.count, count + 1, true);
        return true;
      },
      frame,
      end: () => 'more',
      state: () => decodeReply(reply),
    };
  };

  const openChunkReader = (): ChunkReader => {
    const chunk = new Uint8Array(CHUNK.size);
    const read = (bytes: Uint8Array): ChunkStep => {
      let taken = 0;
      let event: FrameEvent = 'more';
      work.set(chunk, WORK.chunk);
      while (taken < bytes.length && event === 'more') {
        look(bytes.subarray(taken));
        event = run('weft_test_chunk');
        taken += view.getUint32(WORK.chunk + LINES.at, true);
      }
      chunk.set(work.subarray(WORK.chunk, WORK.bytes));
      const length = view.getUint32(WORK.chunk + CHUNK.length, true);
      const data = Number(view.getBigUint64(WORK.chunk + CHUNK.data, true));
      if (event === 'chunk') return { status: 'chunk', taken, length, data };
      if (event === 'last') return { status: 'last', taken, length };
      if (event === 'more') return { status: 'incomplete', taken };
      const reason = REASONS[view.getUint8(WORK.chunk + LINES.reason)] ?? 'accepted';
      return { status: 'refused', taken, reason };
    };
    return { read };
  };

  const REPEAT = 20_000;
  const ROUNDS = 15;
  const runs = (name: string): { least: number; median: number } => {
    const each = Array.from(
      { length: ROUNDS },
      () => object.program(name).testRun(PACKET, { repeat: REPEAT }).durationNs,
    ).sort((a, b) => a - b);
    return { least: each[0] ?? 0, median: each[ROUNDS >> 1] ?? 0 };
  };
  return {
    openReplyFramer,
    openChunkReader,
    verified: (program) => object.program(`weft_test_${program}`).info().verifiedInstructions,
    time: (program, bytes) => {
      work.fill(0);
      view.setUint32(WORK.asked + ASKED.count, 0xffffffff, true); // there is always one more
      // Of a chunk that is not the first: its unit starts with the CR LF of the one before.
      if (bytes[0] === 13) work[WORK.chunk + LINES.phase] = AFTER_DATA;
      look(bytes);
      works.update(key, work);
      const empty = runs('weft_test_frame_empty');
      const full = runs(`weft_test_${program}`);
      return { least: full.least - empty.least, median: full.median - empty.median };
    },
    [Symbol.dispose]: () => object[Symbol.dispose](),
  };
}
