/** The store of tests and demonstrations: nothing outlives the process. */
import { Ledger } from './ledger.js';
import { LocalStore } from './local-store.js';

/** An empty store in memory; several parts of one process may share it. */
export function memoryStore(): LocalStore {
  return new LocalStore(new Ledger(), {
    async write() {},
    async close() {},
  });
}
