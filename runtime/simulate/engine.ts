/**
 * Runs the policies of a bundle, under V8 unless told, in the thread that calls it. Deterministic: a record is a
 * function of the connection's bytes. A policy that traps or runs out of fuel ends only itself.
 */
import {
  ABI_MODULE,
  CONNECTION,
  type ExportName,
  FIRST_SYMBOL,
  HOOK,
  NO_POLICY,
  REASON,
  ROUTE_HOOK,
  ROUTE_STOPPED,
  STOPPED,
  SYMBOL_ABSENT,
  SYMBOL_EMPTY,
  VERDICT,
} from '../../compiler/abi/index.js';
import {
  combine,
  combineRoutes,
  type Decision,
  type PolicyAnswer,
  type RouteAnswer,
} from '../../compiler/bundle/combine.js';
import type { Manifest, PolicyEntry } from '../../compiler/bundle/manifest.js';
import { BugError } from '../../compiler/diagnostic/index.js';
import { symbolTable } from '../discovery/identity.js';
import { type Current, hostImports, OUT_OF_FUEL, type Texts } from './host.js';
import { moduleOf, questionsOf, starting } from './policy-module.js';
import { ASKED, type Ask, RECORD, type RecordFields, writeDecision } from './record.js';
import {
  exportedGlobal,
  exportedMemory,
  resetter,
  startModule,
  type WasmGlobal,
  type WasmMemory,
} from './web-assembly.js';

/** The part of a manifest that decisions depend on. */
export type EngineManifest = Pick<
  Manifest,
  'policies' | 'symbols' | 'attributes' | 'headers' | 'default' | 'failure' | 'fuel'
>;

/** Plain data, so that it can be sent to a worker. */
export interface EngineSetup {
  readonly manifest: EngineManifest;
  readonly wasm: readonly (readonly [string, Uint8Array])[]; // by policy name
  /** Texts of the symbols beyond the bundle's own. */
  readonly symbols: readonly string[];
}

/** A policy that stopped early; `index` is the connection's. */
export interface Stop {
  readonly index: number;
  readonly policy: string;
  readonly export: ExportName;
  readonly message: string;
}

/** As many stops of a batch are described; all are counted as decisions say. */
export const MAX_STOPS: number = 64;

export interface EngineAnswer {
  /** RECORD.size bytes a connection. */
  readonly records: Uint8Array<ArrayBuffer>;
  readonly stops: readonly Stop[];
}

export interface Engine {
  /** Decides structs weft_connection, or weft_request, that lie one after the other. */
  readonly decide: (connections: Uint8Array, ask: Ask) => EngineAnswer;
  /** Decides the struct at the beginning of a view. */
  readonly decideOne: (
    view: DataView,
    ask: Ask,
  ) => { readonly record: RecordFields; readonly stops: readonly Stop[] };
}

/** A policy that can be asked, by whatever runs it. */
export interface Instance {
  readonly policy: PolicyEntry;
  /**
   * One function an export of the policy: asks it about the current struct. Throws OUT_OF_FUEL, BugError,
   * and for a trap anything else.
   */
  readonly call: Readonly<Partial<Record<ExportName, () => unknown>>>;
  /** Fuel that is left; set before each call. */
  readonly fuel: WasmGlobal | null;
  /** Forgets what a decision wrote; null where none writes. */
  readonly reset: (() => void) | null;
}

/** Makes a policy that can be asked; throws SimulateError SIMULATE_MODULE where it does not start. */
export type StartPolicy = (
  setup: EngineSetup,
  policy: PolicyEntry,
  texts: Texts,
  current: Current,
) => Instance;

/** The texts of a bundle and of the world that it decides in. */
export function textsOf(setup: Pick<EngineSetup, 'manifest' | 'symbols'>): Texts {
  const own = setup.manifest.symbols;
  const symbols = symbolTable(own);
  for (const text of setup.symbols) symbols.intern(text);
  const textOf = (symbol: number): string | null | undefined => {
    if (symbol === SYMBOL_ABSENT) return null;
    if (symbol === SYMBOL_EMPTY) return '';
    const index = symbol - FIRST_SYMBOL;
    return index < own.length ? own[index] : symbols.added[index - own.length];
  };
  return { symbols, textOf };
}

/** Starts a policy under V8, in this thread. */
const startInV8: StartPolicy = (setup, policy, texts, current) => {
  const bytes = moduleOf(setup.wasm, policy);
  let memory: WasmMemory | null = null;
  const imports = hostImports(setup.manifest, policy, texts, current, () => memory);
  const exports = starting(policy, () => startModule(bytes, { [ABI_MODULE]: imports }));
  memory = exportedMemory(exports, 'memory');
  const call = questionsOf(policy, (name) => {
    const found = exports[name];
    return typeof found === 'function' ? (found as (handle: number) => unknown) : null;
  });
  const globalOf = (name: string): WasmGlobal | null => exportedGlobal(exports, name);
  const reset = resetter(Object.keys(exports), globalOf, memory);
  return { policy, call, fuel: globalOf('fuel'), reset };
};

