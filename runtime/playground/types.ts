/** What the page of `weft playground` and its worker say to each other: plain data. */
import type { Diagnostic } from '../../compiler/diagnostic/index.js';
import type { ExplanationDocument } from '../explain/index.js';
import type { Outcome } from '../simulate/index.js';

/** Text by path in the project: weft.json, the world, policies, a scenario. */
export type Files = Readonly<Record<string, string>>;

/** A project to begin with. */
export interface Example {
  readonly name: string;
  readonly files: Files;
}

/** What becomes of one case of the scenario. */
export interface CaseAnswer {
  readonly id: string;
  /** What is asked: `a -> b:80 GET /x`. */
  readonly asked: string;
  readonly outcome: Outcome;
  /** What its `expect` says otherwise, as `key: want, have`. */
  readonly differences: readonly string[];
  /** Line of the case in the scenario. */
  readonly line: number | null;
}

/** A table or set as it was declared, and what it became. */
export interface TableAnswer {
  readonly policy: string;
  readonly name: string;
  readonly kind: string;
  readonly form: string;
  readonly bytes: number;
  readonly entries: number;
  /** Keys and values of the first entries; a set has no values. */
  readonly rows: readonly (readonly [string, string])[];
}

/** What the policies became, as text; null where the compilation did not come so far. */
export interface Program {
  readonly asm: string | null;
  readonly ir: string | null;
  readonly plan: string | null;
}

export interface Answer {
  readonly diagnostics: readonly Diagnostic[];
  /** Digest of the bundle; null where there are errors. */
  readonly digest: string | null;
  readonly cases: readonly CaseAnswer[];
  readonly tables: readonly TableAnswer[];
  readonly program: Program;
  /** Names that a case may use: workloads, and services with a port. */
  readonly places: readonly string[];
}

/** A case to add, as a form gives it. */
export interface NewCase {
  readonly from: string;
  readonly to: string;
  readonly protocol: 'tcp' | 'udp';
  /** Empty where the connection itself is asked about. */
  readonly method: string;
  readonly path: string;
  /** One a line, as `name: value`. */
  readonly headers: string;
}

/** What the page asks; the worker answers in order. */
export type Asked =
  | { readonly kind: 'answer'; readonly files: Files }
  | { readonly kind: 'explain'; readonly id: string }
  | { readonly kind: 'add'; readonly text: string; readonly added: NewCase };

export type Told =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly answer: Answer }
  | {
      readonly kind: 'explain';
      readonly id: string;
      readonly explanation: ExplanationDocument | null;
    }
  | { readonly kind: 'add'; readonly text: string; readonly id: string }
  | { readonly kind: 'fault'; readonly message: string };
