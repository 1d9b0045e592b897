/**
 * Is our code as good as clang's? The policies of `npm run bench -- quality`: both sides answer alike, and
 * the instructions that the kernel keeps are what test/bench/quality/instructions.txt says. WEFT_BLESS=1
 * rewrites that file. Nanoseconds, and the limits, are the benchmark's part.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openKernel } from '../../runtime/kernel/index.js';
import { benchFile, clangVersion } from '../bench/clang.js';
import { sameAnswers } from '../bench/quality/compare.js';
import { openSpecimen, specimenNames } from '../bench/quality/specimen.js';

const FILE = benchFile('quality/instructions.txt');
const kernel = openKernel();
const folder = mkdtempSync(join(tmpdir(), 'weft-quality-'));
const maker = `kernel ${release()}, clang ${clangVersion()}`;
const lines: string[] = [];

const test = suite('code quality');
test.after(() => rmSync(folder, { recursive: true, force: true }));

for (const name of specimenNames()) {
  test(name, async () => {
    using specimen = await openSpecimen(kernel, folder, name);
    const [ours, theirs] = [specimen.answers('ours'), specimen.answers('theirs')];
    assert.ok(sameAnswers(ours, theirs), `ours ${ours.join(' ')}\nclang ${theirs.join(' ')}`);
    assert.ok(new Set(ours).size > 1, 'the inputs show little of the policy');
    const { instructions } = specimen;
    lines.push(`${name} ${instructions.ours} ${instructions.theirs}`);
  });
}

test('instructions are those of the golden file', () => {
  assert.ok(lines.length >= 20);
  const text = `# ${maker}: instructions of our compiler and of clang -O2\n${lines.join('\n')}\n`;
  if (process.env['WEFT_BLESS'] === '1' || !existsSync(FILE)) writeFileSync(FILE, text);
  const golden = readFileSync(FILE, 'utf8');
  if (golden.startsWith(`# ${maker}:`)) assert.is(text, golden);
  else console.log(`counts not compared: here is ${maker}`);
});
test.run();
