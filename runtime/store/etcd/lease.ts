/**
 * A lease of etcd, renewed three times in its span. It counts as lost when the span has passed since
 * the last renewal that was answered was *sent*: no later than etcd itself lets it go.
 */
import { create } from '@bufbuild/protobuf';
import { Metadata } from '@grpc/grpc-js';
import type { MethodsOf } from '../../grpc/index.js';
import type { Lease } from '../types.js';
import type { Members } from './endpoints.js';
import {
  LeaseKeepAliveRequestSchema,
  type LeaseKeepAliveResponse,
  LeaseRevokeRequestSchema,
  type Lease as LeaseService,
} from './gen/etcd/rpc_pb.js';

export class EtcdLease implements Lease {
  readonly id: bigint;
  readonly #endpoints: Members;
  readonly #methods: MethodsOf<typeof LeaseService>;
  readonly #ttlMs: number;
  readonly #end = new AbortController();
  #renewal: NodeJS.Timeout | undefined;
  #expiry: NodeJS.Timeout | undefined;

  /** `sent`: when the lease was asked for, by the monotonic clock. */
  constructor(
    endpoints: Members,
    methods: MethodsOf<typeof LeaseService>,
    id: bigint,
    ttlMs: number,
    sent: number,
  ) {
    this.id = id;
    this.#endpoints = endpoints;
    this.#methods = methods;
    this.#ttlMs = ttlMs;
    this.#answered(sent);
  }

  get lost(): AbortSignal {
    return this.#end.signal;
  }

  /** Ends it here: etcd has let it go, or will. */
  drop(): void {
    clearTimeout(this.#renewal);
    clearTimeout(this.#expiry);
    this.#end.abort();
  }

  async release(): Promise<void> {
    if (this.#end.signal.aborted) return;
    this.drop();
    const request = create(LeaseRevokeRequestSchema, { ID: this.id });
    // Where nobody answers, or it is gone already, time ends it.
    await this.#endpoints.call(this.#methods.leaseRevoke, request).catch(() => undefined);
  }

  #answered(sent: number): void {
    clearTimeout(this.#expiry);
    const left = sent + this.#ttlMs - performance.now();
    this.#expiry = setTimeout(() => this.drop(), Math.max(0, left));
    this.#renewIn(this.#ttlMs / 3);
  }

  #renewIn(ms: number): void {
    clearTimeout(this.#renewal);
    this.#renewal = setTimeout(() => void this.#renew(), ms);
  }

  async #renew(): Promise<void> {
    const client = this.#endpoints.client();
    const sent = performance.now();
    try {
      const ttl = await this.#ask(client);
      if (this.#end.signal.aborted) return;
      if (ttl <= 0n) this.drop();
      else this.#answered(sent);
    } catch {
      if (this.#end.signal.aborted) return;
      this.#endpoints.next(client);
      this.#renewIn(Math.min(200, this.#ttlMs / 10));
    }
  }

  /** One renewal over a stream of its own. Resolves to the seconds that are left; 0n: it is gone. */
  #ask(client: ReturnType<Members['client']>): Promise<bigint> {
    const method = this.#methods.leaseKeepAlive;
    return new Promise((resolve, reject) => {
      const stream = client.makeBidiStreamRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        new Metadata(),
        { deadline: Date.now() + this.#ttlMs / 3 },
      );
      stream.once('data', (answer: LeaseKeepAliveResponse) => {
        resolve(answer.TTL);
        stream.end();
      });
      stream.on('error', reject);
      stream.once('end', () => reject(new Error('no answer')));
      stream.write(create(LeaseKeepAliveRequestSchema, { ID: this.id }));
    });
  }
}
