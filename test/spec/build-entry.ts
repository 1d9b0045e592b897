/**
 * One wrapped function as an IR module with one entry, which takes its arguments out of the bytes of a
 * connection: 8 bytes each from its begin. So they are unknown at build time, as a policy's input is.
 */
import { CONNECTION, STOPPED } from '../../compiler/abi/index.js';
import { BuildContext } from '../../compiler/frontend/build-context.js';
import { FunctionBuilder, STOPPED_MARK } from '../../compiler/frontend/build-function.js';
import { injectFuel } from '../../compiler/frontend/fuel.js';
import { judge } from '../../compiler/frontend/judge.js';
import { takeFrames } from '../../compiler/frontend/take-frames.js';
import type { FrontendResult } from '../../compiler/frontend/types.js';
import { readModule, type WasmModule } from '../../compiler/frontend/wasm/index.js';
import type { Func, IntType, Module, Param, ValueId } from '../../compiler/ir/index.js';
import { MEMORY_IMAGE } from '../../compiler/ir/index.js';
import { optimize, simplify } from '../../compiler/passes/index.js';
import type { State } from './engine-v8.js';
import type { Wrapper } from './wrap-module.js';

/** Arguments lie before the connection's `policies`. */
export const MAX_ARGS: number = CONNECTION.policies / 8;
export const FUEL = 500_000;
/** What an entry returns where it stopped, in the word that says how it ended. */
export const ENDED = { returned: 0, trap: 0xf0, fuel: 0xf1 } as const;

/** A module with fuel and the state that its functions start from. */
export interface Prepared {
  readonly module: WasmModule;
  readonly frontend: FrontendResult;
}

/** Injects fuel and puts the state in the place of initial values. */
export function prepare(wasm: Uint8Array, state: State): Prepared {
  const fuelled = injectFuel(wasm, FUEL);
  const read = readModule(fuelled.wasm);
  if (!read.ok) throw new Error(read.fault.message);
  const { memory } = state;
  const globals = read.value.globals.map((global, i) => ({
    ...global,
    init: state.globals[i] ?? global.init,
  }));
  const module: WasmModule = {
    ...read.value,
    globals,
    data: memory === null ? [] : [{ at: 0, bytes: memory }],
    memory: memory === null ? null : { min: memory.length / 65536, max: null },
  };
  const frontend = {
    wasm: fuelled.wasm,
    exports: {},
    sites: [],
    registry: { tables: [], cidrs: [], routes: [] },
    locate: () => null,
    lineText: () => '',
    scratch: { globals: read.value.globals.map((_, i) => read.value.importedGlobals + i), from: 0 },
    fuelGlobal: fuelled.fuelGlobal,
  } as unknown as FrontendResult;
  return { module, frontend };
}

interface EntryParams {
  readonly pointer: ValueId;
  readonly fuel?: ValueId | null;
  readonly slot?: ValueId | null;
}

class EntryBuilder extends FunctionBuilder {
  entry(
    index: number,
    types: readonly IntType[],
    { pointer, fuel = null, slot = null }: EntryParams,
  ): void {
    const args = types.map((type, i) => {
      const size = type === 'i64' ? 8 : 4;
      return this.emit({ op: 'load.pointer', type, size, offset: 8 * i, args: [pointer] });
    });
    // The specification's own recursion is what the loops of a decision are tested by.
    const loops = new Set(this.context.functionNumbers());
    this.build(index, args, { fuel, slot, loops });
  }
}

function emptyFunc(name: string, kind: Func['kind'], ints: readonly Param['type'][]): Func {
  const params = (['ptr', ...ints] as const).map((type, id) => ({ id: id as ValueId, type }));
  const entry = kind === 'entry';
  const code = (end: 'trap' | 'fuel'): bigint =>
    entry ? BigInt(ENDED[end]) : (STOPPED_MARK << 32n) | BigInt(STOPPED[end]);
  return {
    name,
    kind,
    params,
    result: entry ? 'i32' : 'i64',
    stopped: { trap: code('trap'), fuel: code('fuel') },
    blocks: [],
    nextValue: params.length,
    nextBlock: 0,
  };
}

export type BuiltEntry =
  | { readonly ok: true; readonly module: Module }
  | { readonly ok: false; readonly codes: readonly string[] };

/** Builds, judges and optimises the entry of a wrapper; `number` tells its functions from those of others. */
export function buildEntry(prepared: Prepared, wrapper: Wrapper, number: number): BuiltEntry {
  const context = new BuildContext(prepared.module, prepared.frontend, number);
  const outer = emptyFunc(`p${number}`, 'entry', []);
  const types = [...wrapper.params, 'i32'] as const;
  // The import that ends a decision without fuel came before all functions.
  const [pointer, fuel, slot] = [0, 1, 2] as ValueId[];
  const functions = [outer];
  if (pointer === undefined) throw new Error('no pointer');
  if (context.needsFrames(wrapper.index + 1)) {
    const inner = emptyFunc(`p${number}_framed`, 'internal', ['i32', 'i32']);
    new EntryBuilder(context, inner).entry(wrapper.index + 1, types, {
      pointer,
      fuel: fuel ?? null,
      slot: slot ?? null,
    });
    takeFrames(outer, inner.name, context.budget);
    functions.push(inner);
  } else new EntryBuilder(context, outer).entry(wrapper.index + 1, types, { pointer });
  for (const [index, name] of context.called) {
    const ints = context.typeOf(index).params.map((type) => (type === 'i64' ? 'i64' : 'i32'));
    const func = emptyFunc(name, 'internal', ['i32', ...ints]);
    const [fuel, ...args] = func.params.slice(1).map((param) => param.id);
    new FunctionBuilder(context, func).build(index, args, { fuel: fuel ?? null });
    functions.push(func);
  }
  const images =
    context.memory === null ? [] : [{ name: MEMORY_IMAGE, bytes: context.memory, align: 8 }];
  const module: Module = {
    name: `p${number}`,
    functions,
    images,
    positions: context.positions,
    externs: [],
    scratchFrom: 0,
  };
  simplify(module, { verify: true });
  const refused = judge(module, context);
  if (refused.length > 0) return { ok: false, codes: [...new Set(refused.map((d) => d.code))] };
  optimize(module, { verify: true, mayGoto: true });
  return { ok: true, module };
}
