/**
 * Every reader of bytes from outside under changed inputs: archives, OCI documents, registry answers,
 * docker's configuration, signatures, trust policies, calls of the local API, etcd's answers, a cluster's lists. Each answers or refuses in its declared way; nothing
 * else may be thrown, no input may take minutes, and memory stays bounded. What is accepted must hold.
 * Entry: `node readers.js INPUTS SEED [READER]`; an input that fails is printed in base64, exit code 1. Without arguments:
 * the readers' names, one a line.
 */
import { performance } from 'node:perf_hooks';
import { Prng } from '../support/prng.js';
import { BUNDLE_READERS } from './bundle-readers.js';
import { CALL_SEEDS, readCallInput } from './call-reader.js';
import { changeBytes } from './change-bytes.js';
import { CONTROL_READERS } from './control-readers.js';
import { KEPT_READERS } from './kept-readers.js';
import { type Reader, text, utf8 } from './reader.js';
import { RECEIVE_READERS } from './receive-readers.js';

const READERS: Readonly<Record<string, Reader>> = {
  ...CONTROL_READERS,
  ...BUNDLE_READERS,
  ...RECEIVE_READERS,
  ...KEPT_READERS,
  calls: { seeds: CALL_SEEDS.map(utf8), read: (input) => readCallInput(text(input)) },
};

const MAX_INPUT_MS = 60_000;
/** What this process may grow to: some 150 MB are the program, caches and compiled code take the rest. */
const MAX_RESIDENT = 768 * 1024 * 1024;
const MIB = 1024 * 1024;
/** Inputs between two looks at the memory. */
const LOOK = 1024;

async function run(
  name: string,
  reader: Reader,
  options: { readonly inputs: number; readonly seed: number },
): Promise<boolean> {
  const random = new Prng(options.seed);
  let most = 0;
  for (let i = 0; i < options.inputs; i += 1) {
    const seed = reader.seeds[i % reader.seeds.length] ?? new Uint8Array();
    // The seeds themselves come first: they must be read as they are.
    const input = i < reader.seeds.length ? seed : changeBytes(seed, random);
    const began = performance.now();
    try {
      const reading = reader.read(input);
      if (reading !== undefined) await reading;
      if (performance.now() - began > MAX_INPUT_MS) throw new Error('took minutes');
      if (i % LOOK === 0) most = Math.max(most, process.memoryUsage.rss());
      if (most > MAX_RESIDENT) throw new Error(`the process has ${Math.round(most / MIB)} MiB`);
    } catch (error) {
      console.log(`${name}: a fault: ${error instanceof Error ? error.stack : String(error)}`);
      console.log(`input ${i}: ${Buffer.from(input).toString('base64')}`);
      return false;
    }
  }
  const mib = Math.round(most / MIB);
  console.log(`${name}: ${options.inputs} inputs, no fault, seed ${options.seed}, ${mib} MiB`);
  return true;
}

const [count = '', seed = '1', only] = process.argv.slice(2);
const readers = Object.entries(READERS).filter(([name]) => only === undefined || name === only);
const inputs = Math.ceil(Number(count) / Math.max(1, readers.length));
const isWhole = Number.isSafeInteger(inputs) && inputs > 0 && readers.length > 0;
if (count === '') for (const name of Object.keys(READERS)) console.log(name);
else if (!isWhole) console.error('usage: readers.js INPUTS [SEED] [READER]');
let isFine = isWhole || count === '';
for (const [name, reader] of isWhole ? readers : [])
  isFine = isFine && (await run(name, reader, { inputs, seed: Number(seed) }));
process.exitCode = isFine ? 0 : 1;
