/**
 * The store in an etcd cluster, which several control planes share: its version 3 interface over gRPC.
 * Consensus, durability and leases are etcd's; here are only their words.
 */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import { type MethodsOf, methodsOf } from '../../grpc/index.js';
import { checkCommit, checkKey } from '../check-commit.js';
import { StoreError } from '../store-error.js';
import type { Change, Condition, Entry, Lease, Listing, Store, Write } from '../types.js';
import { Endpoints, faultOf, isServiceError, type Members, type TlsFiles } from './endpoints.js';
import {
  Compare_CompareTarget,
  type CompareSchema,
  KV,
  LeaseGrantRequestSchema,
  Lease as LeaseService,
  RangeRequestSchema,
  type RangeResponse,
  type RequestOpSchema,
  type TxnRequest,
  TxnRequestSchema,
  Watch,
} from './gen/etcd/rpc_pb.js';
import { endOf, toEntry, toKey } from './keys.js';
import { EtcdLease } from './lease.js';
import { watchEtcd } from './watch.js';

/** Keys of one answer of a list: some megabytes at most where values are chunks of bundles. */
const PAGE_KEYS = 64;

const KV_METHODS: MethodsOf<typeof KV> = methodsOf(KV);
const LEASE_METHODS: MethodsOf<typeof LeaseService> = methodsOf(LeaseService);
const WATCH_METHODS: MethodsOf<typeof Watch> = methodsOf(Watch);

export class EtcdStore implements Store {
  readonly #endpoints: Members;
  readonly #closed = new AbortController();
  readonly #leases = new Set<EtcdLease>();

  constructor(endpoints: Members) {
    this.#endpoints = endpoints;
  }

  async get(key: string): Promise<Entry | null> {
    checkKey(key);
    const { kvs } = await this.#range({ key: toKey(key) });
    return kvs[0] === undefined ? null : toEntry(kvs[0]);
  }

