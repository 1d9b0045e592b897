/**
 * Starts the policies of a bundle for the module that decides by the block: most of what they ask it answers
 * itself, the rest is asked of the usual host over the same bytes.
 */
import {
  ABI_IMPORTS,
  ABI_MODULE,
  ATTRIBUTE,
  type ExportName,
  HOOK,
  parsePattern,
  SIDE,
} from '../../compiler/abi/index.js';
import type { PolicyEntry } from '../../compiler/bundle/manifest.js';
import { BugError } from '../../compiler/diagnostic/index.js';
import { predicateHolds } from '../discovery/identity.js';
import type { BatchImports, BatchModule } from './batch-module.js';
import type { EngineSetup } from './engine.js';
import { textsOf } from './engine.js';
import { type Current, hostImports, NOWHERE, stringReader, type Texts } from './host.js';
import { moduleOf, starting } from './policy-module.js';
import {
  exportedGlobal,
  exportedMemory,
  resetter,
  startModule,
  type WasmExports,
  type WasmMemory,
} from './web-assembly.js';

/** Two functions of a global: `fill(n)` sets it, `left()` reads it, both without JavaScript. */
const FUEL_MODULE: Uint8Array = Uint8Array.from(
  Buffer.from(
    '0061736d01000000' + // magic, version
      '0109' +
      '02' +
      '60017f00' +
      '6000017f' + // types: (i32) and () -> i32
      '020b' +
      '01' +
      '0170' +
      '046675656c' +
      '037f01' + // import p.fuel: mutable i32
      '0303' +
      '02' +
      '0001' +
      '070f' +
      '02' +
      '0466696c6c0000' +
      '046c6566740001' + // export fill, left
      '0a0d' +
      '02' +
      '06' +
      '00200024000b' +
      '04' +
      '0023000b',
    'hex',
  ),
);

const PREDICATES = ['startsWith', 'endsWith', 'contains'] as const;
const STEP = { literal: 1, element: 2, rest: 3, end: 4 } as const;

/** What the module asks of policies and their texts. */
export type PolicyImports = Pick<
  BatchImports,
  'learn_text' | 'learn_pattern' | 'predicate' | 'ask'
>;

function stepBytes(text: string): Uint8Array {
  const steps = parsePattern(text);
  if (steps === null) throw new BugError(`\`${text}\` is no pattern`);
  return Uint8Array.from(
    steps.flatMap((step) => {
      if (step.op !== 'literal') return [STEP[step.op]];
      const { length } = step.text;
      return [STEP.literal, length & 0xff, length >> 8, ...Buffer.from(step.text, 'latin1')];
    }),
  );
}

interface Started {
  readonly policy: PolicyEntry;
  readonly exports: WasmExports;
  readonly read: (pointer: number) => string;
}

/** Starts policies in a module; `imports` of it answer once they have started. */
export class BatchPolicies {
  readonly imports: PolicyImports;
  private readonly setup: EngineSetup;
  private readonly texts: Texts;
  private readonly started = new Map<number, Started>();
  private module: BatchModule | null = null;
  private readonly asks = new Map<number, (hook: number) => number>();

  constructor(setup: EngineSetup) {
    this.setup = setup;
    const texts = textsOf(setup);
    this.texts = texts;
    const { attributes, headers } = setup.manifest;
    const labelSlot = (side: number, key: string): number =>
      attributes.find((a) => a.attribute === 'label' && SIDE[a.side] === side && a.key === key)
        ?.slot ?? -1;
    this.imports = {
      learn_text: (policy, slot, address) => {
        const text = this.of(policy).read(address);
        const bytes = Buffer.from(text, 'latin1');
        // A character that is no byte equals none, and no view is so long.
        const isWide = bytes.toString('latin1') !== text;
        const length = isWide ? 0x10000 : bytes.length;
        const module = this.opened();
        const symbol = (texts.symbols.find(text) ?? NOWHERE) | 0;
        const facts = [labelSlot(0, text), labelSlot(1, text), headers.indexOf(text.toLowerCase())];
        module.call.set_text(policy, slot, module.put(bytes), length, symbol, ...facts);
        this.addresses.set(`${policy} ${slot}`, address);
      },
      learn_pattern: (policy, slot) => {
        const address = this.addresses.get(`${policy} ${slot}`) ?? 0;
        const module = this.opened();
        module.call.set_pattern(policy, slot, module.put(stepBytes(this.of(policy).read(address))));
      },
      predicate: (policy, kind, symbol, address) => {
        const op = PREDICATES[kind];
        const have = texts.textOf(symbol >>> 0);
        if (have === undefined || op === undefined) {
          throw new BugError(`symbol ${symbol >>> 0} has no text`);
        }
        return predicateHolds(op, have, this.of(policy).read(address)) ? 1 : 0;
      },
      ask: (policy, hook) => {
        const asked = this.asks.get(policy);
        if (asked === undefined) throw new BugError(`nobody asks policy ${policy}`);
        return asked(hook);
      },
    };
  }
  private readonly addresses = new Map<string, number>();