/** What stands for the decision where only a route is asked for. */
const UNASKED: Decision = {
  verdict: 'deny',
  site: 0,
  policy: NO_POLICY,
  reason: 'policy',
  audited: 0n,
  shadowAllow: 0n,
  shadowDeny: 0n,
};

/** Starts every policy of a bundle; throws SimulateError SIMULATE_MODULE where one does not start. */
export function createEngine(setup: EngineSetup, start: StartPolicy = startInV8): Engine {
  const current: Current = { view: new DataView(new ArrayBuffer(CONNECTION.size)), base: 0 };
  const texts = textsOf(setup);
  const instances = setup.manifest.policies.map((p) => start(setup, p, texts, current));
  const full = setup.manifest.fuel;
  let used = 0;
  let stops: Stop[] = [];
  let index = 0;

  const ask = (instance: Instance, name: ExportName): number => {
    const question = instance.call[name];
    if (question === undefined) throw new BugError(`${instance.policy.name} lacks ${name}`);
    const { fuel } = instance;
    if (fuel !== null) fuel.value = full;
    try {
      return Number(question()) >>> 0;
    } catch (error) {
      if (error instanceof BugError) throw error;
      const isFuel = error === OUT_OF_FUEL;
      if (stops.length < MAX_STOPS) {
        const message = isFuel ? 'out of fuel' : error instanceof Error ? error.message : 'trap';
        stops.push({ index, policy: instance.policy.name, export: name, message });
      }
      const kind = isFuel ? 'fuel' : 'trap';
      return ROUTE_HOOK.includes(name) ? ROUTE_STOPPED[kind] : STOPPED[kind];
    } finally {
      if (fuel !== null) used += full - Number(fuel.value);
      instance.reset?.();
    }
  };

  const asked = (name: ExportName): Instance[] =>
    instances.filter((instance) => instance.call[name] !== undefined);
  const byExport = Object.fromEntries(HOOK.map((name) => [name, asked(name)])) as Readonly<
    Record<ExportName, Instance[]>
  >;
  const requestRules = {
    ...setup.manifest,
    policies: setup.manifest.policies.map((p) => ({ ...p, canAllow: p.canAllowRequest })),
  };

  const isAttached = ({ policy: { index: bit } }: Instance): boolean => {
    const half = current.base + CONNECTION.policies + 4 * (bit >>> 5);
    return ((current.view.getUint32(half, true) >>> (bit & 31)) & 1) === 1;
  };

  const route = (name: ExportName): number => {
    const answers: RouteAnswer[] = [];
    for (const instance of byExport[name]) {
      if (instance.policy.mode !== 'enforce' || !isAttached(instance)) continue;
      const { index: policy, firstRoute, routes } = instance.policy;
      const answer = { policy, firstRoute, routes, value: ask(instance, name) };
      answers.push(answer);
      // The first opinion is final, so later policies are not asked (and burn no fuel).
      if (combineRoutes([answer]) !== 0) break;
    }
    return combineRoutes(answers);
  };

  const authorize = (name: 'authorizeConnection' | 'authorizeRequest'): Decision => {
    const answers: PolicyAnswer[] = [];
    for (const instance of byExport[name]) {
      if (!isAttached(instance)) continue;
      answers.push({ policy: instance.policy.index, value: ask(instance, name) });
    }
    return combine(name === 'authorizeRequest' ? requestRules : setup.manifest, answers);
  };

  const decide = (connections: Uint8Array, what: Ask): EngineAnswer => {
    const { route: routing, authorize: authorizing, size } = ASKED[what];
    if (connections.byteLength % size !== 0) {
      throw new BugError(`${connections.byteLength} bytes are no whole number of structs`);
    }
    const count = connections.byteLength / size;
    const records = new Uint8Array(count * RECORD.size);
    const out = new DataView(records.buffer);
    current.view = new DataView(connections.buffer, connections.byteOffset, connections.byteLength);
    stops = [];
    for (index = 0; index < count; index += 1) {
      current.base = index * size;
      used = 0;
      if (routing !== null) {
        out.setUint32(index * RECORD.size + RECORD.route, route(routing), true);
      }
      if (authorizing !== null) writeDecision(out, index * RECORD.size, authorize(authorizing));
      out.setUint32(index * RECORD.size + RECORD.fuel, used, true);
    }
    return { records, stops };
  };

  const decideOne: Engine['decideOne'] = (view, what) => {
    const { route: routing, authorize: authorizing } = ASKED[what];
    current.view = view;
    current.base = 0;
    if (stops.length > 0) stops = [];
    index = 0;
    used = 0;
    const routed = routing === null ? 0 : route(routing);
    const decision = authorizing === null ? UNASKED : authorize(authorizing);
    const { site, policy, audited, shadowAllow, shadowDeny } = decision;
    const verdict = VERDICT[decision.verdict];
    const reason = REASON[decision.reason];
    const marks = { audited, shadowAllow, shadowDeny };
    return {
      record: { verdict, site, policy, reason, ...marks, route: routed, fuel: used },
      stops,
    };
  };
  return { decide, decideOne };
}
