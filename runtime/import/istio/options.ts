/** What an import of Istio's objects needs to be told, beside the objects. */

import type { Services } from '../route/model.js';

/** How the mesh normalises paths before it matches them. */
export type PathNormalization = 'BASE' | 'MERGE_SLASHES' | 'DECODE_AND_MERGE_SLASHES';

export interface IstioOptions {
  /** Namespace of objects that name none. */
  readonly namespace: string;
  readonly rootNamespace: string;
  /** The mesh's trust domain, then its aliases. */
  readonly trustDomains: readonly string[];
  /** Ports of workloads on which requests are judged. */
  readonly httpPorts: readonly number[];
  /** Ports of workloads that are known to carry something else. */
  readonly tcpPorts: readonly number[];
  /** Headers that carry claims, by claim; nested claims with dots. */
  readonly claims: ReadonlyMap<string, string>;
  /** Principals whose claim headers are believed: what verifies tokens. */
  readonly claimsFrom: readonly string[];
  /** True where no proxy stands before the mesh: the original client is the peer. */
  readonly remoteIsPeer: boolean;
  readonly paths: PathNormalization;
  /** Services of the world, which routes lead to. */
  readonly services: Services;
}

export const ISTIO_DEFAULTS: IstioOptions = {
  namespace: 'default',
  rootNamespace: 'istio-system',
  trustDomains: ['cluster.local'],
  httpPorts: [],
  tcpPorts: [],
  claims: new Map(),
  claimsFrom: [],
  remoteIsPeer: false,
  paths: 'BASE',
  services: new Map(),
};
