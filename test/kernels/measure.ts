/**
 * Loads every object and every sample as the agent would, attaches nothing, and says what each
 * program cost the verifier. A refusal is an answer, not an error: the programs after it are loaded
 * one by one.
 */
import type { Bundle } from '../../compiler/bundle/manifest.js';
import { messageOf } from '../../compiler/diagnostic/index.js';
import { ACCOUNT_MAPS } from '../../runtime/agent/account.js';
import { MAP_STUBS, STUB_ATTACH } from '../../runtime/agent/hooks.js';
import { stage } from '../../runtime/agent/index.js';
import { readObject } from '../../runtime/agent/objects.js';
import { lacksTracepoint, REPLY_CIRCUIT_MAPS } from '../../runtime/agent/reply-circuit.js';
import { judgesRequests } from '../../runtime/agent/sockops.js';
import { readWorld } from '../../runtime/discovery/index.js';
import { FORWARD_MAPS } from '../../runtime/forward/layout.js';
import {
  isVerifierError,
  type Kernel,
  type KernelMap,
  type KernelObject,
} from '../../runtime/kernel/index.js';
import type { Maker, Measured } from './counts.js';

/** What is loaded: a bundle in its world. */
export interface Specimen {
  readonly name: string;
  readonly bundle: Bundle;
  /** Text of world.yaml. */
  readonly world: string;
}

/** Lines of the verifier's log that a refusal keeps. */
const LOG_LINES = 25;

/** Bytes of a built object: `bpf/agent`, `http/head-harness`. */
export type ReadObject = (path: string) => Uint8Array;

function measuredOf(object: string, loaded: KernelObject): Measured[] {
  return loaded.programNames.map((program) => {
    const { verifiedInstructions: count } = loaded.program(program).info();
    return { object, program, count, refusal: [] };
  });
}

function refusalOf(object: string, error: unknown): Measured {
  if (isVerifierError(error)) {
    const log = error.log.replaceAll('\0', '').trimEnd().split('\n').slice(-LOG_LINES);
    return { object, program: error.program, count: null, refusal: [error.message, ...log] };
  }
  const message = messageOf(error);
  const details =
    error instanceof Error && 'details' in error ? (error.details as readonly string[]) : [];
  return { object, program: '*', count: null, refusal: [message, ...details] };
}

/** Loads an object; where a program of it is refused, every one that was asked for by itself. */
function measureOne(
  object: string,
  kernel: Kernel,
  load: (kernel: Kernel) => KernelObject,
): readonly Measured[] {
  const alone: Measured[] = [];
  const patient: Kernel = {
    ...kernel,
    load: (spec) => {
      try {
        return kernel.load(spec);
      } catch (error) {
        if (isVerifierError(error))
          for (const program of spec.only ?? [])
            alone.push(
              ...measureOne(object, kernel, () => kernel.load({ ...spec, only: [program] })),
            );
        throw error;
      }
    },
  };
  try {
    using loaded = load(patient);
    return measuredOf(object, loaded);
  } catch (error) {
    return alone.length > 0 ? alone : [refusalOf(object, error)];
  }
}

/** A sample joined with hooks and harnesses; in both forms where the kernel takes both and they differ. */
function* measureSpecimen(
  kernel: Kernel,
  { name, bundle, world: text }: Specimen,
  nodeMaps: Readonly<Record<string, KernelMap>>,
): Generator<readonly Measured[]> {
  const { world } = readWorld(text, 'world.yaml');
  if (world === null) throw new Error(`${name}: a faulty world`);
  const { base, mayGoto } = bundle.objects;
  const isOne = Buffer.from(base).equals(mayGoto);
  const titles = isOne ? [name] : kernel.hasMayGoto() ? [name, `${name}:base`] : [`${name}:base`];
  for (const title of titles) {
    const form = title === name ? mayGoto : base;
    const of = { ...bundle, objects: { base: form, mayGoto: form } };
    const options = { generation: 1, cgroups: new Map(), clockOffset: 0n };
    yield measureOne(title, kernel, (k) => stage(k, of, world, { ...options, nodeMaps }).object);
    yield measureOne(
      `${title}:harness`,
      kernel,
      (k) => stage(k, of, world, { ...options, nodeMaps: {}, part: 'harness' }).object,
    );
    if (!judgesRequests(bundle.manifest)) continue;
    yield measureOne(`${title}:request-harness`, kernel, (k) => {
      const harness = { name: 'harness', bytes: readObject('request-harness') };
      return k.load({
        name: 'requests',
        bytes: k.link([harness, { name: 'policy', bytes: form }]),
      });
    });
  }
}

