// What the control plane's store keeps through crashes and races.
export const STORE = [
  {
    class: 'durability',
    name: 'a commit is answered before it is on the disk',
    file: 'runtime/store/folder-store.ts',
    find: 'await this.#append(bytes);\n    await this.#sync();',
    replace: 'await this.#append(bytes);',
    suite: 'unit/store-folder',
  },
  {
    class: 'durability',
    name: 'old files go before the new log has its name for sure',
    file: 'runtime/store/folder-store.ts',
    find: 'await this.#disk.syncFolder(this.#folder);\n      await this.#log.close();',
    replace: 'await this.#log.close();',
    suite: 'unit/store-folder',
  },
  {
    class: 'durability',
    name: "a record's head has no checksum of its own",
    file: 'runtime/store/frame.ts',
    find: 'view.getUint32(at, true) !== MAGIC || view.getUint32(at + SUMMED_BYTES, true) !== sum',
    replace: 'view.getUint32(at, true) !== MAGIC',
    suite: 'unit/store-folder',
  },
  {
    class: 'durability',
    name: 'commits that wait together do not see each other',
    file: 'runtime/store/local-store.ts',
    find: 'this.#ledger.plan(waiting.when, waiting.writes, planned)',
    replace: 'this.#ledger.plan(waiting.when, waiting.writes, [])',
    suite: 'unit/store-memory',
  },
];
