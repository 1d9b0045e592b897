// The head parser under libFuzzer, natively and with AddressSanitizer. `npm run fuzz` is the long
// run (10 million inputs); `npm run fuzz -- 100000` says how many. What it found new is kept in
// dist/fuzz/corpus; an input that fails is left in dist/fuzz and the exit code is 1.
// As root on Debian it installs the fuzzer library of the clang that is there, if that is missing.
// usage: npm run fuzz [-- [inputs] [--seed N] [--to DIRECTORY]]
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const INPUTS = 10_000_000;
const UNSUPPORTED = 4;
const USAGE = 64;
const root = fileURLToPath(new URL('..', import.meta.url));
const { values, positionals } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    to: { type: 'string', default: join(root, 'dist', 'fuzz') },
  },
  allowPositionals: true,
});
const to = resolve(values.to);
const inputs = Number(positionals[0] ?? INPUTS);
if (!Number.isSafeInteger(inputs) || inputs < 1 || !/^\d+$/.test(values.seed)) {
  console.error('usage: npm run fuzz [-- [inputs] [--seed N] [--to DIRECTORY]]');
  process.exit(USAGE);
}

mkdirSync(join(to, 'corpus'), { recursive: true });
const program = join(to, 'head');
const clang = process.env.CLANG ?? 'clang';
const build = (stdio) =>
  spawnSync(
    clang,
    [
      ...['-O2', '-g', '-fsanitize=fuzzer,address,undefined', '-fno-sanitize-recover=undefined'],
      ...['-I', join(root, 'bpf'), join(root, 'test/fuzz/head.c'), '-o', program],
    ],
    { stdio },
  ).status === 0;

/** The Debian package with the libraries of -fsanitize; null where there is no clang. */
function runtimePackage() {
  const asked = spawnSync(clang, ['--version'], { encoding: 'utf8' });
  const major = /clang version (\d+)/.exec(asked.stdout ?? '')?.[1];
  return major === undefined ? null : `libclang-rt-${major}-dev`;
}
if (!build('ignore')) {
  const missing = runtimePackage() ?? 'clang';
  if (process.getuid?.() === 0) {
    console.error(`installing ${missing}`);
    spawnSync('apt-get', ['update', '-qq'], { stdio: ['ignore', 2, 2] });
    spawnSync('apt-get', ['install', '-y', '-qq', missing], { stdio: ['ignore', 2, 2] });
  }
  if (!build('inherit')) {
    console.error(`error: the fuzz target could not be built\n  help: apt-get install ${missing}`);
    process.exit(UNSUPPORTED);
  }
}

// Where a fuzzer has to start from: one head of each kind. The first byte says where it is cut.
const line = 'Host: a\r\n';
const SEEDS = [
  `GET /a/../b?c HTTP/1.1\r\n${line}X-Team: blue\r\nCookie: a=b\r\n\r\n`,
  `POST /%2e%2E/%41 HTTP/1.1\r\n${line}Content-Length: 12\r\nExpect: 100-continue\r\n\r\n`,
  `POST http://a/b HTTP/1.1\r\n${line}Transfer-Encoding: chunked\r\nConnection: a, close\r\n\r\n`,
  `CONNECT a:443 HTTP/1.1\r\n${line}Connection: upgrade\r\nUpgrade: x\r\n\r\n`,
  'OPTIONS * HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
  `GET /${'x'.repeat(100)} HTTP/1.1\r\n${line}A:${' '.repeat(40)}${'v'.repeat(200)} \t\r\n\r\n`,
];
for (const [index, text] of SEEDS.entries())
  writeFileSync(
    join(to, 'corpus', `seed-${index}`),
    `${String.fromCharCode(40 * index)}${text}`,
    'latin1',
  );

const started = Date.now();
const ran = spawnSync(
  program,
  [
    ...[`-runs=${inputs}`, `-seed=${values.seed}`, '-max_len=9000', '-print_final_stats=1'],
    ...[`-dict=${join(root, 'test/fuzz/head.dict')}`, `-artifact_prefix=${to}/`, '-verbosity=0'],
    join(to, 'corpus'),
  ],
  { stdio: 'inherit' },
);
const seconds = ((Date.now() - started) / 1000).toFixed(1);
const verdict = ran.status === 0 ? 'no fault' : 'a fault';
console.log(`${inputs} inputs asked for, ${verdict}, ${seconds} s, seed ${values.seed}`);
process.exit(ran.status === 0 ? 0 : 1);
