export { MAX_COMMIT_BYTES, MAX_COMMIT_CHANGES } from './check-commit.js';
export { CODES as STORE_CODES } from './codes.js';
export { memoryStore } from './memory-store.js';
export { openStore } from './open-store.js';
export { isCompacted, isStoreError, StoreError } from './store-error.js';
export type { Change, Condition, Entry, Lease, Listing, Store, Write } from './types.js';
