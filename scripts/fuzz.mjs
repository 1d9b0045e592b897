// The head parser and the reply framer under libFuzzer, natively and with AddressSanitizer.
// `npm run fuzz` is the long run (10 million inputs each); `npm run fuzz -- 100000 --target head`
// says how many and which. What it found new is kept in dist/fuzz/<target>/corpus; an input that
// fails is left in dist/fuzz/<target> and the exit code is 1.
// `npm run fuzz -- 10000000 --target policies` (nightly) generates whole policies and asks V8, Wasmtime, the kernel
// and the IR behind the compiler's passes; a difference is shrunk and becomes a file of test/differential/corpus,
// which every run of the tests decides again. `--seed N` begins elsewhere (forty seeds are 10 million decisions). Two tests run side by side, each on a processor.
// `--target readers`: whatever reads bytes from outside (bundles, registry answers, signatures, trust policies, calls of
// the agent's local API, discovery messages, plans), each with its share of the inputs (test/fuzz/readers.ts), in slices of a process each.
// What was done of policies and readers is kept in dist/fuzz: the same command goes on where it ended, was stopped, or `--for SECONDS` had passed.
// As root on Debian it installs the fuzzer library of the clang that is there, if that is missing. Policies and readers are
// compiled with the tests: both begin with set-up and build, but for `--no-build`.
// usage: npm run fuzz [-- [inputs] [--target head|frame|readers|policies] [--seed N] [--for SECONDS] [--to DIRECTORY] [--no-build]]
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { comparePolicies } from './fuzz/policies.mjs';
import { fuzzInSlices } from './fuzz/slices.mjs';
import { readWords } from './read-words.mjs';
import { setUpAndBuild } from './set-up-and-build.mjs';

const INPUTS = 10_000_000;
const UNSUPPORTED = 4;
const USAGE = 64;
const root = fileURLToPath(new URL('..', import.meta.url));