  private of(policy: number): Started {
    const found = this.started.get(policy);
    if (found === undefined) throw new BugError(`policy ${policy} is not started`);
    return found;
  }

  private opened(): BatchModule {
    if (this.module === null) throw new BugError('the module is not open');
    return this.module;
  }

  /** Starts them all; throws SimulateError SIMULATE_MODULE where one does not start. */
  start(module: BatchModule): void {
    this.module = module;
    const { manifest } = this.setup;
    for (const { side, attribute, slot } of manifest.attributes) {
      if (attribute !== 'label') module.call.set_kind(SIDE[side], ATTRIBUTE[attribute], slot);
    }
    for (const policy of manifest.policies) this.startOne(module, policy);
  }

  private startOne(module: BatchModule, policy: PolicyEntry): void {
    const { call } = module;
    const { manifest, wasm } = this.setup;
    const current: Current = {
      get view() {
        return module.view;
      },
      get base() {
        return call.current();
      },
    };
    let memory: WasmMemory | null = null;
    const host = hostImports(manifest, policy, this.texts, current, () => memory);
    const bytes = moduleOf(wasm, policy);
    const imports = { [ABI_MODULE]: { ...host, ...ownAnswers(module, host) } };
    const exports = starting(policy, () => startModule(bytes, imports));
    memory = exportedMemory(exports, 'memory');
    this.started.set(policy.index, { policy, exports, read: stringReader(() => memory) });
    const isEnforced = policy.mode === 'enforce' ? 1 : 0;
    const allows = [policy.canAllow ? 1 : 0, policy.canAllowRequest ? 1 : 0] as const;
    call.set_policy(policy.index, isEnforced, ...allows, policy.firstRoute, policy.routes);
    const fuel = exportedGlobal(exports, 'fuel');
    const reset = resetter(Object.keys(exports), (name) => exportedGlobal(exports, name), memory);
    if (reset === null && fuel !== null) {
      const { fill, left } = startModule(FUEL_MODULE, { p: { fuel } });
      call.set_fuel(policy.index, module.enter(fill), module.enter(left));
    }
    for (const name of policy.exports) {
      const hook = HOOK.indexOf(name);
      call.set_question(policy.index, hook, reset === null ? module.enter(exports[name]) : 0);
    }
    if (reset === null) return;
    const full = manifest.fuel;
    this.asks.set(policy.index, (hook) => {
      const question = exports[HOOK[hook] as ExportName] as (handle: number) => unknown;
      if (fuel !== null) fuel.value = full;
      try {
        const answer = Number(question(0)) >>> 0;
        if (fuel !== null) call.burn(full - Number(fuel.value));
        return answer;
      } finally {
        reset();
      }
    });
  }
}

/** The answers that the module gives itself, and those of the host that look at views, with a bound. */
function ownAnswers(
  { call }: BatchModule,
  host: ReturnType<typeof hostImports>,
): Readonly<Record<string, unknown>> {
  const own: Record<string, unknown> = {};
  const answers = call as unknown as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(ABI_IMPORTS) as (keyof typeof ABI_IMPORTS)[]) {
    const answer = answers[name];
    if (typeof answer === 'function') {
      own[name] = answer;
      continue;
    }
    const at = name.startsWith('view_') ? (name === 'view_hash' ? 0 : 1) : -1;
    if (at < 0) continue;
    const asked = host[name] as (...operands: number[]) => number;
    own[name] = (...operands: number[]) => {
      const view = operands[at] ?? 0;
      // Behind the head stands the next record: only the plain way knows what a policy may see there.
      if ((view >>> 16) + (view & 0xffff) > call.have()) throw new RangeError('behind the head');
      return asked(...operands);
    };
  }
  return own;
}
