/**
 * Key files that are renewed while the program runs. Looked at by turns instead of by inotify: what
 * writes certificates (cert-manager, a Kubernetes volume) swaps links several folders up. A pair is
 * taken when all three files make one; until then the old one stays, and the fault is told once.
 */
import { messageOf } from '../../compiler/diagnostic/index.js';
import {
  type KeyFiles,
  type KeyPair,
  type KeyPaths,
  readKeyFiles,
  readKeyPair,
} from './key-pair.js';

/** How often the files are looked at, in milliseconds: far below any certificate's life. */
const LOOK_MS = 2_000;

export interface WatchedKeys {
  readonly current: KeyPair;
  /** Told of each new pair; answers with how to stop being told. */
  onChange(listener: (pair: KeyPair) => void): () => void;
  close(): void;
}

export interface WatchOptions {
  readonly onFault: (error: unknown) => void;
  readonly lookMs?: number;
}

function isSame(a: KeyFiles, b: KeyFiles): boolean {
  return a.ca.equals(b.ca) && a.cert.equals(b.cert) && a.key.equals(b.key);
}

/** Opens the files and looks at them until `close`. Throws IdentityError where they are no pair now. */
export function watchKeys(paths: KeyPaths, options: WatchOptions): WatchedKeys {
  let current = readKeyPair(paths);
  let told: string | null = null;
  const listeners = new Set<(pair: KeyPair) => void>();
  const look = (): void => {
    try {
      const files = readKeyFiles(paths);
      // Reading keys takes some milliseconds, comparing bytes none.
      if (told === null && isSame(current, files)) return;
      const next = readKeyPair(paths, files);
      told = null;
      if (isSame(current, next)) return;
      current = next;
      for (const listener of [...listeners]) listener(next);
    } catch (error) {
      const message = messageOf(error);
      if (message !== told) options.onFault(error);
      told = message;
    }
  };
  const timer = setInterval(look, options.lookMs ?? LOOK_MS);
  timer.unref();
  return {
    get current() {
      return current;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => clearInterval(timer),
  };
}
