// Loads every program into kernels that this machine does not run: Debian's 6.1, 6.12 and 6.18, each
// booted under QEMU. What each program costs the verifier is compared with test/kernels/<series>.txt,
// a few connections and requests are tried, and two hundred generated policies are loaded and asked
// what V8 has answered here; imported policies whose loops are near what a verifier walks are loaded. Kernels are downloaded once into the cache, never installed.
// usage: npm run test:kernels [-- [series...] [--update] [--renew] [--no-build]]
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { boot } from './kernels/boot.mjs';
import { fetchKernels } from './kernels/fetch.mjs';
import { makeImage } from './kernels/image.mjs';
import { setUpAndBuild } from './set-up-and-build.mjs';

const SERIES = ['6.1', '6.12', '6.18'];
const UNSUPPORTED = 4;
const USAGE = 64;
const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');

function refuse(problem, help, status) {
  console.error(`error: ${problem}\n  help: ${help}`);
  process.exit(status);
}
function readArguments() {
  const options = {
    update: { type: 'boolean', default: false },
    renew: { type: 'boolean', default: false },
    'no-build': { type: 'boolean', default: false },
  };
  const help = 'npm run test:kernels [-- [series...] [--update] [--renew] [--no-build]]';
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    const series = positionals.length > 0 ? positionals : SERIES;
    const wrong = series.find((one) => !/^\d+\.\d+$/.test(one));
    if (wrong === undefined) return { ...values, series };
    return refuse(`\`${wrong}\` is no series of kernels`, help, USAGE);
  } catch (error) {
    return refuse(error.message, help, USAGE);
  }
}
const options = readArguments();
if (process.platform !== 'linux' || process.arch !== 'x64')
  refuse('the guests run on x86-64 Linux', 'run it there', UNSUPPORTED);
for (const [command, name] of [
  ['qemu-system-x86_64', 'qemu-system-x86'],
  ['apt-get', 'apt'],
  ['ldd', 'libc-bin'],
])
  if (spawnSync(command, ['--version'], { stdio: 'ignore' }).error)
    refuse(`there is no ${command}`, `apt-get install ${name}`, UNSUPPORTED);
if (options.update && process.env.CI)
  refuse('--update is for people, never for CI', 'read the difference', USAGE);
if (!options['no-build']) setUpAndBuild();
const { compareCounts, formatCounts, parseCounts } = await import(
  join(dist, 'test/kernels/counts.js')
);
const { writeSpecimens } = await import(join(dist, 'test/kernels/specimens.js'));
const { GENERATED, POLICIES, writeGenerated } = await import(
  join(dist, 'test/kernels/generated.js')
);
const { writeImported } = await import(join(dist, 'test/kernels/imported.js'));

const started = Date.now();
const tell = (text) =>
  console.error(`${((Date.now() - started) / 1000).toFixed(0).padStart(4)} s  ${text}`);

/** What one kernel does otherwise than it should, a line each. */
async function findingsOf({ series, image: kernel, name }, image) {
  tell(`${series}: booting ${name}`);
  const measured = [];
  const findings = [];
  let maker = null;
  let steps = 0;
  let tried = 0;
  let loaded = 0;
  // Where the guest falls silent, what it was at is what comes behind this.
  let last = 'nothing';
  const onSaid = (said) => {
    last =
      said.measured?.[0]?.object ??
      said.step?.what ??
      said.tried?.name ??
      said.loaded?.name ??
      last;
    if (said.maker) maker = said.maker;
    if (said.measured) {
      measured.push(...said.measured);
      const refused = said.measured.filter(({ count }) => count === null);
      const why = refused.map(({ refusal }) => refusal[0]).join('; ');
      const what = refused.length > 0 ? `${refused.length} refused: ${why}` : 'accepted';
      tell(`${series}: ${said.measured[0]?.object}: ${said.measured.length} programs, ${what}`);
    }
    if (said.step) {
      steps += 1;
      const { what, wanted, got } = said.step;
      tell(`${series}: ${what}: ${got}`);
      if (wanted !== got) findings.push(`${what}: ${got}, wanted ${wanted}`);
    }
    if (said.tried) {
      tried += 1;
      const { name, outcome } = said.tried;
      if (outcome !== 'same') findings.push(`generated ${name}: ${outcome}`);
      if (tried % 10 === 0 || tried === GENERATED)
        tell(`${series}: ${tried} of ${GENERATED} generated bundles tried`);
    }
    if (said.loaded) {
      loaded += 1;
      const { name, outcome } = said.loaded;
      tell(`${series}: imported ${name}: ${outcome}`);
      if (outcome !== 'same') findings.push(`imported ${name}: ${outcome}`);
    }
  };
  try {
    await boot({ kernel, image, onSaid });
  } catch (error) {
    findings.push(`behind \`${last}\`: ${error.message}`);
  }
  const accepted = measured.filter(({ count }) => count !== null).length;
  tell(
    `${series}: ${accepted} of ${measured.length} programs accepted, ${steps} steps on loopback, ` +
      `${tried} of ${GENERATED} bundles (${POLICIES.length} generated policies each) asked what V8 answered, ` +
      `${loaded} of ${imported} imported bundles loaded`,
  );
  if (maker === null) return [...findings, 'the guest measured nothing'];
  if (tried !== GENERATED) findings.push(`${tried} of ${GENERATED} generated bundles were tried`);
  if (loaded !== imported) findings.push(`${loaded} of ${imported} imported bundles were loaded`);
  const file = join(root, 'test/kernels', `${series}.txt`);
  const whole = steps > 0 && !measured.some(({ count }) => count === null);
  if (options.update && whole) writeFileSync(file, formatCounts(maker, measured));
  if (!existsSync(file))
    findings.push(`there is no ${file}: --update makes it of a kernel that takes all`);
  const text = existsSync(file) ? readFileSync(file, 'utf8') : formatCounts(maker, measured);
  const golden = parseCounts(text);
  const byCount = golden.maker.clang === maker.clang;
  if (!byCount)
    tell(`${series}: counts not compared: clang ${golden.maker.clang}, here ${maker.clang}`);
  if (golden.maker.kernel !== maker.kernel)
    tell(`${series}: the file is of ${golden.maker.kernel}`);
  return [...findings, ...compareCounts(golden, measured, byCount)];
}

let failed = 0;
let passed = 0;
const work = mkdtempSync(join(tmpdir(), 'weft-kernels-'));
process.once('exit', () => rmSync(work, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));
const { busybox, kernels } = fetchKernels(options.series, { renew: options.renew, tell });
const specimens = join(work, 'specimens');
mkdirSync(specimens);
tell('compiling the samples');
await writeSpecimens(specimens);
tell('compiling generated policies');
mkdirSync(join(specimens, 'generated'));
await writeGenerated(join(specimens, 'generated'));
mkdirSync(join(specimens, 'imported'));
const imported = await writeImported(join(specimens, 'imported'));
const image = join(work, 'image.cpio');
await makeImage({ dist, busybox, specimens, to: image });
for (const kernel of kernels) {
  const findings = await findingsOf(kernel, image);
  for (const finding of findings) console.error(`FAIL ${kernel.series}: ${finding}`);
  if (findings.length > 0) failed += 1;
  else passed += 1;
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
