// A tree of its own that a fault can be seeded into: dist/, sources and tests are copied, the rest
// are links. The checkout itself is never touched. The modules that faults go into are made by
// esbuild also where no fault is seeded, so that the green run before is a run of the same code.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transformSync } from 'esbuild';

const COPIED = ['dist', 'bpf', 'compiler', 'runtime', 'test'];
/** Where the builds of C leave objects. */
const OBJECTS = ['dist/bpf', 'dist/http', 'dist/test/kernel/fixtures/bpf'];

const isC = ({ file }) => file.startsWith('bpf/');

function transpile(source, file) {
  return transformSync(source, {
    loader: 'ts',
    format: 'esm',
    target: 'es2023',
    sourcefile: file,
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
  }).code;
}

export class WorkCopy {
  #sources = new Map();
  #modules = new Map();

  /** Copies `root`, or rather `first`, an earlier copy of it: sources may change under our hands. */
  constructor(root, mutants, first = null) {
    this.root = mkdtempSync(join(tmpdir(), 'weft-mutate-'));
    try {
      this.#fill(root, mutants, first);
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  #fill(root, mutants, first) {
    for (const name of readdirSync(root)) {
      if (name === '.git') continue;
      const to = join(this.root, name);
      if (COPIED.includes(name)) cpSync(join(first?.root ?? root, name), to, { recursive: true });
      else symlinkSync(join(root, name), to);
    }
    for (const folder of OBJECTS) {
      cpSync(join(this.root, folder), join(this.root, 'objects', folder), { recursive: true });
    }
    for (const { file } of mutants) {
      const path = join(this.root, file);
      this.#sources.set(file, existsSync(path) ? readFileSync(path, 'utf8') : '');
    }
    for (const [file, source] of this.#sources) {
      if (!file.endsWith('.ts') || source === '') continue;
      this.#modules.set(file, transpile(source, file));
      this.restore({ file });
    }
  }

  #module(file) {
    return join(this.root, 'dist', file.replace(/\.ts$/, '.js'));
  }

  /** Puts a fault in; answers with what went wrong, or null. */
  async seed(mutant) {
    const { file, find, replace } = mutant;
    const source = this.#sources.get(file).replace(find, () => replace);
    if (!isC(mutant)) {
      try {
        writeFileSync(this.#module(file), transpile(source, file));
        return null;
      } catch (error) {
        return `does not compile: ${error.message.split('\n')[0]}`;
      }
    }
    writeFileSync(join(this.root, file), source);
    const script = /^bpf\/(http|batch)\//.test(file) ? 'bpf/http/build.mjs' : 'bpf/build.mjs';
    const made = spawnSync(process.execPath, [join(this.root, script)], { encoding: 'utf8' });
    return made.status === 0 ? null : `does not compile: ${made.stderr.split('\n')[0]}`;
  }

  /** Takes it out. */
  restore({ file }) {
    if (!file.startsWith('bpf/')) {
      writeFileSync(this.#module(file), this.#modules.get(file));
      return;
    }
    writeFileSync(join(this.root, file), this.#sources.get(file));
    for (const folder of OBJECTS) {
      rmSync(join(this.root, folder), { recursive: true });
      cpSync(join(this.root, 'objects', folder), join(this.root, folder), { recursive: true });
    }
  }

  /** Removes the tree. */
  remove() {
    rmSync(this.root, { recursive: true, force: true });
  }
}
