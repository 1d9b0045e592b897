/** The world of an agent as a value, so that it runs in process under test. Only entries make one from `process`. */
import type { StoreEnvironment } from '../forward/index.js';
import type { Kernel } from '../kernel/index.js';
import type { Patience } from '../link/index.js';
import type { Usage } from './metrics.js';
import type { Paths } from './paths.js';

/** Messages between an agent and its successor. */
export interface Channel {
  send(message: object): void;
  onMessage(handler: (message: unknown) => void): void;
  onClose(handler: () => void): void;
}

export interface AgentEnv {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly signal: AbortSignal;
  readonly version: string;
  /** Where whoever started this process says what it keeps for it. */
  readonly started: StoreEnvironment;
  /** To the agent that started this one to succeed it; null where none did. */
  readonly channel: Channel | null;
  /** The command line of this process, from which a successor is started. */
  readonly command: readonly string[];
  /** The command that changes of the node are made by, each in a process of its own; null: they are made here. */
  readonly stager: readonly string[] | null;
  /** Calls back when the process is told to hand over to a successor (SIGHUP). */
  onHandOver(handler: () => void): void;
  /** With control planes that say nothing; as runtime/link has it unless told. */
  readonly patience?: Patience;
  now(): Date;
  clockOffset(): bigint;
  usage(): Usage;
  /** Collects what V8 holds and nobody needs; null where the process is not the agent's own. */
  readonly collect: (() => void) | null;
  openKernel(): Kernel | Promise<Kernel>;
  nodePaths(): Paths | Promise<Paths>;
}
