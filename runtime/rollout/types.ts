/**
 * What a rollout is made of: the plan, the document that the store keeps of it, and what nodes report.
 * All of it is JSON: times are milliseconds since 1970 by the control plane's clock, counts are safe integers.
 */

export type Labels = Readonly<Record<string, string>>;

/** `shadow`: nodes decide by the new bundle beside the old one; `canary`: some nodes run it; `all`: all do. */
export type StageKind = 'shadow' | 'canary' | 'all';

export interface Stage {
  readonly kind: StageKind;
  /** Of a canary: so many of a hundred nodes of the target; null where labels choose them. */
  readonly percent: number | null;
  readonly labels: Labels | null;
  /** So long must the stage hold, from when all of its nodes have taken the bundle. */
  readonly holdMs: number;
  /** Wait behind it for `resume`. */
  readonly pause: boolean;
}

export interface Gates {
  /** More nodes than this that refuse the bundle shut the gate. */
  readonly refusals: number;
  /** A node's share of denials may rise by so much beside its own before; 0.05 is five points of a hundred. */
  readonly rise: number;
  /** Share of verdicts in which the new bundle may differ in shadow. */
  readonly differences: number;
  /** Shares of fewer verdicts are not judged. */
  readonly atLeast: number;
  /** A node of the stage that says nothing for so long shuts the gate. */
  readonly silenceMs: number;
  /** So does one that has not taken the bundle after so long. */
  readonly confirmMs: number;
}

/** What a shut gate does. */
export type OnShut = 'rollback' | 'pause';

export interface RolloutSpec {
  /** Nodes with all of these labels; without any, all nodes. */
  readonly target: Labels;
  readonly stages: readonly Stage[];
  readonly gates: Gates;
  readonly onShut: OnShut;
}

export type RolloutState = 'running' | 'paused' | 'done' | 'undone';
/** Whose pause it is. */
export type PausedBy = 'operator' | 'plan' | 'gate';

export interface HistoryEntry {
  readonly time: number;
  readonly what: 'begin' | 'stage' | 'pause' | 'resume' | 'undo' | 'done';
  readonly stage: number;
  /** An operator, or null where the rollout moved by itself. */
  readonly by: string | null;
  readonly text: string;
}

/** When a node came under watch in this stage, and what it had counted until then. */
export interface Mark {
  readonly at: number;
  readonly allowed: number;
  readonly denied: number;
}

/** One rollout, as the store keeps it under `rollouts/<name of the bundle>`. */
export interface RolloutDocument {
  readonly schemaVersion: 1;
  readonly name: string;
  /** Counts the rollouts of this bundle's name, from 1. */
  readonly number: number;
  readonly digest: string;
  /** What the nodes of the target ran before; null where this is the first. */
  readonly before: string | null;
  readonly spec: RolloutSpec;
  readonly state: RolloutState;
  readonly pausedBy: PausedBy | null;
  /** Why it is paused or undone. */
  readonly reason: string | null;
  /** Index into the stages. */
  readonly stage: number;
  /** When the stage began. */
  readonly since: number;
  /** When all of its nodes had taken the bundle; null until then. */
  readonly settled: number | null;
  /** The plan's pause behind this stage has been answered. */
  readonly released: boolean;
  /** Nodes on the new bundle: those whose hash is below, and those with one of the sets of labels. */
  readonly canary: { readonly below: number; readonly labels: readonly Labels[] };
  readonly marks: Readonly<Record<string, Mark>>;
  readonly created: number;
  readonly by: string;
  readonly history: readonly HistoryEntry[];
}

/** What is known of a node, as the store keeps it under `nodes/<node>`. */
export interface NodeReport {
  readonly node: string;
  readonly labels: Labels;
  /** Version of its agent, and release of its kernel. */
  readonly agent: string;
  readonly kernel: string;
  /** The control plane that heard it, and when. */
  readonly control: string;
  readonly heard: number;
  readonly active: {
    readonly digest: string;
    readonly name: string;
    readonly generation: number;
  } | null;
  /** Its last refusal, until it takes another bundle. */
  readonly refused: {
    readonly digest: string;
    readonly code: string;
    readonly message: string;
    /** `file:line` of a policy. */
    readonly place: string | null;
    readonly time: number;
  } | null;
  /** Since the node's first load. */
  readonly counters: { readonly allowed: number; readonly denied: number; readonly lost: number };
  /** Verdicts by line of the active generation. */
  readonly rules: readonly RuleCount[];
  /** Of the bundle that it decides by beside its own: there once the bundle is accepted. */
  readonly shadow: ShadowCounts | null;
  /** How what the kernel holds differs from what was loaded. */
  readonly drift: string | null;
}

export interface RuleCount {
  readonly rule: string;
  readonly policy: string;
  readonly verdict: string;
  readonly count: number;
}

export interface ShadowCounts {
  readonly digest: string;
  readonly same: number;
  readonly different: number;
  /** Events that were lost, or could not be decided again. */
  readonly lost: number;
  /** The differences by what decided on either side, the most frequent first. */
  readonly rules: readonly {
    readonly old: string;
    readonly new: string;
    readonly count: number;
  }[];
}
