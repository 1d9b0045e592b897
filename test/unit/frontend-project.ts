/** Projects of a few lines for the frontend's tests: files in memory, compiled under V8. */

import { hasErrors } from '../../compiler/diagnostic/index.js';
import type {
  FrontendOutcome,
  FrontendResult,
  Snapshotter,
} from '../../compiler/frontend/index.js';
import { compileFrontend } from '../../compiler/frontend/index.js';
import { preferFastStart, v8Snapshot } from '../../runtime/snapshot/index.js';

preferFastStart(); // dozens of short compiles: the optimizing tier never pays

/** The little of WebAssembly's API that is used; the types of Node 20 lack it. */
interface Wasm {
  readonly Module: {
    new (wasm: Uint8Array): object;
    imports(module: object): readonly { readonly name: string }[];
  };
  readonly Instance: new (
    module: object,
    imports: object,
  ) => { readonly exports: Readonly<Record<string, unknown>> };
}
const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: Wasm };

/** First line of most policies, so their own text starts in line 2. */
export const IMPORTS =
  'import { Attribute, CidrSet, cluster, Connection, address, HostTable, KeyTable, PathTable, PortSet, RuleList, RegexTable, Protocol, redirect, respond, Route, split, Table, Verdict, edit, waypoint } from "weft";\n';
/** A policy function for policies that are about their top level. */
export const ALLOW =
  'export function authorizeConnection(connection: Connection): Verdict { return Verdict.Allow; }\n';

export type Files = Readonly<Record<string, string>>;

export function compile(
  files: Files | string,
  snapshot: Snapshotter = v8Snapshot,
  firstSite = 1,
): Promise<FrontendOutcome> {
  const all: Files = typeof files === 'string' ? { 'policy.ts': IMPORTS + files } : files;
  const file = Object.keys(all)[0] ?? 'policy.ts';
  return compileFrontend({
    file,
    read: (path) => all[path] ?? null,
    snapshot,
    firstSite,
    fuel: 1000,
  });
}

export async function compiled(files: Files | string, firstSite = 1): Promise<FrontendResult> {
  const outcome = await compile(files, v8Snapshot, firstSite);
  if (!outcome.ok) throw new Error(outcome.diagnostics.map((d) => d.message).join('; '));
  return outcome.result;
}

/** Errors of a policy as `CODE file:line:column message`. */
export async function findings(files: Files | string, snapshot?: Snapshotter): Promise<string[]> {
  const outcome = await compile(files, snapshot);
  if (outcome.ok === hasErrors(outcome.diagnostics)) throw new Error('`ok` and errors disagree');
  return outcome.diagnostics.map((d) => `${d.code} ${d.file}:${d.line}:${d.column} ${d.message}`);
}

/** What a connection answers to a policy's questions; the rest is zero. */
export interface Answers {
  readonly port?: number;
  readonly protocol?: number;
  readonly random?: number;
  /** Gets the texts that `is` asks about; each is answered by its place, from 100. */
  readonly texts?: string[];
  readonly imports?: Readonly<Record<string, (...args: number[]) => number | bigint>>;
}

/** Runs a policy function of the compiled module and returns its word. */
export function decide(
  result: FrontendResult,
  name: 'authorizeConnection' | 'routeConnection',
  answers: Answers = {},
): number {
  const module = new WebAssembly.Module(result.wasm);
  const weft: Record<string, (...args: number[]) => number | bigint> = {};
  for (const item of WebAssembly.Module.imports(module)) {
    weft[item.name] = item.name === 'now' ? () => 0n : () => 0;
  }
  Object.assign(weft, {
    destination_port: () => answers.port ?? 0,
    protocol: () => answers.protocol ?? 6,
    random: () => answers.random ?? 0,
    symbol: (at: number) => {
      const memory = (instance.exports['memory'] as { readonly buffer: ArrayBuffer }).buffer;
      const bytes = new DataView(memory).getUint32(at - 4, true);
      const text = new TextDecoder('utf-16le').decode(new Uint8Array(memory, at, bytes));
      return 99 + (answers.texts?.push(text) ?? 1);
    },
    out_of_fuel: () => {
      throw new Error('out of fuel');
    },
    ...answers.imports,
  });
  const instance = new WebAssembly.Instance(module, { weft });
  return (instance.exports[name] as (connection: number) => number)(0) >>> 0;
}
