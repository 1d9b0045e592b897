/** What every form of the store asks of a commit, so that one that fits here fits etcd too. */
import { BugError } from '../../compiler/diagnostic/index.js';
import { StoreError } from './store-error.js';
import type { Condition, Write } from './types.js';

/** etcd refuses a request over 1.5 MiB (`--max-request-bytes`); keys and framing need some of it. */
export const MAX_COMMIT_BYTES: number = 1 << 20;
/** etcd's `--max-txn-ops`: conditions and changes each. */
export const MAX_COMMIT_CHANGES = 128;
/** Our own: names of nodes and bundles and a digest fit many times. */
export const MAX_KEY_LENGTH = 512;

const KEY = /^[\x21-\x7e]+$/;

/** Throws BugError where `key` is not printable ASCII without blanks: keys are made by us. */
export function checkKey(key: string): void {
  if (key.length > MAX_KEY_LENGTH || !KEY.test(key)) throw new BugError(`store key \`${key}\``);
}

function checkDistinct(keys: readonly string[]): void {
  if (new Set(keys).size !== keys.length) throw new BugError('a key twice in one commit');
}

/** Throws D111 for a commit that is too large, BugError for one that is none. */
export function checkCommit(when: readonly Condition[], writes: readonly Write[]): void {
  for (const { key } of [...when, ...writes]) checkKey(key);
  checkDistinct(when.map(({ key }) => key));
  checkDistinct(writes.map(({ key }) => key));
  if (Math.max(when.length, writes.length) > MAX_COMMIT_CHANGES) {
    throw new StoreError(
      'D111',
      `a commit of ${writes.length} changes is over the limit of ${MAX_COMMIT_CHANGES}`,
    );
  }
  const bytes = writes.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
  if (bytes > MAX_COMMIT_BYTES) {
    throw new StoreError(
      'D111',
      `a commit of ${bytes} bytes is over the limit of ${MAX_COMMIT_BYTES}`,
    );
  }
}
