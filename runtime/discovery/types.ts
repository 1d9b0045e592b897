/** The world: services, endpoints and workloads, read from world.yaml and checked. */
import type { Position } from '../../compiler/diagnostic/index.js';

/** 16 bytes in network order; IPv4 as ::ffff:a.b.c.d. */
export interface Address {
  readonly family: 4 | 6;
  readonly bytes: Uint8Array;
  readonly text: string;
}
export type Protocol = 'tcp' | 'udp';
export interface ServicePort {
  readonly port: number;
  readonly target: number;
  readonly protocol: 'tcp' | 'udp' | 'http';
}
export interface Cluster {
  readonly name: string; // reviews/v1
  readonly selector: Readonly<Record<string, string>>;
}
export interface Service {
  readonly name: string; // name.namespace
  readonly namespace: string;
  readonly addresses: readonly Address[];
  readonly ports: readonly ServicePort[];
  readonly clusters: readonly Cluster[];
  readonly balance: 'round-robin' | 'random';
  readonly at: Position | null;
}
export interface Workload {
  readonly name: string; // name.namespace
  readonly namespace: string;
  readonly addresses: readonly Address[];
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string | null;
  readonly trustDomain: string;
  readonly locality: { readonly region: string | null; readonly zone: string | null };
  readonly node: string | null;
  readonly cgroup: string | null;
  /** False: no node judges what it sends. */
  readonly enrolled?: boolean;
  readonly healthy: boolean;
  readonly weight: number; // default 1; 0 gets nothing
  readonly at: Position | null;
}
export interface World {
  readonly file: string | null;
  readonly services: readonly Service[];
  readonly workloads: readonly Workload[];
}
