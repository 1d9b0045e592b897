/**
 * One process at a time in a folder. The lock is a hard link made atomically; it names its holder, so
 * that the lock of a process that died is taken over instead of blocking for ever.
 */
import {
  linkSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const PAUSE_MS = 50;

export interface Taken {
  readonly release: () => void;
}

/** The process that keeps the lock. */
export interface Kept {
  readonly holder: string;
}

/** `pid startTime`: a pid alone may have been given to another process since. */
function identity(pid: string): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Field 22; the command in field 2 may hold blanks and brackets.
    const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return `${stat.split(' ')[0]} ${start}`;
  } catch {
    return null;
  }
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function tryLink(own: string, lock: string): boolean {
  try {
    linkSync(own, lock);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** What the file that a process links its lock from begins with. */
function ownPrefix(holder: string): string {
  return `lock.${holder.replace(' ', '.')}.`;
}

/** Removes the lock of a dead holder; leaves one that changed hands meanwhile. */
function removeStale(lock: string, seen: string, own: string): void {
  const aside = `${own}.stale`;
  try {
    renameSync(lock, aside);
  } catch {
    return;
  }
  if (read(aside) !== seen) tryLink(aside, lock);
  unlinkSync(aside);
  const run = dirname(lock);
  for (const name of readdirSync(run)) {
    if (name.startsWith(ownPrefix(seen))) rmSync(join(run, name), { force: true });
  }
}

let turn = 0;

/** Takes the lock of `folder`, which exists; waits `patience` milliseconds for who holds it. */
export async function takeLock(folder: string, patience: number): Promise<Taken | Kept> {
  const lock = join(folder, 'lock');
  const self = identity('self') ?? 'unknown';
  turn += 1;
  const own = join(folder, `${ownPrefix(self)}${turn}`);
  writeFileSync(own, self);
  try {
    for (let waited = 0; !tryLink(own, lock); waited += PAUSE_MS) {
      const holder = read(lock);
      const [pid = ''] = (holder ?? '').split(' ');
      if (holder !== null && identity(pid) !== holder) {
        removeStale(lock, holder, own);
      } else if (waited >= patience) {
        unlinkSync(own);
        return { holder: pid };
      } else {
        await wait(PAUSE_MS);
      }
    }
  } catch (error) {
    rmSync(own, { force: true });
    throw error;
  }
  return {
    release: () => {
      unlinkSync(lock);
      unlinkSync(own);
    },
  };
}
