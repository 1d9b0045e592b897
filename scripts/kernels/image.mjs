// The guest's whole file system as one uncompressed cpio archive, which the kernel unpacks into
// memory: Node and its libraries as this machine has them, busybox as init, the measuring program,
// the built objects and the samples. No disk, no module, no driver is needed.
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

const INIT = (libraries) => `#!/busybox sh
/busybox mount -t proc proc /proc
/busybox mount -t sysfs sys /sys
/busybox mount -t devtmpfs dev /dev
/busybox mount -t bpf bpf /sys/fs/bpf
/busybox mount -t cgroup2 none /sys/fs/cgroup
/busybox mount -t tmpfs tmp /tmp
/busybox ip link set lo up
echo 1 > /proc/sys/net/core/bpf_jit_enable
export LD_LIBRARY_PATH=${libraries} HOME=/tmp
/node /weft/guest.mjs
/busybox poweroff -f
`;

/** Libraries that a program or a library needs, by path. */
function libraries(file) {
  const { stdout } = spawnSync('ldd', [file], { encoding: 'utf8' });
  return [...stdout.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, path]) => path);
}

/** Where the loader finds a library by its name. */
function libraryPath(name) {
  const { stdout } = spawnSync('/sbin/ldconfig', ['-p'], { encoding: 'utf8' });
  const line = stdout.split('\n').find((text) => text.trim().startsWith(`${name} `));
  if (line === undefined) throw new Error(`no ${name} on this machine`);
  return line.split('=> ')[1];
}

/** The program of the guest as one file; what has native parts stays outside. */
async function guestProgram(dist) {
  const { outputFiles } = await build({
    entryPoints: [join(dist, 'test/kernels/guest.js')],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: ['koffi'],
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    logLevel: 'warning',
  });
  return outputFiles[0].contents;
}

/** Writes an archive in the format that the kernel takes (Documentation: initramfs buffer format). */
class Archive {
  #fd;
  #number = 0;
  #folders = new Set();

  constructor(path) {
    this.#fd = openSync(path, 'w');
  }

  #entry(path, mode, bytes) {
    this.#number += 1;
    const name = Buffer.from(`${path}\0`);
    const links = 1;
    const fields = [this.#number, mode, 0, 0, links, 0, bytes.length, 0, 0, 0, 0, name.length, 0];
    const head = `070701${fields.map((f) => f.toString(16).padStart(8, '0')).join('')}`;
    const pad = (length) => Buffer.alloc((4 - (length % 4)) % 4);
    for (const part of [head, name, pad(head.length + name.length), bytes, pad(bytes.length)])
      writeSync(this.#fd, part);
  }

  folder(path) {
    if (path === '.' || path === '' || this.#folders.has(path)) return;
    this.folder(dirname(path));
    this.#folders.add(path);
    this.#entry(path, 0o040755, Buffer.alloc(0));
  }

  file(path, bytes) {
    const name = path.replace(/^\//, '');
    this.folder(dirname(name));
    this.#entry(name, 0o100755, bytes);
  }

  close() {
    this.#entry('TRAILER!!!', 0, Buffer.alloc(0));
    closeSync(this.#fd);
  }
}

/** Makes the archive at `to`; `specimens` is a folder of files for the guest. */
export async function makeImage({ dist, busybox, specimens, to }) {
  const archive = new Archive(to);
  for (const name of ['proc', 'sys', 'dev', 'tmp', 'run']) archive.folder(name);
  const modules = ['koffi', '@koromix/koffi-linux-x64'].map((name) =>
    join(dist, '../node_modules', name),
  );
  const native = readdirSync(modules[1], { recursive: true })
    .map((name) => join(modules[1], String(name)))
    .filter((name) => name.endsWith('.node'));
  const libbpf = libraryPath('libbpf.so.1');
  const needed = [process.execPath, libbpf, ...native].flatMap(libraries);
  const shared = new Set([libbpf, libraryPath('libc.so.6'), ...needed]);
  for (const path of shared) archive.file(path, readFileSync(path));
  archive.file('node', readFileSync(process.execPath));
  archive.file('busybox', readFileSync(busybox));
  archive.file('init', Buffer.from(INIT([...new Set([...shared].map(dirname))].join(':'))));
  archive.file('weft/guest.mjs', await guestProgram(dist));
  const copies = [
    ...modules.map((path) => [path, path.slice(path.indexOf('node_modules'))]),
    ...['bpf', 'http'].map((name) => [join(dist, name), name]),
    [specimens, 'specimens'],
  ];
  for (const [from, name] of copies)
    for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath ?? entry.path, entry.name);
      if (entry.isFile())
        archive.file(join('weft', name, path.slice(from.length)), readFileSync(path));
    }
  archive.close();
}
