/** The bundle's manifest (config.json): everything about a bundle that is not code. Plain data, stable key order. */
import type {
  ABI_VERSION,
  AttributeSlot,
  ExportName,
  PartKind,
  PredicateBit,
  RefusalName,
  Reply,
  RouteTarget,
} from '../abi/index.js';
import type { Scratch, Site } from '../frontend/types.js';
import type { CaseLayer } from './cases.js';

export type Outcome = 'deny' | 'allow';
export interface Attachment {
  readonly namespace?: string;
  readonly workload?: Readonly<Record<string, string>>;
  readonly service?: string;
}
export interface RuleEntry {
  /** Where it was written, as `policy.ts:12`. */
  readonly at: string;
  readonly value: number;
  readonly priority: number;
  /** What it says of parts, as texts (compiler/frontend/rule-text.ts); of several of one part one must hold. */
  readonly when: readonly (readonly string[])[];
}
export interface PolicyEntry {
  readonly index: number;
  readonly name: string; // file name without .ts, unique in the bundle
  readonly file: string;
  readonly mode: 'enforce' | 'shadow';
  readonly attach: readonly Attachment[];
  readonly exports: readonly ExportName[];
  /** Derived: its code can answer Allow to a connection. */
  readonly canAllow: boolean;
  /** Derived: its code can answer Allow to a request. */
  readonly canAllowRequest: boolean;
  /** Route n of the policy is routes[firstRoute + n - 1] of the bundle. */
  readonly firstRoute: number;
  readonly routes: number;
  /** What a decision may write and forgets; null where it writes nothing. */
  readonly scratch: Scratch | null;
  /** For the simulator: tables and sets by number. Text keys are strings; order is declaration order. */
  readonly tables: readonly {
    readonly name: string;
    readonly keyKind: 'integer' | 'text';
    readonly entries: readonly (readonly [string, number])[]; // integer keys in decimal
  }[];
  readonly cidrs: readonly { readonly name: string; readonly prefixes: readonly string[] }[];
  /** First and last port of each range. */
  readonly ports: readonly {
    readonly name: string;
    readonly ranges: readonly (readonly [number, number])[];
  }[];
  /** Tables of patterns; the last value of a pattern counts, and of regular expressions the first that matches. */
  readonly patterns: readonly {
    readonly name: string;
    readonly kind: 'path' | 'host' | 'regex';
    readonly entries: readonly (readonly [string, number])[];
  }[];
  /** Tables of keys of several parts, as texts; integers in decimal. The last value of a key counts. */
  readonly keys: readonly {
    readonly name: string;
    readonly kinds: readonly PartKind[];
    readonly entries: readonly (readonly [readonly string[], number])[];
  }[];
  /** Rule lists; the first rule that holds counts. */
  readonly rules: readonly { readonly name: string; readonly rules: readonly RuleEntry[] }[];
}
export interface FunctionCost {
  readonly name: string;
  readonly instructions: number;
  readonly worstInstructions: number | null; // null: loops
  readonly stackBytes: number;
  readonly lookups: number;
}
/** What a declared table or set became. */
export interface TableCost {
  readonly policy: string;
  readonly kind: 'table' | 'addresses' | 'ports' | 'paths' | 'hosts' | 'regexes' | 'keys' | 'rules';
  readonly name: string;
  readonly entries: number;
  /** How it is looked up, in words. */
  readonly form: string;
  readonly bytes: number;
}
/** `policy` gives the scope of a cluster's short name. */
export type ManifestRoute = RouteTarget & { readonly policy: number };
export interface Manifest {
  readonly schemaVersion: 1;
  readonly abiVersion: typeof ABI_VERSION;
  readonly name: string;
  readonly policies: readonly PolicyEntry[];
  /** By bundle-wide route number - 1. */
  readonly routes: readonly ManifestRoute[];
  readonly sites: readonly Site[];
  /** symbols[i] has symbol FIRST_SYMBOL + i. */
  readonly symbols: readonly string[];
  readonly attributes: readonly AttributeSlot[];
  readonly predicates: readonly PredicateBit[];
  /** Names of headers by slot, in lower case. */
  readonly headers: readonly string[];
  readonly default: Outcome;
  readonly trust: 'address' | 'none';
  readonly onChange: 'close' | 'keep';
  readonly failure: {
    readonly trap: Outcome;
    readonly fuel: Outcome;
    readonly unknownIdentity: Outcome;
    readonly parse: Outcome;
  };
  /** What a request hears that goes nowhere, ready to be sent; each at most MAX_REPLY bytes. */
  readonly refusals: Readonly<Record<RefusalName, Reply>>;
  readonly fuel: number;
  readonly kernels: readonly string[];
  readonly cost: {
    readonly functions: readonly FunctionCost[];
    readonly tables: readonly TableCost[];
    /** Of all tables. */
    readonly tableBytes: number;
  };
  /** Source text by file, so that carets, line_info and explanations need no checkout. */
  readonly sources: Readonly<Record<string, string>>;
}

/** A bundle in memory. Object files: one for any kernel, one for kernels with may_goto (the same where no loop is). */
export interface Bundle {
  readonly manifest: Manifest;
  readonly wasm: ReadonlyMap<string, Uint8Array>; // by policy name
  /** Source maps of the modules: byte offsets of the WASM to places in `manifest.sources`. */
  readonly maps: ReadonlyMap<string, string>; // by policy name
  readonly objects: { readonly base: Uint8Array; readonly mayGoto: Uint8Array };
  /** What a node's kernel must answer before the bundle decides there; null where the project says nothing. */
  readonly cases: CaseLayer | null;
  /** What it was made of: a CycloneDX document, see sbom.ts. */
  readonly sbom: string;
}
