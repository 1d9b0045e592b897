/**
 * A process that writes to a store in a folder and tells each commit that was answered, one revision
 * a line; it kills itself before the step of the disk that its second argument counts.
 */
import { type Disk, type DiskFile, realDisk } from '../../runtime/store/disk.js';
import { openFolder } from '../../runtime/store/folder-store.js';

const [folder = '', stop = '', limit = '200'] = process.argv.slice(2);
let left = Number(stop);

function step(): void {
  if (left === 0) process.kill(process.pid, 'SIGKILL');
  left -= 1;
}

function watched(file: DiskFile): DiskFile {
  return {
    size: () => file.size(),
    async append(bytes) {
      step();
      const half = bytes.length >> 1;
      await file.append(bytes.subarray(0, half));
      step();
      await file.append(bytes.subarray(half));
    },
    async truncate(size) {
      step();
      await file.truncate(size);
    },
    async sync() {
      step();
      await file.sync();
    },
    close: () => file.close(),
  };
}

const disk: Disk = {
  ...realDisk,
  async create(path) {
    step();
    return watched(await realDisk.create(path));
  },
  open: async (path) => watched(await realDisk.open(path)),
  async rename(from, to) {
    step();
    await realDisk.rename(from, to);
  },
  async remove(path) {
    step();
    await realDisk.remove(path);
  },
  async syncFolder(path) {
    step();
    await realDisk.syncFolder(path);
  },
};

const store = await openFolder(folder, { disk, logBytes: Number(limit) });
for (let i = 0; i < 6; i += 1) {
  const revision = await store.commit(
    [],
    [
      { key: `k${i % 3}`, value: new Uint8Array(60).fill(i) },
      { key: 'last', value: Uint8Array.of(i) },
    ],
  );
  process.stdout.write(`${revision}\n`);
}
await store.close();
process.stdout.write('end\n');
