/**
 * A policy of this bench on both sides: NAME.policy by our compiler and NAME.c by clang, each joined with
 * the same harness, over the same inputs. Where the two differ in an answer there is nothing to compare.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FIRST_SYMBOL } from '../../../compiler/abi/index.js';
import type { Bundle } from '../../../compiler/index.js';
import type { Kernel, KernelObject } from '../../../runtime/kernel/index.js';
import { mustCompile } from '../../support/compile-texts.js';
import { encodeAll, Interner } from '../../support/encode-connection.js';
import { encodeRequests } from '../../support/encode-request.js';
import { benchFile, compileBpf } from '../clang.js';
import { CONNECTIONS, connections, REQUESTS, requests } from './inputs.js';

const SIDES = ['ours', 'theirs'] as const;
export type Side = (typeof SIDES)[number];
const ROUNDS = 1024; // of harness.bpf.c
const PACKET = new Uint8Array(64);

/** Names of all pairs, in order. */
export function specimenNames(): readonly string[] {
  const files = readdirSync(benchFile('quality')).filter((file) => file.endsWith('.policy'));
  return files.map((file) => file.replace('.policy', '')).sort();
}

/** One text, or several after lines of `// --- file`. */
function textsOf(name: string): ReadonlyMap<string, string> {
  const text = readFileSync(benchFile(`quality/${name}.policy`), 'utf8');
  const parts = text.split(/^\/\/ --- (\S+)\n/m);
  if (parts.length === 1) return new Map([[`${name}.ts`, text]]);
  const texts = new Map<string, string>();
  for (let i = 1; i < parts.length; i += 2) texts.set(parts[i] ?? '', parts[i + 1] ?? '');
  return texts;
}

const macro = (text: string): string => text.replaceAll(/[^A-Za-z0-9]/g, '_');

/** Slots, bits and symbols of a bundle, as macros for the C peer. */
function macros({ manifest }: Bundle): Record<string, number> {
  const attributes = manifest.attributes.map(({ side, attribute, key, slot }) => [
    `${side.toUpperCase()}_${attribute}${key === null ? '' : `_${macro(key)}`}`,
    slot,
  ]);
  const texts = manifest.symbols.map((text, i) => [`TEXT_${macro(text)}`, FIRST_SYMBOL + i]);
  const predicates = manifest.predicates.map(({ text, bit }) => [`PREDICATE_${macro(text)}`, bit]);
  const headers = manifest.headers.map((name, slot) => [`HEADER_${macro(name)}`, slot]);
  return Object.fromEntries([...attributes, ...texts, ...predicates, ...headers]);
}

/** The function that is measured and what it takes (harness.bpf.c, KIND). */
function entryOf({ manifest }: Bundle): { readonly name: string; readonly kind: 1 | 2 | 3 } {
  if (manifest.policies.length > 1) return { name: 'weft_authorize_connection', kind: 3 };
  const asked = manifest.policies[0]?.exports[0];
  if (asked === 'authorizeRequest') return { name: 'p0_authorize_request', kind: 2 };
  return { name: asked === 'routeConnection' ? 'p0_route' : 'p0_authorize', kind: 1 };
}

/** A pair, loaded. */
export interface Specimen extends Disposable {
  readonly name: string;
  /** Instructions that the kernel keeps of a side's policy, with all that it calls. */
  readonly instructions: Readonly<Record<Side, number>>;
  /** Answers to all inputs. */
  answers(side: Side): readonly number[];
  /** Nanoseconds of one decision, with or without the loop around it. */
  time(what: Side | 'empty'): number;
}

type Defines = Readonly<Record<string, string | number>>;
const harnesses = new Map<string, Uint8Array>();

/** The harness for an entry; few differ. */
function compileHarness(folder: string, defines: Defines): Uint8Array {
  const key = JSON.stringify(defines);
  const known = harnesses.get(key);
  if (known !== undefined) return known;
  const to = join(folder, 'harness.o');
  const made = compileBpf(benchFile('quality/harness.bpf.c'), to, defines);
  harnesses.set(key, made);
  return made;
}

/** Compiles and loads a pair. */
export async function openSpecimen(
  kernel: Kernel,
  folder: string,
  name: string,
): Promise<Specimen> {
  const bundle = await mustCompile(textsOf(name));
  const { name: entry, kind } = entryOf(bundle);
  const interner = new Interner(bundle.manifest);
  const inputs =
    kind === 2
      ? encodeRequests(requests(), bundle.manifest, interner)
      : encodeAll(connections(), bundle.manifest, interner);
  const harness = (defines: Defines): Uint8Array => compileHarness(folder, defines);
  const peer = compileBpf(
    benchFile(`quality/${name}.c`),
    join(folder, `${name}.o`),
    macros(bundle),
  );
  const around = harness({ KIND: kind, ENTRY: entry });
  const opened: KernelObject[] = [];
  const load = (parts: readonly Uint8Array[]): KernelObject => {
    const named = parts.map((bytes, i) => ({ name: `part${i}`, bytes }));
    const globals = { weft_bench_inputs: inputs };
    // Functions as the two compilers made them: what a load puts into the harness's loop is no longer one decision behind another.
    const object = kernel.load({
      name: 'bench_quality',
      bytes: kernel.link(named),
      globals,
      asBuilt: true,
    });
    opened.push(object);
    return object;
  };
  const objects = {
    ours: load([around, bundle.objects.mayGoto]),
    theirs: load([around, peer]),
    empty: load([harness({ KIND: kind })]),
  };
  // The call itself is code of the harness, the same on both sides.
  const count = (object: KernelObject): number =>
    object.program('weft_bench_once').info().instructions;
  const around0 = count(objects.empty);
  return {
    name,
    instructions: { ours: count(objects.ours) - around0, theirs: count(objects.theirs) - around0 },
    answers: (side) => {
      const first = objects[side].map('.data');
      const key = new Uint8Array(4);
      const data = first.lookup(key);
      if (data === null) throw new Error('no data');
      const at = inputs.length; // weft_bench_first lies behind the inputs
      return Array.from({ length: kind === 2 ? REQUESTS : CONNECTIONS }, (_, i) => {
        new DataView(data.buffer, data.byteOffset).setUint32(at, i, true);
        first.update(key, data);
        return objects[side].program('weft_bench_once').testRun(PACKET).retval >>> 0;
      });
    },
    time: (what) => {
      const repeat = 100;
      const program = objects[what].program('weft_bench_loop');
      const from = process.hrtime.bigint();
      program.testRun(PACKET, { repeat });
      return Number(process.hrtime.bigint() - from) / (repeat * ROUNDS);
    },
    [Symbol.dispose]: () => {
      for (const object of opened) object[Symbol.dispose]();
    },
  };
}
