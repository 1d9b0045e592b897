/**
 * Inside a guest: loads the samples that lie beside this program, then tries the data plane, and
 * says each thing in one line of JSON on the console. See scripts/test-kernels.mjs.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { fileURLToPath } from 'node:url';
import { decodeBundle } from '../../compiler/bundle/index.js';
import { isVerifierError, type Kernel, openKernel } from '../../runtime/kernel/index.js';
import { tryGenerated } from './generated.js';
import { tryImported } from './imported.js';
import { makerOf, measure, type Specimen } from './measure.js';
import { SMOKE, smoke } from './smoke.js';

const HERE = fileURLToPath(new URL('.', import.meta.url));

/** What a line of the guest says; the host knows it by its first word. */
const say = (said: unknown): void => console.log(`WEFT ${JSON.stringify(said)}`);
const read = (path: string): Uint8Array => readFileSync(`${HERE}${path}.o`);

/** A program that is too much for a verifier is more so with a log: the processor is emulated. */
const TOO_MUCH = /too large|too complex/;

/** A kernel that gives a refusal its log only where the log tells more than the reason. */
function briefKernel(): Kernel {
  const kernel = openKernel();
  return {
    ...kernel,
    load: (spec) => {
      try {
        return kernel.load({ ...spec, reasonOnly: true });
      } catch (error) {
        if (isVerifierError(error) && TOO_MUCH.test(error.summary)) throw error;
        return kernel.load(spec);
      }
    },
  };
}

function specimens(): readonly Specimen[] {
  const names = readdirSync(`${HERE}specimens`).filter((name) => name.endsWith('.weft'));
  return names.sort().map((file) => {
    const decoded = decodeBundle(readFileSync(`${HERE}specimens/${file}`));
    if (!decoded.ok) throw new Error(`${file} does not decode`);
    const world = readFileSync(`${HERE}specimens/${file.replace(/weft$/, 'yaml')}`, 'utf8');
    // Files are numbered, so that the order is the host's.
    return { name: file.replace(/^\d+-(.*)\.weft$/, '$1'), bundle: decoded.bundle, world };
  });
}

try {
  const kernel = briefKernel();
  say({ maker: makerOf(kernel, release(), read) });
  const samples = specimens();
  for (const found of measure(kernel, samples, read)) say({ measured: found });
  const sample = samples.find(({ name }) => name === SMOKE);
  if (sample === undefined) throw new Error('nothing to try');
  for await (const step of smoke(kernel, sample)) say({ step });
  for await (const tried of tryGenerated(kernel, `${HERE}specimens/generated`)) say({ tried });
  for (const loaded of tryImported(kernel, `${HERE}specimens/imported`, read)) say({ loaded });
  say({ done: true });
} catch (error) {
  say({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}
process.exit(0);
