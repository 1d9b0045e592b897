/** One policy from source to a simplified module whose ABI calls are resolved, not yet expanded. */
import { type Diagnostic, hasErrors } from './diagnostic/index.js';
import { buildModule } from './frontend/build-ir.js';
import { explainForeign } from './frontend/foreign-calls.js';
import {
  type AscEffort,
  compileFrontend,
  type FrontendResult,
  type Snapshotter,
  type SourceReader,
  type StepTimer,
} from './frontend/index.js';
import { MEMORY_IMAGE, type Module } from './ir/index.js';
import { mayBeMoved, moveRefusals } from './move-refusals.js';
import { type AbiUses, collectUses } from './passes/expand-abi-numbering.js';
import { type PolicyContext, type ResolvedAbi, resolveAbi } from './passes/expand-abi-resolve.js';
import { splitAbi } from './passes/expand-abi-split.js';
import type { PassObserver } from './passes/index.js';

export interface PolicyInput {
  readonly index: number;
  readonly name: string;
  readonly file: string;
  readonly read: SourceReader;
  readonly snapshot: Snapshotter;
  readonly firstSite: number;
  readonly fuel: number;
  /** Sees the IR behind each pass. */
  readonly observe?: PassObserver | undefined;
  readonly timed?: StepTimer | undefined;
}
export interface CompiledPolicy {
  readonly index: number;
  readonly name: string;
  readonly frontend: FrontendResult;
  /** Simplified, with ABI calls in place. */
  readonly module: Module;
  readonly context: PolicyContext;
  readonly resolved: ResolvedAbi;
  readonly uses: AbiUses;
}
export interface PolicyOutcome {
  /** Null where a diagnostic is an error. */
  readonly policy: CompiledPolicy | null;
  /** Sites of the policy, also where a later step refused it, so that numbers go on behind them. */
  readonly sites: number;
  readonly diagnostics: readonly Diagnostic[];
}

/** Policies of more characters, some 300 rules, are not optimized by asc as others are: 1,000 rules took it 40 s. */
const LONG_TEXT = 32 * 1024;

/** Compiles one policy; faults of its text come back as diagnostics. */
export async function compilePolicy(input: PolicyInput): Promise<PolicyOutcome> {
  const isLong = (input.read(input.file)?.length ?? 0) > LONG_TEXT;
  const quick = isLong ? await compileWith(input, 'little') : null;
  // What is not lowered as it is may be once asc has done all it can.
  return quick !== null && quick.policy !== null ? quick : compileWith(input, 'full');
}

interface BuiltPolicy {
  /** Null where asc or the configure phase refused the policy. */
  readonly frontend: FrontendResult | null;
  /** Null where a diagnostic is an error. */
  readonly module: Module | null;
  readonly diagnostics: readonly Diagnostic[];
}

async function build(input: PolicyInput, effort: AscEffort): Promise<BuiltPolicy> {
  const { index, name, file, read, snapshot, firstSite, fuel, timed, observe } = input;
  const front = await compileFrontend({ file, read, snapshot, firstSite, fuel, effort, timed });
  if (!front.ok) return { frontend: null, module: null, diagnostics: front.diagnostics };
  const frontend = front.result;
  const seen = effort === 'none' ? undefined : observe;
  const built = buildModule({ frontend, policy: index, name, observe: seen });
  const { module } = built;
  return { frontend, module, diagnostics: [...front.diagnostics, ...built.diagnostics] };
}

async function compileWith(input: PolicyInput, effort: AscEffort): Promise<PolicyOutcome> {
  const { index, name } = input;
  const { frontend, module, diagnostics: found } = await build(input, effort);
  const sites = frontend?.sites.length ?? 0;
  if (frontend === null || module === null) {
    const asWritten = mayBeMoved(found) ? await build(input, 'none') : null;
    const placed = asWritten === null ? found : moveRefusals(found, asWritten.diagnostics);
    const diagnostics = placed.map((d) => explainForeign(d, frontend?.foreign ?? []));
    return { policy: null, sites, diagnostics };
  }
  const memory = module.images.find((i) => i.name === MEMORY_IMAGE)?.bytes ?? new Uint8Array(0);
  const context = { memory, registry: frontend.registry };
  splitAbi(module);
  const resolved = resolveAbi(module, context);
  const diagnostics = [...found, ...resolved.diagnostics];
  if (hasErrors(diagnostics)) return { policy: null, sites, diagnostics };
  const uses = collectUses(module, resolved, context);
  return { policy: { index, name, frontend, module, context, resolved, uses }, sites, diagnostics };
}