  async list(prefix: string): Promise<Listing> {
    const first = toKey(prefix);
    const entries: Entry[] = [];
    let revision = 0n;
    for (let key = first; ; ) {
      const page = await this.#range({
        key,
        rangeEnd: endOf(first),
        limit: BigInt(PAGE_KEYS),
        revision,
      });
      // Later pages are of the moment of the first.
      if (revision === 0n) revision = page.header?.revision ?? 0n;
      entries.push(...page.kvs.map(toEntry));
      const last = page.kvs.at(-1);
      if (!page.more || last === undefined) return { entries, revision };
      if (Buffer.compare(last.key, key) < 0)
        throw new StoreError('D112', 'etcd: a page of a list ends before it begins');
      // The key that follows directly.
      key = Uint8Array.of(...last.key, 0);
    }
  }

  async commit(when: readonly Condition[], writes: readonly Write[]): Promise<bigint | null> {
    this.#checkOpen();
    checkCommit(when, writes);
    const leases = writes.flatMap(({ lease }) => (lease === undefined ? [] : [lease]));
    if (leases.some((lease) => lease.lost.aborted || !this.#leases.has(lease as EtcdLease)))
      throw new StoreError('D109', 'the lease of a commit has ended');
    let doubt = false;
    const answer = await this.#endpoints
      .call(KV_METHODS.txn, transaction(when, writes), () => {
        doubt = true;
      })
      .catch((error: unknown) => {
        if (isServiceError(error) && error.code === status.NOT_FOUND) {
          for (const lease of leases) if (lease instanceof EtcdLease) lease.drop();
          throw new StoreError('D109', 'the lease of a commit has ended', { cause: error });
        }
        if (doubt) throw new StoreError('D105', faultOf(error).message, { cause: error });
        throw faultOf(error);
      });
    if (answer.succeeded) return answer.header?.revision ?? 0n;
    if (!doubt) return null;
    const found = answer.responses.map(({ response }) =>
      response.case === 'responseRange' ? (response.value.kvs[0] ?? null) : null,
    );
    const revision = standing(
      writes,
      found.map((kv) => (kv === null ? null : toEntry(kv))),
    );
    if (revision === null)
      throw new StoreError(
        'D105',
        'etcd: the answer to a commit was lost, and its keys have changed',
      );
    return revision;
  }

  async *watch(
    prefix: string,
    from: bigint,
    signal: AbortSignal,
  ): AsyncIterable<readonly Change[]> {
    this.#checkOpen();
    const until = AbortSignal.any([signal, this.#closed.signal]);
    yield* watchEtcd(this.#endpoints, WATCH_METHODS, prefix, from, until);
  }

  async lease(ttlMs: number): Promise<Lease> {
    this.#checkOpen();
    const request = create(LeaseGrantRequestSchema, { TTL: BigInt(Math.ceil(ttlMs / 1000)) });
    let sent = performance.now();
    const granted = await this.#endpoints
      .call(LEASE_METHODS.leaseGrant, request, () => {
        sent = performance.now();
      })
      .catch((error: unknown) => {
        throw faultOf(error);
      });
    const span = Number(granted.TTL) * 1000;
    const lease = new EtcdLease(this.#endpoints, LEASE_METHODS, granted.ID, span, sent);
    this.#leases.add(lease);
    lease.lost.addEventListener('abort', () => this.#leases.delete(lease), { once: true });
    return lease;
  }

  async close(): Promise<void> {
    if (this.#closed.signal.aborted) return;
    await Promise.all([...this.#leases].map((lease) => lease.release()));
    this.#closed.abort();
    this.#endpoints.close();
  }

  #checkOpen(): void {
    if (this.#closed.signal.aborted) throw new StoreError('D110', 'the store is closed');
  }

  async #range(asked: {
    key: Uint8Array;
    rangeEnd?: Uint8Array;
    limit?: bigint;
    revision?: bigint;
  }): Promise<RangeResponse> {
    this.#checkOpen();
    try {
      return await this.#endpoints.call(KV_METHODS.range, create(RangeRequestSchema, asked));
    } catch (error) {
      throw error instanceof StoreError ? error : faultOf(error);
    }
  }
}

function compareOf({ key, revision }: Condition): MessageInitShape<typeof CompareSchema> {
  return {
    target: Compare_CompareTarget.MOD,
    key: toKey(key),
    // etcd gives 0 for a key that is absent.
    targetUnion: { case: 'modRevision', value: revision },
  };
}

function operationOf({ key, value, lease }: Write): MessageInitShape<typeof RequestOpSchema> {
  if (value === null) {
    return { request: { case: 'requestDeleteRange', value: { key: toKey(key) } } };
  }
  const id = lease instanceof EtcdLease ? lease.id : 0n;
  return { request: { case: 'requestPut', value: { key: toKey(key), value, lease: id } } };
}

function readOf({ key }: Write): MessageInitShape<typeof RequestOpSchema> {
  return { request: { case: 'requestRange', value: { key: toKey(key) } } };
}

/** All writes if all conditions hold; else what the keys to be written hold. */
function transaction(when: readonly Condition[], writes: readonly Write[]): TxnRequest {
  return create(TxnRequestSchema, {
    compare: when.map(compareOf),
    success: writes.map(operationOf),
    failure: writes.map(readOf),
  });
}

/**
 * The revision of these writes where exactly they stand: what a commit did whose answer was lost, and
 * whose conditions it has itself undone. Null where that cannot be told.
 */
function standing(writes: readonly Write[], found: readonly (Entry | null)[]): bigint | null {
  const revisions = new Set<bigint>();
  for (const [i, { value }] of writes.entries()) {
    const entry = found[i] ?? null;
    if (value === null) {
      if (entry !== null) return null;
    } else {
      if (entry === null || Buffer.compare(entry.value, value) !== 0) return null;
      revisions.add(entry.revision);
    }
  }
  const [revision] = revisions;
  return revisions.size === 1 && revision !== undefined ? revision : null;
}

/** Opens the cluster at these addresses. Throws D107 where no member answers, D108 where none lets in. */
export async function openEtcd(
  urls: readonly URL[],
  files: TlsFiles,
  patience?: number,
): Promise<EtcdStore> {
  const store = new EtcdStore(new Endpoints(urls, files, patience));
  try {
    await store.get('leader');
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}