// Where a fuzzer has to start from: one input of each kind. The first bytes say what test/fuzz/*.c
// says that they say.
const host = 'Host: a\r\n';
const chunked = 'Transfer-Encoding: chunked\r\n\r\n';
const TARGETS = {
  head: {
    longest: 9000,
    first: (index) => String.fromCharCode(40 * index),
    seeds: [
      `GET /a/../b?c HTTP/1.1\r\n${host}X-Team: blue\r\nCookie: a=b\r\n\r\n`,
      `POST /%2e%2E/%41 HTTP/1.1\r\n${host}Content-Length: 12\r\nExpect: 100-continue\r\n\r\n`,
      `POST http://a/b HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nConnection: a, close\r\n\r\n`,
      `CONNECT a:443 HTTP/1.1\r\n${host}Connection: upgrade\r\nUpgrade: x\r\n\r\n`,
      'OPTIONS * HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
      `GET /${'x'.repeat(100)} HTTP/1.1\r\n${host}A:${' '.repeat(40)}${'v'.repeat(200)} \t\r\n\r\n`,
    ],
  },
  frame: {
    longest: 4000,
    first: (index) => String.fromCharCode(0x40 + index, 40 * index, 0),
    seeds: [
      `HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\nabcHTTP/1.1 204 X\r\n\r\n`,
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n${chunked}3\r\nabc\r\n0\r\nA: b\r\n\r\n`,
      'HTTP/1.1 101 Switching\r\nConnection: upgrade\r\n\r\n\0\x01',
      'HTTP/1.0 200 OK\r\nServer: a\r\n\r\nuntil close',
      `HTTP/1.1 304 X\r\nETag: "${'x'.repeat(100)}"\r\nContent-Length: 5\r\nConnection: a, close\r\n\r\n`,
      '1f;a="b c"\r\n0123456789abcdef0123456789abcde\r\n0\r\n\r\n',
    ],
  },
};

const WORDS =
  'npm run fuzz [-- [inputs] [--target head|frame|readers|policies] [--seed N] [--for SECONDS] [--to DIRECTORY] [--no-build]]';
function refuseUsage() {
  console.error(`usage: ${WORDS}`);
  process.exit(USAGE);
}
const { values, positionals } = readWords(WORDS, {
  seed: { type: 'string', default: '1' },
  target: { type: 'string', multiple: true, default: [...Object.keys(TARGETS), 'readers'] },
  for: { type: 'string' },
  to: { type: 'string', default: join(root, 'dist', 'fuzz') },
  'no-build': { type: 'boolean', default: false },
});
const inputs = Number(positionals[0] ?? INPUTS);
if (!Number.isSafeInteger(inputs) || inputs < 1 || !/^\d+$/.test(values.seed)) refuseUsage();
if (values.for !== undefined && !/^\d+$/.test(values.for)) refuseUsage();
if (values.target.some((name) => !Object.hasOwn({ ...TARGETS, policies: 0, readers: 0 }, name)))
  refuseUsage();

const clang = process.env.CLANG ?? 'clang';
const build = (name, to, stdio) =>
  spawnSync(
    clang,
    [
      ...['-O2', '-g', '-fsanitize=fuzzer,address,undefined', '-fno-sanitize-recover=undefined'],
      ...['-I', join(root, 'bpf'), join(root, `test/fuzz/${name}.c`), '-o', join(to, name)],
    ],
    { stdio },
  ).status === 0;

/** The Debian package with the libraries of -fsanitize; null where there is no clang. */
function runtimePackage() {
  const asked = spawnSync(clang, ['--version'], { encoding: 'utf8' });
  const major = /clang version (\d+)/.exec(asked.stdout ?? '')?.[1];
  return major === undefined ? null : `libclang-rt-${major}-dev`;
}
/** Builds a target; installs what is missing where it may. */
function buildOrInstall(name, to) {
  if (build(name, to, 'ignore')) return;
  const missing = runtimePackage() ?? 'clang';
  if (process.getuid?.() === 0) {
    console.error(`installing ${missing}`);
    spawnSync('apt-get', ['update', '-qq'], { stdio: ['ignore', 2, 2] });
    spawnSync('apt-get', ['install', '-y', '-qq', missing], { stdio: ['ignore', 2, 2] });
  }
  if (build(name, to, 'inherit')) return;
  console.error(`error: the fuzz target could not be built\n  help: apt-get install ${missing}`);
  process.exit(UNSUPPORTED);
}

/** Whether a target took all its inputs without a fault. */
function fuzz(name) {
  const { first, longest, seeds } = TARGETS[name];
  const to = join(resolve(values.to), name);
  mkdirSync(join(to, 'corpus'), { recursive: true });
  buildOrInstall(name, to);
  for (const [index, text] of seeds.entries())
    writeFileSync(join(to, 'corpus', `seed-${index}`), first(index) + text, 'latin1');
  const started = Date.now();
  const ran = spawnSync(
    join(to, name),
    [
      ...[`-runs=${inputs}`, `-seed=${values.seed}`, `-max_len=${longest}`, '-print_final_stats=1'],
      ...[`-dict=${join(root, `test/fuzz/${name}.dict`)}`, `-artifact_prefix=${to}/`],
      ...['-verbosity=0', join(to, 'corpus')],
    ],
    { stdio: 'inherit' },
  );
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  const verdict = ran.status === 0 ? 'no fault' : 'a fault';
  console.log(`${name}: ${inputs} inputs, ${verdict}, ${seconds} s, seed ${values.seed}`);
  return ran.status === 0;
}
const secondsAsked = values.for === undefined ? Number.POSITIVE_INFINITY : Number(values.for);

/** Compares the engines on generated policies; differences go to the corpus. */
async function fuzzPolicies() {
  const started = Date.now();
  const to = join(resolve(values.to), 'policies');
  const compared = await comparePolicies({
    ...{ root, inputs, seed: Number(values.seed), to, seconds: secondsAsked },
  });
  const { policies, decisions, differences, isWhole } = compared;
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  const verdict =
    differences === 0 ? 'no difference' : 'a difference (see test/differential/corpus)';
  const rest = isWhole ? '' : `, not yet ${inputs}`;
  console.log(
    `policies: ${policies} policies, ${decisions} decisions${rest}, ${verdict}, ${seconds} s, seed ${values.seed}`,
  );
  return differences === 0;
}
/** So many inputs are one process, which nobody goes on with. */
const SHORT = 50_000;
/** Whether the readers took all inputs. */
function fuzzReaders() {
  const started = Date.now();
  const entry = join(root, 'dist/test/fuzz/readers.js');
  const limits = ['--max-old-space-size=512', entry, String(inputs), values.seed];
  const { isFine, done } =
    inputs <= SHORT
      ? {
          isFine: spawnSync(process.execPath, limits, { stdio: 'inherit' }).status === 0,
          done: inputs,
        }
      : fuzzInSlices({
          ...{ entry, inputs, seed: Number(values.seed), to: join(resolve(values.to), 'readers') },
          seconds: secondsAsked,
        });
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  const verdict = isFine ? 'no fault' : 'a fault';
  console.log(`readers: ${done} inputs, ${verdict}, ${seconds} s, seed ${values.seed}`);
  return isFine;
}

const OTHERS = { policies: fuzzPolicies, readers: fuzzReaders };
if (!values['no-build'] && values.target.some((name) => Object.hasOwn(OTHERS, name))) {
  setUpAndBuild();
}
// One after the other, up to the first that found something.
let isFine = true;
for (const name of values.target) isFine &&= await (OTHERS[name] ?? fuzz)(name);
process.exit(isFine ? 0 : 1);
