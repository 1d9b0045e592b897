/** The world of an agent as a value, so that it runs in process under test. Only entries make one from `process`. */
import type { StoreEnvironment } from '../forward/index.js';
import type { Kernel } from '../kernel/index.js';
import type { Usage } from './metrics.js';
import type { Paths } from './paths.js';

export interface AgentEnv {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly signal: AbortSignal;
  readonly version: string;
  /** Where whoever started this process says what it keeps for it. */
  readonly started: StoreEnvironment;
  now(): Date;
  clockOffset(): bigint;
  usage(): Usage;
  openKernel(): Kernel | Promise<Kernel>;
  nodePaths(): Paths | Promise<Paths>;
}
