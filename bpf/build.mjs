// Compiles bpf/*.bpf.c to dist/bpf/*.o. An object is remade only when what it was made from
// changed: beside each lies <name>.sum, the hash of compiler version, flags, source and headers.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const room = fileURLToPath(new URL('.', import.meta.url));
const root = join(room, '..');
const FLAGS = ['-O2', '-g', '-Wall', '-Werror', '-target', 'bpf', '-mcpu=v3'];
const OLDEST_CLANG = 14;
const UNSUPPORTED = 4;

function refuse(problem) {
  console.error(`error: ${problem}\n  help: apt-get install clang libbpf-dev`);
  process.exit(UNSUPPORTED);
}

/** The first clang that is new enough, and its version line. */
function findClang() {
  for (const command of [process.env.CLANG, 'clang', 'clang-19', 'clang-14']) {
    if (!command) continue;
    const asked = spawnSync(command, ['--version'], { encoding: 'utf8' });
    const version = /clang version (\d+)\S*/.exec(asked.stdout ?? '');
    if (version && Number(version[1]) >= OLDEST_CLANG) return { command, version: version[0] };
  }
  return refuse(`no clang of version ${OLDEST_CLANG} or later was found`);
}

/** Headers of uapi/asm live in a directory of the host's architecture, which -target bpf does not search. */
function includes() {
  const asked = spawnSync('sh', ['-c', 'echo /usr/include/*-linux-gnu'], { encoding: 'utf8' });
  return asked.stdout.trim().split(' ').filter(existsSync).flatMap((dir) => ['-idirafter', dir]);
}

/**
 * Compiles each source of `from` whose sum differs from the one kept in `to`.
 */
function compileAll(from, to) {
  const clang = findClang();
  if (!existsSync('/usr/include/bpf/bpf_helpers.h')) refuse('the headers of libbpf were not found');
  mkdirSync(to, { recursive: true });
  // A source may include another: all count.
  const parts = readdirSync(room, { recursive: true }).map(String);
  const included = parts.filter((name) => /\.(h|bpf\.c)$/.test(name)).sort();
  const sources = readdirSync(from).filter((name) => name.endsWith('.bpf.c')).sort();
  for (const source of sources) {
    const name = source.replace(/\.bpf\.c$/, '');
    const hash = createHash('sha256').update(JSON.stringify([clang.version, FLAGS]));
    for (const header of included) hash.update(readFileSync(join(room, header)));
    const sum = hash.update(readFileSync(join(from, source))).digest('hex');
    const [object, note] = [join(to, `${name}.o`), join(to, `${name}.sum`)];
    if (existsSync(object) && existsSync(note) && readFileSync(note, 'utf8') === sum) continue;
    rmSync(note, { force: true });
    const done = spawnSync(
      clang.command,
      // Paths in debug information are relative, so that any checkout gives the same bytes.
      [...FLAGS, ...includes(), `-ffile-prefix-map=${root}=.`, '-I', room, '-c', join(from, source), '-o', object],
      { stdio: 'inherit', cwd: root },
    );
    if (done.status !== 0) process.exit(1);
    writeFileSync(note, sum);
  }
  for (const name of readdirSync(to)) {
    if (!sources.includes(`${name.replace(/\.(o|sum)$/, '')}.bpf.c`)) rmSync(join(to, name));
  }
}

if (process.platform !== 'linux') {
  console.error('note: BPF objects are only built on Linux; all but loading works without them');
  process.exit(0);
}
compileAll(room, join(root, 'dist', 'bpf'));
const fixtures = join(root, 'test', 'kernel', 'fixtures');
if (existsSync(fixtures)) compileAll(fixtures, join(root, 'dist', 'test', 'kernel', 'fixtures', 'bpf'));
