/** What a link needs of the node that it speaks for. It knows nothing of kernels and bundles but this. */
import type { BundleMode, Item } from '../control/wire/index.js';

/** What became of a bundle on this node. */
export type Applied =
  | { readonly ok: true; readonly generation: number }
  | {
      readonly ok: false;
      readonly code: string;
      readonly message: string;
      /** `file:line` of a policy. */
      readonly place: string | null;
    };

/** A bundle that the node runs, or decides by beside the one that it runs. */
export interface Running {
  readonly name: string;
  readonly digest: string;
  readonly mode: BundleMode;
}

export interface EventWish {
  readonly verdict: string;
  readonly workload: string;
}

export interface LinkHooks {
  /** Resolves also where the bundle is at fault. */
  apply(item: Item): Promise<Applied>;
  /** The control plane no longer names it. What is enforced runs on; what is in shadow ends. */
  withdraw(name: string, mode: BundleMode): Promise<void>;
  running(): readonly Running[];
  /** What the node says of itself, as JSON (runtime/rollout's NodeReport without what control knows). */
  report(): Promise<object>;
  /** Gives matching verdicts, as JSON, to `take` from now on; null: to nobody. */
  events(wish: EventWish | null, take: (record: string) => void): void;
}
