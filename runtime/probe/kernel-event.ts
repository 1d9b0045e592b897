/** What a hook says of one verdict: struct weft_event of bpf/types.h, decoded. */

/** One verdict, as a hook reported it. */
export interface KernelEvent {
  readonly time: bigint;
  readonly now: bigint;
  readonly cookie: bigint;
  readonly cgroup: bigint;
  readonly audited: bigint;
  readonly shadowAllow: bigint;
  readonly shadowDeny: bigint;
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly endpoint: Uint8Array;
  readonly generation: number;
  readonly verdict: number;
  readonly reason: number;
  readonly site: number;
  readonly policy: number;
  readonly route: number;
  readonly routeSite: number;
  readonly service: number;
  readonly cluster: number;
  readonly sourceWorkload: number;
  readonly destinationWorkload: number;
  readonly random: number;
  readonly pick: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly endpointPort: number;
  readonly protocol: number;
  readonly family: number;
  readonly hook: string;
  /** It was open, and was judged again. */
  readonly open: boolean;
  /** Of a request, the first 16 and 64 bytes; status 0 where the mesh did not answer it. */
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly status: number;
  } | null;
}
