// The head parser and the reply framer under libFuzzer, natively and with AddressSanitizer.
// `npm run fuzz` is the long run (10 million inputs each); `npm run fuzz -- 100000 --target head`
// says how many and which. What it found new is kept in dist/fuzz/<target>/corpus; an input that
// fails is left in dist/fuzz/<target> and the exit code is 1.
// `npm run fuzz -- --target policies --decisions 10000000` (nightly) generates whole policies and compares the
// simulator and the kernel; a difference becomes a file of test/case, which every run of the tests decides.
// As root on Debian it installs the fuzzer library of the clang that is there, if that is missing.
// usage: npm run fuzz [-- [inputs] [--target head|frame|policies] [--decisions N] [--seed N] [--to DIRECTORY]]
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

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

function refuseUsage() {
  console.error(
    'usage: npm run fuzz [-- [inputs] [--target head|frame|policies] [--decisions N] [--seed N] [--to DIRECTORY]]',
  );
  process.exit(USAGE);
}
const { values, positionals } = parseArgs({
  options: {
    decisions: { type: 'string', default: '10000000' },
    seed: { type: 'string', default: '1' },
    target: { type: 'string', multiple: true, default: Object.keys(TARGETS) },
    to: { type: 'string', default: join(root, 'dist', 'fuzz') },
  },
  allowPositionals: true,
});
const inputs = Number(positionals[0] ?? INPUTS);
if (!Number.isSafeInteger(inputs) || inputs < 1 || !/^\d+$/.test(values.seed)) refuseUsage();
if (!/^[1-9]\d*$/.test(values.decisions)) refuseUsage();
if (values.target.some((name) => name !== 'policies' && !Object.hasOwn(TARGETS, name)))
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
// Of each bundle that test/differential generates: three policies, and so many decisions.
const DECISIONS_OF_BUNDLE = 2000;

/** Compares the engines on generated policies; differences go to test/case. */
function fuzzPolicies() {
  const bundles = Math.ceil(Number(values.decisions) / DECISIONS_OF_BUNDLE);
  const found = join(root, 'dist', 'differential');
  rmSync(found, { recursive: true, force: true });
  const started = Date.now();
  const env = { ...process.env, WEFT_BUNDLES: String(bundles), WEFT_SEED: values.seed };
  const ran = spawnSync(
    process.execPath,
    [join(root, 'scripts/test.mjs'), 'differential/policies'],
    {
      stdio: 'inherit',
      env,
    },
  );
  const cases = existsSync(found)
    ? readdirSync(found).filter((name) => name.endsWith('.case'))
    : [];
  for (const name of cases) {
    copyFileSync(join(found, name), join(root, 'test/case', `found-${name}`));
    console.log(`test/case/found-${name}`);
  }
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  const verdict = ran.status === 0 ? 'no difference' : 'a difference';
  console.log(
    `policies: ${bundles * 3} policies, ${bundles * DECISIONS_OF_BUNDLE} decisions, ${verdict}, ${seconds} s, seed ${values.seed}`,
  );
  return ran.status === 0;
}
process.exit(
  values.target.every((name) => (name === 'policies' ? fuzzPolicies() : fuzz(name))) ? 0 : 1,
);
