/** A policy project as weft.json describes it, with every default filled in. Plain data. */
import type { RefusalConfig, RefusalName } from '../abi/index.js';
import type { Position } from '../diagnostic/index.js';
import type { Attachment, Outcome } from './manifest.js';

export interface PolicyConfig {
  /** Path of the policy, relative to the project, with `/`. */
  readonly file: string;
  readonly attach: readonly Attachment[];
  readonly mode: 'enforce' | 'shadow';
  /** Where weft.json names it; null where the project was made in memory. */
  readonly at: Position | null;
}

export interface Budget {
  readonly instructions: number;
  readonly verified: number;
  readonly tableBytes: number;
  readonly fuel: number;
}

/** A scenario whose cases travel, or some of them by their ids. */
export interface SelfTestFile {
  readonly file: string;
  readonly cases: readonly string[] | null;
}

export interface ProjectConfig {
  readonly name: string;
  readonly policies: readonly PolicyConfig[];
  readonly default: Outcome;
  readonly trust: 'address' | 'none';
  readonly onChange: 'close' | 'keep';
  readonly failure: {
    readonly trap: Outcome;
    readonly fuel: Outcome;
    readonly unknownIdentity: Outcome;
    readonly parse: Outcome;
  };
  readonly refusals: Readonly<Record<RefusalName, RefusalConfig>>;
  readonly budget: Budget;
  readonly kernels: readonly string[];
  /** Cases that travel in the bundle; null: those of `scenario.yaml`, where there is one. */
  readonly selfTest: readonly SelfTestFile[] | null;
  /** Path of the world file, relative to the project; null where none is named. */
  readonly world: string | null;
}
