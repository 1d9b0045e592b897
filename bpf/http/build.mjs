// Compiles the head parser and the reply framer (with the chunk walker) twice each: to head.wasm and
// frame.wasm of dist/http for the simulator and the slow path, and on Linux to head-harness.o and
// frame-harness.o for test-runs; and what decides recorded traffic (bpf/batch), to batch.wasm. Each is
// remade only when what it was made from changed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const room = fileURLToPath(new URL('.', import.meta.url));
const root = join(room, '..', '..');
const to = join(root, 'dist', 'http');
const UNSUPPORTED = 4;
const COMMON = ['-O2', '-Wall', '-Wextra', '-Wno-unused-parameter', '-Werror', '-I', join(root, 'bpf')];
const WASM = [
  ...['--target=wasm32', '-nostdlib', '-ffreestanding', '-mbulk-memory'],
  ...['-Wl,--no-entry', '-Wl,--strip-all', '-Wl,-z,stack-size=4096'],
];
// Policies stand in the table of functions, and what stops one leaves the stack where it was.
const BATCH = [
  ...WASM.filter((flag) => !flag.includes('stack-size')),
  ...['-Wl,-z,stack-size=65536', '-Wl,--export-table', '-Wl,--growable-table'],
  ...['-mmutable-globals', '-Wl,--export=__stack_pointer', '-Wl,--export=__heap_base'],
];
const BPF = ['-g', '-target', 'bpf', '-mcpu=v3', `-ffile-prefix-map=${root}=.`, '-c'];

function refuse(problem) {
  console.error(`error: ${problem}\n  help: apt-get install clang lld libbpf-dev`);
  process.exit(UNSUPPORTED);
}

function findClang() {
  for (const command of [process.env.CLANG, 'clang', 'clang-19', 'clang-14']) {
    if (!command) continue;
    const asked = spawnSync(command, ['--version'], { encoding: 'utf8' });
    const version = /clang version \S+/.exec(asked.stdout ?? '');
    if (version) return { command, version: version[0] };
  }
  return refuse('no clang was found');
}

/** The linker that belongs to this clang: which looks for it beside itself first. */
function hasLinker(clang) {
  const asked = spawnSync(clang, ['-print-prog-name=wasm-ld'], { encoding: 'utf8' });
  return spawnSync(asked.stdout.trim(), ['--version']).status === 0;
}

/** Headers of asm live in a directory of the host's architecture, which -target bpf does not search. */
function includes() {
  const asked = spawnSync('sh', ['-c', 'echo /usr/include/*-linux-gnu'], { encoding: 'utf8' });
  return asked.stdout.trim().split(' ').filter(existsSync).flatMap((dir) => ['-idirafter', dir]);
}

/**
 * The PATH without npm's folders: clang runs a wasm-opt that it finds there, and binaryen's of
 * node_modules refuses what clang makes.
 */
function systemPath() {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.filter((folder) => !folder.includes('node_modules')).join(delimiter);
}

function compile(clang, flags, source, name) {
  const hash = createHash('sha256').update(JSON.stringify([clang.version, flags]));
  for (const folder of [room, join(room, dirname(source))]) {
    for (const file of readdirSync(folder).sort()) {
      if (file.endsWith('.h') || file === basename(source)) hash.update(readFileSync(join(folder, file)));
    }
  }
  const sum = hash.digest('hex');
  const [output, note] = [join(to, name), join(to, `${name}.sum`)];
  if (existsSync(output) && existsSync(note) && readFileSync(note, 'utf8') === sum) return;
  mkdirSync(dirname(output), { recursive: true });
  rmSync(note, { force: true });
  const done = spawnSync(clang.command, [...COMMON, ...flags, join(room, source), '-o', output], {
    stdio: 'inherit',
    cwd: root,
    env: { ...process.env, PATH: systemPath() },
  });
  if (done.status !== 0) process.exit(1);
  writeFileSync(note, sum);
}

const clang = findClang();
if (!hasLinker(clang.command)) refuse('the linker wasm-ld was not found');
compile(clang, WASM, 'module.c', 'head.wasm');
compile(clang, WASM, 'frame-module.c', 'frame.wasm');
compile(clang, BATCH, '../batch/module.c', 'batch.wasm');
if (process.platform === 'linux') {
  if (!existsSync('/usr/include/bpf/bpf_helpers.h')) refuse('the headers of libbpf were not found');
  compile(clang, [...BPF, ...includes()], 'head-harness.bpf.c', 'head-harness.o');
  compile(clang, [...BPF, ...includes()], 'frame-harness.bpf.c', 'frame-harness.o');
}
