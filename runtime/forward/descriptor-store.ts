/**
 * Descriptors that survive this process: whoever started it keeps copies of them (systemd, or `weft
 * keeper`) and gives them to the next one (sd_notify(3), FDSTORE=1; sd_listen_fds(3)). An exchange that the
 * kernel redirects goes on while nobody reads its connection, as long as somebody holds it open.
 */
import { closeSync } from 'node:fs';
import type { Kernel } from '../kernel/index.js';

/** The first descriptor that is handed over at a start (SD_LISTEN_FDS_START). */
const FIRST = 3;

export interface DescriptorStore {
  /** What the process before left, by name; who takes one closes it. The rest is closed by `release`. */
  take(name: string): number | null;
  /** Names of what was not taken yet. */
  readonly names: readonly string[];
  /** Keeps a copy under a name; false where nobody keeps any. */
  keep(name: string, fd: number): boolean;
  /** Forgets all copies of that name. */
  forget(name: string): void;
  /** Tells whoever started this process how it fares (READY=1, WATCHDOG=1, …). */
  tell(state: string): void;
  /** Somebody keeps. */
  readonly isThere: boolean;
}

export interface StoreEnvironment {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
}

/** Nobody keeps anything. */
export const NO_STORE: DescriptorStore = {
  take: () => null,
  names: [],
  keep: () => false,
  forget: () => {},
  tell: () => {},
  isThere: false,
};

/** What LISTEN_FDS names; none where it is for another process. */
function inherited({ env, pid }: StoreEnvironment): Map<string, number> {
  const count = Number(env['LISTEN_FDS'] ?? '0');
  const isOurs = env['LISTEN_PID'] === undefined || Number(env['LISTEN_PID']) === pid;
  const names = (env['LISTEN_FDNAMES'] ?? '').split(':');
  const found = new Map<string, number>();
  if (!isOurs || !Number.isSafeInteger(count)) return found;
  for (let at = 0; at < count; at++) {
    const name = names[at] ?? '';
    const twin = found.get(name);
    // The last copy under a name is the one that holds.
    if (twin !== undefined) closeSync(twin);
    found.set(name, FIRST + at);
  }
  return found;
}

/** Opens the store of this process, as its environment describes it. */
export function openDescriptorStore(
  kernel: Pick<Kernel, 'sendDescriptor'>,
  environment: StoreEnvironment,
  onFault: (error: unknown) => void,
): DescriptorStore {
  const path = environment.env['NOTIFY_SOCKET'] ?? '';
  const left = inherited(environment);
  const send = (text: string, fd: number | null): boolean => {
    if (path === '') return false;
    try {
      kernel.sendDescriptor(path, text, fd);
      return true;
    } catch (error) {
      onFault(error);
      return false;
    }
  };
  return {
    take: (name) => {
      const fd = left.get(name) ?? null;
      left.delete(name);
      return fd;
    },
    get names(): readonly string[] {
      return [...left.keys()];
    },
    keep: (name, fd) => send(`FDSTORE=1\nFDNAME=${name}`, fd),
    forget: (name) => void send(`FDSTOREREMOVE=1\nFDNAME=${name}`, null),
    tell: (state) => void send(state, null),
    isThere: path !== '',
  };
}
