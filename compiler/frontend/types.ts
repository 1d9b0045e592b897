/** What the frontend hands on: one policy file, compiled, snapshotted and fuelled. */
import type { AttributeSlot, ExportName, PartKind, RouteTarget, SideName } from '../abi/index.js';
import type { Diagnostic, Position } from '../diagnostic/index.js';

/** Text files by path; the compiler reads nothing else. Paths are relative to the project, with `/`. */
export type SourceReader = (path: string) => string | null;

/** State of a module after its configure phase. */
export interface Snapshot {
  readonly memory: Uint8Array; // all of linear memory, a multiple of 64 KiB
  readonly globals: readonly bigint[]; // value of each defined global, bit pattern, in index order
}
/** Runs `configure` of a module sealed (no import may be called). Rejects with SnapshotError. */
export type Snapshotter = (wasm: Uint8Array) => Promise<Snapshot>;
/** Runs a step that is not the compiler's own work; whoever wants to know times it. The compiler has no clock. */
export type StepTimer = <T>(step: 'asc' | 'configure', run: () => Promise<T>) => Promise<T>;

/** One written `Verdict.X` or returned route. */
export interface Site {
  readonly site: number; // bundle-wide, from 1
  readonly kind: 'verdict' | 'route';
  readonly verdict: string | null; // allow | deny | pass | audit for kind verdict
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A call of what JavaScript has and a policy has not. */
export interface ForeignCall {
  readonly name: string; // as written: `Date.now`
  readonly at: Position;
}

export type TableKey =
  | { readonly kind: 'integer'; readonly value: bigint }
  | { readonly kind: 'text'; readonly value: string };
export interface TableDeclaration {
  readonly name: string;
  readonly keyKind: 'integer' | 'text';
  readonly entries: readonly { readonly key: TableKey; readonly value: number }[]; // value: u32 bit pattern
  readonly at: Position | null;
}
export interface CidrDeclaration {
  readonly name: string;
  /** Parsed prefixes: 16 address bytes (IPv4 mapped), length within the family (0..32 or 0..128). */
  readonly prefixes: readonly {
    readonly family: 4 | 6;
    readonly bytes: Uint8Array;
    readonly length: number;
    readonly text: string;
  }[];
  readonly at: Position | null;
}
/** A range of ports, both ends within it. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}
export interface PortsDeclaration {
  readonly name: string;
  readonly ranges: readonly PortRange[];
  readonly at: Position | null;
}
/** A PathTable, HostTable or RegexTable. */
export interface PatternsDeclaration {
  readonly name: string;
  readonly kind: 'path' | 'host' | 'regex';
  /** As written; value: u32 bit pattern. */
  readonly entries: readonly { readonly text: string; readonly value: number }[];
  readonly at: Position | null;
}
/** A part of a key; an address has 16 bytes (IPv4 mapped). */
export type KeyPart =
  | TableKey
  | { readonly kind: 'address'; readonly bytes: Uint8Array; readonly text: string };
export interface KeysDeclaration {
  readonly name: string;
  /** Kinds of the parts, in each key; none where there is no key. */
  readonly kinds: readonly PartKind[];
  readonly entries: readonly { readonly parts: readonly KeyPart[]; readonly value: number }[];
  readonly at: Position | null;
}
/** What a rule says of one part of a connection; of several about one part, one must hold. */
export type RuleCriterion =
  | {
      readonly field: 'address';
      readonly side: SideName;
      readonly prefix: CidrDeclaration['prefixes'][number];
    }
  | ({ readonly field: 'port' } & PortRange)
  | { readonly field: 'protocol' | 'kind'; readonly value: number }
  | ({ readonly field: 'attribute'; readonly text: string } & Pick<
      AttributeSlot,
      'side' | 'attribute' | 'key'
    >);
export interface Rule {
  readonly criteria: readonly RuleCriterion[];
  readonly value: number; // u32 bit pattern
  readonly priority: number;
  readonly at: Position | null;
}
export interface RulesDeclaration {
  readonly name: string;
  /** The first that holds counts. */
  readonly rules: readonly Rule[];
  readonly at: Position | null;
}
export interface RouteDeclaration {
  /** Names of clusters are `reviews/v1` or `reviews.prod/v1`. */
  readonly target: RouteTarget;
  readonly at: Position | null;
}
/** Memory and globals that are a decision's own: each begins with what the configure phase left. */
export interface Scratch {
  /** Globals of AssemblyScript's runtime, which are no statics of the policy. */
  readonly globals: readonly number[];
  /** First address of memory that was free after the configure phase. */
  readonly from: number;
}
/** What the configure phase declared; index = the number that the decide phase passes to the ABI (route: index + 1). */
export interface Registry {
  readonly tables: readonly TableDeclaration[];
  readonly cidrs: readonly CidrDeclaration[];
  readonly ports: readonly PortsDeclaration[];
  readonly patterns: readonly PatternsDeclaration[];
  readonly keys: readonly KeysDeclaration[];
  readonly rules: readonly RulesDeclaration[];
  readonly routes: readonly RouteDeclaration[];
}

export interface FrontendResult {
  /** Snapshotted and fuelled: what the simulator runs and what is decoded for lowering. Imports only `weft`. */
  readonly wasm: Uint8Array;
  /** Exported policy functions that exist. */
  readonly exports: Readonly<Record<ExportName, boolean>>;
  readonly sites: readonly Site[];
  readonly registry: Registry;
  /** Code offset in `wasm` -> policy source, by source map. Null for code without a source. */
  readonly locate: (wasmOffset: number) => Position | null;
  /** The same as a source map, for the bundle. */
  readonly sourceMap: string;
  /** Text of a source line (1-based), for line_info and carets. */
  readonly lineText: (file: string, line: number) => string;
  /** What a decision may write and forgets; null where the module allocates nothing while it decides. */
  readonly scratch: Scratch | null;
  /** Calls of what a policy has not, for what is told of the code that they became. */
  readonly foreign: readonly ForeignCall[];
  /** Index of the global that holds the fuel; exported as `fuel` too, so that hosts can set and read it. */
  readonly fuelGlobal: number;
}

/** What the IR of a policy is built from. */
export type PolicyModule = Pick<
  FrontendResult,
  'wasm' | 'locate' | 'lineText' | 'scratch' | 'fuelGlobal'
>;

/** How much asc optimizes: all; little, of long policies; nothing, where it is asked what stands where. */
export type AscEffort = 'full' | 'little' | 'none';

export interface FrontendOptions {
  readonly file: string; // path of policy.ts in the project
  readonly read: SourceReader;
  readonly snapshot: Snapshotter;
  readonly firstSite: number;
  readonly fuel: number;
  /** How much asc optimizes; all unless told. */
  readonly effort?: AscEffort;
  readonly timed?: StepTimer | undefined;
}
export type FrontendOutcome =
  | {
      readonly ok: true;
      readonly result: FrontendResult;
      readonly diagnostics: readonly Diagnostic[];
    }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };
