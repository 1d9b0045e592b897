/**
 * Generated policies for kernels that this machine does not run: compiled and answered by V8 here,
 * loaded and asked again there.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeBundle } from '../../compiler/bundle/index.js';
import type { Bundle } from '../../compiler/bundle/manifest.js';
import { messageOf } from '../../compiler/diagnostic/index.js';
import { encodeBundle } from '../../compiler/index.js';
import { createKernelSimulator } from '../../runtime/agent/index.js';
import { isVerifierError, type Kernel } from '../../runtime/kernel/index.js';
import { type Ask, createEngine, RECORD, readRecord } from '../../runtime/simulate/index.js';
import { mustCompile } from '../support/compile-texts.js';
import { encodeAll, Interner } from '../support/encode-connection.js';
import { encodeRequests } from '../support/encode-request.js';
import { fixtureWorld } from '../support/fixture-world.js';
import { generateConnection } from '../support/generate-connection.js';
import { generatePolicy } from '../support/generate-policy.js';
import { generateRequest } from '../support/generate-request.js';
import { Prng } from '../support/prng.js';
import { sameAnswer } from '../support/same-answer.js';

/** Bundles, of three policies each; every fourth is about requests. */
export const GENERATED = 68;
/** What the policies of a bundle ask. */
export const POLICIES = ['authorize', 'authorize', 'route'] as const;
const QUESTIONS = 40;
const SEED = 7_000_000;

/** What a kernel made of one bundle: `same`, or the first thing that is not. */
export interface Tried {
  readonly name: string;
  readonly outcome: string;
}

async function writeOne(folder: string, index: number): Promise<void> {
  const random = new Prng(SEED + index);
  const isRequest = index % 4 === 3;
  const texts = new Map(
    POLICIES.map((asks, i) => [`g${i}.ts`, generatePolicy(random, asks, isRequest)]),
  );
  const fuel = random.pick([40, 200, 2000]);
  // Every other one has all its loops as calls, which kernels before 6.9 then load.
  const calls = index % 2 === 0 ? 'all' : 'none';
  const bundle = await mustCompile(texts, { budget: { fuel } }, undefined, calls);
  const { manifest } = bundle;
  const interner = new Interner(manifest);
  const each = Array.from({ length: QUESTIONS }, (_, i) => i);
  const input = isRequest
    ? encodeRequests(
        each.map(() => ({ ...generateRequest(random), policies: null })),
        manifest,
        interner,
      )
    : encodeAll(
        each.map(() => ({ ...generateConnection(random), policies: null })),
        manifest,
        interner,
      );
  const ask = isRequest ? 'bothRequest' : 'both';
  const engine = createEngine({ manifest, wasm: [...bundle.wasm], symbols: interner.added });
  const file = join(folder, `${String(index).padStart(3, '0')}-${ask}`);
  writeFileSync(`${file}.weft`, encodeBundle(bundle));
  writeFileSync(`${file}.in`, input);
  writeFileSync(`${file}.out`, engine.decide(input, ask).records);
}

/** Writes bundles, questions and V8's answers for the guest. */
export async function writeGenerated(folder: string): Promise<void> {
  for (let index = 0; index < GENERATED; index++) await writeOne(folder, index);
}

async function tryOne(
  kernel: Kernel,
  bundle: Bundle,
  ask: Ask,
  input: Uint8Array,
  wanted: Uint8Array,
): Promise<string> {
  try {
    using simulator = createKernelSimulator(kernel, bundle, fixtureWorld());
    const { records } = await simulator.decidePolicy(input, ask);
    const [ours, theirs] = [records, wanted].map(
      (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    );
    if (!ours || !theirs || ours.byteLength !== QUESTIONS * RECORD.size) return 'too few answers';
    for (let i = 0; i < QUESTIONS; i++) {
      if (!sameAnswer(readRecord(ours, i), readRecord(theirs, i)))
        return `question ${i} is answered otherwise than by V8`;
    }
    return 'same';
  } catch (error) {
    if (isVerifierError(error)) return error.message;
    return messageOf(error);
  }
}

/** Loads each bundle of a folder that writeGenerated filled, and asks it. */
export async function* tryGenerated(kernel: Kernel, folder: string): AsyncGenerator<Tried> {
  const files = readdirSync(folder).filter((name) => name.endsWith('.weft'));
  for (const file of files.sort()) {
    const name = file.slice(0, -'.weft'.length);
    const read = (extension: string): Uint8Array =>
      new Uint8Array(readFileSync(join(folder, `${name}.${extension}`)));
    const decoded = decodeBundle(read('weft'));
    if (!decoded.ok) throw new Error(`${file} does not decode`);
    const ask = name.endsWith('bothRequest') ? 'bothRequest' : 'both';
    const outcome = await tryOne(kernel, decoded.bundle, ask, read('in'), read('out'));
    yield { name, outcome };
  }
}
