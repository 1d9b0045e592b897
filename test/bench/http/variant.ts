/** One way from client to server: no mesh, a proxy, Weft. All of them run at once; one is asked at a time. */
import type { Place } from './launch.js';
import type { Version } from './network.js';

/** The CPUs: the client has the first, the server the second; a proxy runs where the scheduler puts it. */
export const CPUS = { client: '0', server: '1', proxy: '0,1' } as const;

/** Peers that are no mesh: they refuse nothing, and no CPU time is theirs. */
export const NO_MESH: ReadonlySet<string> = new Set(['none', 'sk_msg']);

export interface Variant {
  readonly name: string;
  readonly client: Place;
  /** Whose replies can be asked for. */
  readonly versions: readonly Version[];
  /** `host:port` that the client asks for replies of this version. */
  readonly target: (version: Version) => string;
  /** CPU seconds so far of what answers, and of what stands between. */
  readonly serverCpu: () => number;
  readonly meshCpu: () => number;
  /** Throws where one of its programs has ended. */
  readonly mustLive: () => void;
}