/** A sample as the agent of this kernel would load it. */
export function measureStaged(
  kernel: Kernel,
  { name, bundle, world: text }: Specimen,
  read: ReadObject,
): readonly Measured[] {
  const { world } = readWorld(text, 'world.yaml');
  if (world === null) throw new Error(`${name}: a faulty world`);
  using node = kernel.load({ name: 'node', bytes: read('bpf/stubs'), only: [] });
  const nodeMaps = Object.fromEntries(node.mapNames.map((map) => [map, node.map(map)]));
  const options = { generation: 1, cgroups: new Map(), clockOffset: 0n, nodeMaps };
  return measureOne(name, kernel, (k) => stage(k, bundle, world, options).object);
}

/** False where the kernel has nothing to attach it to (6.1); other refusals are the verifier's. */
function hasTracepoint(load: () => KernelObject): boolean {
  try {
    load()[Symbol.dispose]();
    return true;
  } catch (error) {
    return !lacksTracepoint(error);
  }
}

/** Every program, object by object, as soon as it is known. */
export function* measure(
  kernel: Kernel,
  specimens: readonly Specimen[],
  read: ReadObject,
): Generator<readonly Measured[]> {
  const stubs = readObject('stubs');
  const only = [...Object.keys(STUB_ATTACH), ...MAP_STUBS.map(({ stub }) => stub)];
  const names = only.map((stub) => `stub_${stub}`);
  yield measureOne('stubs', kernel, (k) => k.load({ name: 'stubs', bytes: stubs, only: names }));
  using node = kernel.load({ name: 'node', bytes: stubs, only: [] });
  const nodeMaps = Object.fromEntries(node.mapNames.map((name) => [name, node.map(name)]));
  const reply = {
    ...{ name: 'replies', bytes: readObject('replies') },
    reuse: Object.fromEntries(REPLY_CIRCUIT_MAPS.map((name) => [name, node.map(name)])),
  };
  yield measureOne('replies', kernel, (k) => k.load({ ...reply, only: ['weft_send_reply'] }));
  if (hasTracepoint(() => kernel.load({ ...reply, only: ['weft_delivered'] })))
    yield measureOne('replies', kernel, (k) => k.load({ ...reply, only: ['weft_delivered'] }));
  const reused: Readonly<Record<string, readonly string[]>> = {
    'bpf/agent': FORWARD_MAPS,
    'bpf/account': ACCOUNT_MAPS,
    'http/head-harness': [],
    'http/frame-harness': [],
  };
  for (const [path, maps] of Object.entries(reused)) {
    const name = path.split('/')[1] ?? path;
    const reuse = maps.map((map) => [map, node.map(map)] as const);
    const spec = { name, bytes: read(path), reuse: Object.fromEntries(reuse) };
    yield measureOne(name, kernel, (k) => k.load(spec));
  }
  for (const specimen of specimens) yield* measureSpecimen(kernel, specimen, nodeMaps);
}

/** What counts depend on, as far as it can be seen here: `kernel` of uname, clang of the objects' debug information. */
export function makerOf(kernel: Kernel, release: string, read: ReadObject): Maker {
  const text = Buffer.from(read('bpf/stubs')).toString('latin1');
  const clang = /clang version (\d+(\.\d+)*)/.exec(text)?.[1] ?? 'unknown';
  return { kernel: release, clang, mayGoto: kernel.hasMayGoto() };
}
