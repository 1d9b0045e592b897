/**
 * Runs an iterator program over the elements of a map: a link that is made for the purpose, and one
 * descriptor whose reading is the walk. What the program says goes to maps.
 */
import { closeSync, readSync } from 'node:fs';
import { ATTACH_TYPE } from './constants.js';
import { callError } from './kernel-error.js';
import { type Native, stable } from './native.js';
import type { KernelMap, KernelProgram } from './types.js';

// struct bpf_link_create_opts of libbpf 1.1, and union bpf_iter_link_info.
const OPTS_BYTES = 32;
const INFO_AT = 16;
const INFO_LENGTH_AT = 24;
const INFO_BYTES = 16;

/** Walks a map once; throws KernelError. */
export function iterateMap(native: Native, program: KernelProgram, map: KernelMap): void {
  const what = `cannot walk map \`${map.name}\` by \`${program.name}\``;
  const info = stable(INFO_BYTES);
  new DataView(info.buffer).setUint32(0, map.fd, true);
  const opts = stable(OPTS_BYTES);
  const view = new DataView(opts.buffer);
  view.setBigUint64(0, BigInt(OPTS_BYTES), true);
  native.point(opts, INFO_AT, info);
  view.setUint32(INFO_LENGTH_AT, INFO_BYTES, true);
  const link = native.link_create(program.fd, 0, ATTACH_TYPE.traceIter, opts);
  if (link < 0) throw callError('bpf_link_create', -link, what);
  try {
    const walk = native.iter_create(link);
    if (walk < 0) throw callError('bpf_iter_create', -walk, what);
    try {
      const nothing = new Uint8Array(64);
      while (readSync(walk, nothing) > 0);
    } finally {
      closeSync(walk);
    }
  } finally {
    closeSync(link);
  }
}
