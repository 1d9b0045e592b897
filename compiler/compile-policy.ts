/** One policy from source to a simplified module whose ABI calls are resolved, not yet expanded. */
import { type Diagnostic, hasErrors } from './diagnostic/index.js';
import { buildModule } from './frontend/build-ir.js';
import { explainForeign } from './frontend/foreign-calls.js';
import {
  compileFrontend,
  type FrontendResult,
  type Snapshotter,
  type SourceReader,
  type StepTimer,
} from './frontend/index.js';
import { MEMORY_IMAGE, type Module } from './ir/index.js';
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
  const quick = isLong ? await compileWith(input, { isQuick: true }) : null;
  // What is not lowered as it is may be once asc has done all it can.
  return quick !== null && quick.policy !== null ? quick : compileWith(input, { isQuick: false });
}

async function compileWith(
  input: PolicyInput,
  { isQuick }: { readonly isQuick: boolean },
): Promise<PolicyOutcome> {
  const { index, name, file, read, snapshot, firstSite, fuel, timed } = input;
  const front = await compileFrontend({ file, read, snapshot, firstSite, fuel, isQuick, timed });
  if (!front.ok) return { policy: null, sites: 0, diagnostics: front.diagnostics };
  const frontend = front.result;
  const sites = frontend.sites.length;
  const built = buildModule({ frontend, policy: index, name, observe: input.observe });
  const refused = built.diagnostics.map((d) => explainForeign(d, frontend.foreign));
  const diagnostics = [...front.diagnostics, ...refused];
  const { module } = built;
  if (module === null) return { policy: null, sites, diagnostics };
  const memory = module.images.find((i) => i.name === MEMORY_IMAGE)?.bytes ?? new Uint8Array(0);
  const context = { memory, registry: frontend.registry };
  splitAbi(module);
  const resolved = resolveAbi(module, context);
  diagnostics.push(...resolved.diagnostics);
  if (hasErrors(diagnostics)) return { policy: null, sites, diagnostics };
  const uses = collectUses(module, resolved, context);
  return { policy: { index, name, frontend, module, context, resolved, uses }, sites, diagnostics };
}
