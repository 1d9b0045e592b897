/**
 * Every reader of bytes from outside under changed inputs: archives, OCI documents, registry answers,
 * docker's configuration, signatures, trust policies, calls of the local API. Each answers or refuses in its declared way; nothing
 * else may be thrown, no input may take minutes, and memory stays bounded. What is accepted must hold.
 * Entry: `node readers.js INPUTS SEED [READER]`; an input that fails is printed in base64, exit code 1.
 */
import { performance } from 'node:perf_hooks';
import { Prng } from '../support/prng.js';
import { BUNDLE_READERS } from './bundle-readers.js';
import { CALL_SEEDS, readCallInput } from './call-reader.js';
import { changeBytes } from './change-bytes.js';
import { CONTROL_READERS } from './control-readers.js';
import { type Reader, text, utf8 } from './reader.js';

const READERS: Readonly<Record<string, Reader>> = {
  ...CONTROL_READERS,
  ...BUNDLE_READERS,
  calls: { seeds: CALL_SEEDS.map(utf8), read: (input) => readCallInput(text(input)) },
};

const MAX_INPUT_MS = 60_000;
/** The heap's growth after which memory counts as unbounded; caches and compiled code take some. */
const MAX_GROWTH = 512 * 1024 * 1024;

function run(
  name: string,
  reader: Reader,
  options: { readonly inputs: number; readonly seed: number },
): boolean {
  const random = new Prng(options.seed);
  const before = process.memoryUsage().rss;
  for (let i = 0; i < options.inputs; i += 1) {
    const seed = reader.seeds[i % reader.seeds.length] ?? new Uint8Array();
    // The seeds themselves come first: they must be read as they are.
    const input = i < reader.seeds.length ? seed : changeBytes(seed, random);
    const began = performance.now();
    try {
      reader.read(input);
      if (performance.now() - began > MAX_INPUT_MS) throw new Error('took minutes');
    } catch (error) {
      console.log(`${name}: a fault: ${error instanceof Error ? error.stack : String(error)}`);
      console.log(`input ${i}: ${Buffer.from(input).toString('base64')}`);
      return false;
    }
  }
  const grown = process.memoryUsage().rss - before;
  const verdict = grown > MAX_GROWTH ? 'memory without bound' : 'no fault';
  console.log(`${name}: ${options.inputs} inputs, ${verdict}, seed ${options.seed}`);
  return grown <= MAX_GROWTH;
}

const [count = '', seed = '1', only] = process.argv.slice(2);
const readers = Object.entries(READERS).filter(([name]) => only === undefined || name === only);
const inputs = Math.ceil(Number(count) / Math.max(1, readers.length));
const isWhole = Number.isSafeInteger(inputs) && inputs > 0 && readers.length > 0;
if (!isWhole) console.error('usage: readers.js INPUTS [SEED] [READER]');
const isFine =
  isWhole && readers.every(([name, r]) => run(name, r, { inputs, seed: Number(seed) }));
process.exitCode = isFine ? 0 : 1;
