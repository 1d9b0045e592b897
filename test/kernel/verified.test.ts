/**
 * What every program costs the verifier of this kernel: no program is missing or new, none costs
 * much more or less than test/kernels/host.txt says. WEFT_BLESS=1 rewrites that file. On another
 * kernel, or with another clang, only the loading is compared. Other kernels: `npm run test:kernels`.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openKernel } from '../../runtime/kernel/index.js';
import { compareCounts, formatCounts, parseCounts } from '../kernels/counts.js';
import { makerOf, measure } from '../kernels/measure.js';
import { compileSpecimens } from '../kernels/specimens.js';

const FILE = fileURLToPath(new URL('../../../test/kernels/host.txt', import.meta.url));
const read = (path: string): Uint8Array =>
  readFileSync(fileURLToPath(new URL(`../../${path}.o`, import.meta.url)));

const test = suite('what the verifier goes through');

test('each program loads, and costs what it did', async () => {
  const kernel = openKernel();
  const measured = [...measure(kernel, await compileSpecimens(), read)].flat();
  const maker = makerOf(kernel, release(), read);
  const bless = process.env['WEFT_BLESS'] === '1' || !existsSync(FILE);
  const refused = measured.some(({ count }) => count === null);
  if (bless && !refused) writeFileSync(FILE, formatCounts(maker, measured));
  const golden = parseCounts(readFileSync(FILE, 'utf8'));
  const same = golden.maker.kernel === maker.kernel && golden.maker.clang === maker.clang;
  if (!same)
    console.log(
      `counts not compared: of kernel ${golden.maker.kernel}, clang ${golden.maker.clang}; here ${maker.kernel}, ${maker.clang}`,
    );
  const findings = compareCounts(golden, measured, same);
  assert.is(findings.join('\n'), '', 'if it is meant: npm run bless -- kernel/verified');
});

test.run();
