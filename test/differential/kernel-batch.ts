/**
 * Runs many lowered entry functions in the kernel with one load: a selector, itself IR, calls the
 * function whose number stands in `zero`'s neighbour `random` of the connection.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CONNECTION } from '../../compiler/abi/index.js';
import { writeObject } from '../../compiler/elf/index.js';
import type { Block, BlockId, Func, Instr, Module, ValueId } from '../../compiler/ir/types.js';
import type { LoweredFunction } from '../../compiler/lower/index.js';
import { type LowerOptions, lowerFunction } from '../../compiler/lower/lower-function.js';
import type { Kernel, KernelObject } from '../../runtime/kernel/index.js';

export const SELECTOR = 'weft_route_connection';
/** What precedes the connection in a test packet. */
const HEADER_BYTES = 14;

/** C of a hook that hands the packet's bytes to the selector. */
export const HOOK: string = `
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "${process.cwd()}/bpf/abi.h"
char LICENSE[] SEC("license") = "Dual BSD/GPL";
SEC("tc") int hook(struct __sk_buff *skb)
{
	struct weft_connection connection;

	if (bpf_skb_load_bytes(skb, ${HEADER_BYTES}, &connection, sizeof(connection)))
		return -1;
	return weft_route_connection(&connection);
}
`;

/** The object of a hook's C. */
export function compileHook(source: string = HOOK): Uint8Array {
  const directory = mkdtempSync(join(tmpdir(), 'weft-hook-'));
  try {
    const [from, to] = [join(directory, 'hook.c'), join(directory, 'hook.o')];
    writeFileSync(from, source);
    const flags = ['-O2', '-g', '-target', 'bpf', '-mcpu=v3', '-I/usr/include/x86_64-linux-gnu'];
    execFileSync('clang', [...flags, '-c', from, '-o', to], { stdio: 'inherit' });
    return new Uint8Array(readFileSync(to));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A function that calls entry `names[random]`, found by halving. */
export function selector(names: readonly string[]): Func {
  const blocks: Block[] = [];
  let next = 1;
  const pointer = 0 as ValueId;
  const which = next++ as ValueId;
  const add = (block: Block, body: Partial<Instr> & { op: Instr['op'] }): ValueId => {
    const id = next++ as ValueId;
    block.instrs.push({ type: 'i32', loc: null, ...body, id } as Instr);
    return id;
  };
  const make = (from: number, to: number): Block => {
    const term = { op: 'trap', loc: null, kind: 'trap' } as const;
    const block: Block = { id: blocks.length as BlockId, params: [], instrs: [], term };
    blocks.push(block);
    if (blocks.length === 1) {
      const load = { op: 'load.pointer', size: 4, offset: CONNECTION.random } as const;
      block.instrs.push({ ...load, type: 'i32', loc: null, id: which, args: [pointer] });
    }
    if (to - from === 1) {
      const value = add(block, { op: 'call', callee: names[from] ?? '', args: [pointer] });
      block.term = { op: 'return', loc: null, value };
      return block;
    }
    const middle = (from + to) >> 1;
    const bound = add(block, { op: 'const', value: BigInt(middle) });
    const below = add(block, { op: 'compare', kind: 'lt_u', args: [which, bound] });
    const yes = { block: make(from, middle).id, args: [] };
    const no = { block: make(middle, to).id, args: [] };
    block.term = { op: 'br_if', loc: null, condition: below, then: yes, else: no };
    return block;
  };
  make(0, names.length);
  return {
    name: SELECTOR,
    kind: 'entry',
    params: [{ id: pointer, type: 'ptr' }],
    result: 'i32',
    stopped: { trap: 0n, fuel: 0n },
    blocks,
    nextValue: next,
    nextBlock: blocks.length,
  };
}

/** Random code may need more stack than the hook leaves: such entries are left out. */
const STACK_LEFT = 192;

export interface Batch {
  readonly object: Uint8Array;
  /** Entries that can be run, by number. */
  readonly entries: readonly Func[];
}

/** The object of a module with a selector over its entry functions. */
export function makeBatch(module: Module, options: LowerOptions): Batch {
  const lowered = (func: Func): LoweredFunction => {
    const made = lowerFunction(func, module.positions, options);
    if (!made.ok) throw new Error(made.diagnostic.message);
    return made.func;
  };
  const [inner, outer] = [false, true].map((entry) =>
    module.functions
      .filter((func) => (func.kind === 'entry') === entry)
      .map((func) => ({ func, made: lowered(func) })),
  );
  const called = Math.max(0, ...(inner ?? []).map(({ made }) => made.stack));
  const fitting = (outer ?? []).filter(({ made }) => made.stack + called <= STACK_LEFT);
  const entries = fitting.map(({ func }) => func);
  const functions = [...(inner ?? []), ...fitting].map(({ made }) => made);
  functions.push(lowered(selector(entries.map((func) => func.name))));
  const { images, externs } = module;
  return { object: writeObject({ functions, images, externs }), entries };
}

/** Joins an object with the hook and loads it. */
export function loadBatch(kernel: Kernel, hook: Uint8Array, object: Uint8Array): KernelObject {
  const bytes = kernel.link([
    { name: 'hook', bytes: hook },
    { name: 'policy', bytes: object },
  ]);
  return kernel.load({ name: 'batch', bytes });
}

/** Runs entry number `which` of a loaded batch. */
export function runEntry(loaded: KernelObject, which: number, connection: Uint8Array): number {
  const packet = new Uint8Array(HEADER_BYTES + CONNECTION.size);
  packet.set(connection, HEADER_BYTES);
  const view = new DataView(packet.buffer);
  view.setUint32(HEADER_BYTES + CONNECTION.random, which, true);
  return loaded.program('hook').testRun(packet).retval >>> 0;
}
