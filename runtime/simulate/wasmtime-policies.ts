/**
 * Runs policies under Wasmtime: the same bytes, host functions and fuel as under V8, by a compiler and a
 * run time that share no line with V8's.
 */
import { ABI_IMPORTS, ABI_MODULE, type ImportName } from '../../compiler/abi/index.js';
import { type HostFunction, openWasmtime, startInstance } from '../wasmtime/index.js';
import type { StartPolicy } from './engine.js';
import { hostImports } from './host.js';
import { moduleOf, questionsOf, starting } from './policy-module.js';
import { resetter, type WasmMemory } from './web-assembly.js';

/** Starts policies; disposing of it frees them all. */
export interface WasmtimePolicies extends Disposable {
  readonly start: StartPolicy;
}

/** The host of a policy with the types that C has to be told. */
function typed(imports: ReturnType<typeof hostImports>): ReadonlyMap<string, HostFunction> {
  return new Map(
    Object.entries(ABI_IMPORTS).map(([name, { params, result }]) => [
      name,
      {
        params: params.map((kind) => (kind === 'i64' ? 'i64' : 'i32')),
        result: result === 'none' ? null : result,
        call: imports[name as ImportName],
      },
    ]),
  );
}

/** Opens libwasmtime in this thread; throws WasmtimeError where it cannot be used. */
export function wasmtimePolicies(library: string): WasmtimePolicies {
  const wasmtime = openWasmtime(library);
  const started: Disposable[] = [];
  const start: StartPolicy = (setup, policy, texts, current) => {
    const bytes = moduleOf(setup.wasm, policy);
    let memory: WasmMemory | null = null;
    const host = typed(hostImports(setup.manifest, policy, texts, current, () => memory));
    const instance = starting(policy, () =>
      startInstance(wasmtime, bytes, { room: ABI_MODULE, host }),
    );
    started.push(instance);
    memory = instance.memory('memory');
    const call = questionsOf(policy, instance.question);
    const reset = resetter(instance.exports, instance.global, memory);
    return { policy, call, fuel: instance.global('fuel'), reset };
  };
  return {
    start,
    [Symbol.dispose]: () => {
      for (const instance of started.splice(0)) instance[Symbol.dispose]();
    },
  };
}
