/**
 * From a bundle's digest down to what the kernel runs: the state document says which programs a load
 * had made of the bundle, by id and tag (the kernel's own digest of their instructions); here the
 * kernel is asked what it holds, in the pins and in the slots that the hooks jump through.
 */
import { join } from 'node:path';
import { isKernelError, type Kernel } from '../kernel/index.js';
import { slotOf } from './hooks.js';
import { encodeU32, HOOKS } from './layout.js';
import type { NodeMaps } from './node.js';
import { type Paths, pinsOf } from './paths.js';
import type { GenerationRecord } from './state.js';

export interface ProgramLink {
  readonly name: string;
  /** As it was loaded. */
  readonly id: number;
  readonly tag: string;
  /** As the kernel has it under the pin; null where there is no such program. */
  readonly kernelId: number | null;
  readonly kernelTag: string | null;
}

export interface Chain {
  readonly programs: readonly ProgramLink[];
  /** Where the kernel does not hold what was loaded, in words. */
  readonly breaks: readonly string[];
}

function decodeId(value: Uint8Array): number {
  return new DataView(value.buffer, value.byteOffset, value.byteLength).getUint32(0, true);
}

function held(kernel: Kernel, pin: string): { readonly id: number; readonly tag: string } | null {
  try {
    using program = kernel.openProgram(pin);
    return program.info();
  } catch (error) {
    if (isKernelError(error)) return null;
    throw error;
  }
}

/** Follows the chain of one generation. Throws KernelError where maps of the node cannot be read. */
export function followChain(
  kernel: Kernel,
  { node, paths }: { readonly node: NodeMaps; readonly paths: Paths },
  { generation, programs }: Pick<GenerationRecord, 'generation' | 'programs'>,
): Chain {
  const breaks: string[] = [];
  const links = programs.map(({ name, id, tag }) => {
    const found = held(kernel, join(pinsOf.generation(paths, generation), 'programs', name));
    if (found === null) breaks.push(`\`${name}\` is not pinned`);
    else if (found.tag !== tag) breaks.push(`\`${name}\` has tag ${found.tag}, loaded was ${tag}`);
    else if (found.id !== id) breaks.push(`\`${name}\` is program ${found.id}, loaded was ${id}`);
    return { name, id, tag, kernelId: found?.id ?? null, kernelTag: found?.tag ?? null };
  });
  for (const hook of HOOKS) {
    // Read from user space, a slot gives the id of its program.
    const value = node.map(`weft_slots_${hook}`).lookup(encodeU32(slotOf(generation)));
    if (value === null) {
      if (links.some(({ name }) => name === `weft_${hook}`))
        breaks.push(`hook ${hook} runs nothing`);
      continue;
    }
    const id = decodeId(value);
    if (links.some((link) => link.id === id)) continue;
    breaks.push(`hook ${hook} runs program ${id}, which is none of the bundle's`);
  }
  return { programs: links, breaks };
}
