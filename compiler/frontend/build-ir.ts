/**
 * A policy's WASM to an IR module: entries `p<i>_authorize` and `p<i>_route`, the functions they call,
 * and the image `memory` of linear memory as the snapshot left it.
 *
 * The module comes back simplified, since only then it is known which of the things that the decide
 * phase may not do can be reached at all; those are the diagnostics.
 */
import { ROUTE_STOPPED, STOPPED } from '../abi/index.js';
import { BugError, type Diagnostic, hasErrors } from '../diagnostic/index.js';
import { type Func, MEMORY_IMAGE, type Module, type Param, type ValueId } from '../ir/index.js';
import { type PassObserver, simplify } from '../passes/index.js';
import { BuildContext, MAX_PAGES, refusal } from './build-context.js';
import { FunctionBuilder, STOPPED_MARK } from './build-function.js';
import { judge } from './judge.js';
import { takeFrames } from './take-frames.js';
import type { PolicyModule } from './types.js';
import { readModule } from './wasm/index.js';

export interface BuildInput {
  readonly frontend: PolicyModule;
  /** Number of the policy in the bundle. */
  readonly policy: number;
  readonly name: string;
  /** Runs the IR verifier between passes. */
  readonly verify?: boolean;
  /** Sees the IR behind each pass. */
  readonly observe?: PassObserver | undefined;
  /** Leaves the module as it was built and unjudged: what tests of single passes start from. */
  readonly raw?: boolean;
}
export interface Built {
  /** Null where a diagnostic is an error. */
  readonly module: Module | null;
  readonly diagnostics: readonly Diagnostic[];
}

const ENTRIES = [
  { wasm: 'authorizeConnection', name: 'authorize', stopped: STOPPED },
  { wasm: 'routeConnection', name: 'route', stopped: ROUTE_STOPPED },
  { wasm: 'authorizeRequest', name: 'authorize_request', stopped: STOPPED },
  { wasm: 'routeRequest', name: 'route_request', stopped: ROUTE_STOPPED },
] as const;

const MARK = STOPPED_MARK << 32n;
/** What functions of our own return where they stop. */
const MARKED: Func['stopped'] = {
  trap: MARK | BigInt(STOPPED.trap),
  fuel: MARK | BigInt(STOPPED.fuel),
};

function emptyFunc(
  name: string,
  kind: Func['kind'],
  ints: readonly Param['type'][],
  stopped: Func['stopped'],
): Func {
  const params = (['ptr', ...ints] as const).map((type, i) => ({ id: i as ValueId, type }));
  return {
    name,
    kind,
    params,
    result: kind === 'internal' ? 'i64' : 'i32',
    stopped,
    blocks: [],
    nextValue: params.length,
    nextBlock: 0,
  };
}

/** The functions of an entry: itself, and where it needs memory for recursion the one that has it. */
function buildEntry(context: BuildContext, index: number, make: () => Func): Func[] {
  const loops = new Set<number>();
  for (;;) {
    const func = make();
    const isFramed = loops.size > 0 && context.needsFrames(index);
    const inner = emptyFunc(`${func.name}_framed`, 'internal', ['i32', 'i32'], MARKED);
    const [, fuel = null, slot = null] = inner.params.map(({ id }) => id);
    const builder = new FunctionBuilder(context, isFramed ? inner : func);
    const refused = builder.build(index, null, isFramed ? { fuel, slot, loops } : {});
    if (refused === null && !isFramed) return [func];
    if (refused === null) {
      takeFrames(func, inner.name, context.budget);
      return [func, inner];
    }
    for (const member of refused) loops.add(member);
  }
}

/** Builds the IR of one policy; throws BugError where the module breaks what the frontend promises. */
export function buildModule(input: BuildInput): Built {
  const { frontend, policy } = input;
  const read = readModule(frontend.wasm);
  if (!read.ok) {
    const at = frontend.locate(read.fault.offset);
    return { module: null, diagnostics: [refusal('I111', read.fault.message, at)] };
  }
  if ((read.value.memory?.min ?? 0) > MAX_PAGES) {
    return {
      module: null,
      diagnostics: [refusal('I108', 'the memory is larger than 512 MiB', null)],
    };
  }
  const context = new BuildContext(read.value, frontend, policy);
  const functions: Func[] = [];
  for (const entry of ENTRIES) {
    const found = read.value.exports.find((e) => e.kind === 'func' && e.name === entry.wasm);
    if (found === undefined) continue;
    const type = context.typeOf(found.index);
    if (type.results.length !== 1 || type.results[0] !== 'i32') {
      throw new BugError(`build: \`${entry.wasm}\` does not return an i32`);
    }
    const stopped = { trap: BigInt(entry.stopped.trap), fuel: BigInt(entry.stopped.fuel) };
    const name = `p${policy}_${entry.name}`;
    const make = (): Func => emptyFunc(name, 'entry', [], stopped);
    functions.push(...buildEntry(context, found.index, make));
  }
  // The map grows while subprograms call further ones; iteration sees the additions.
  for (const [index, name] of context.called) {
    const ints = context.typeOf(index).params.map((type) => (type === 'i64' ? 'i64' : 'i32'));
    const func = emptyFunc(name, 'internal', ['i32', ...ints], MARKED);
    const [fuel, ...args] = func.params.slice(1).map((param) => param.id);
    new FunctionBuilder(context, func).build(index, args, { fuel: fuel ?? null });
    functions.push(func);
  }
  const images =
    context.memory === null ? [] : [{ name: MEMORY_IMAGE, bytes: context.memory, align: 8 }];
  const { positions } = context;
  const scratchFrom = frontend.scratch?.from;
  const module: Module = {
    ...{ name: input.name, functions, images, positions, externs: [] },
    ...(scratchFrom === undefined ? {} : { scratchFrom }),
  };
  if (input.raw === true) return { module, diagnostics: [] };
  const { verify = false, observe } = input;
  simplify(module, { verify, observe });
  const diagnostics = judge(module, context);
  return { module: hasErrors(diagnostics) ? null : module, diagnostics };
}
