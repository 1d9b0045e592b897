/**
 * The driver: a project to a bundle. Pure: files come through `read`, the configure phase runs
 * through `snapshot`, the world is asked through `checkCluster`. The same input gives the same bytes.
 */
import { MAX_POLICIES, MAX_ROUTES, needsWalkedLoops } from './abi/index.js';
import { buildManifest } from './build-manifest.js';
import { BUNDLE_CODES, sbomOf } from './bundle/index.js';
import type { Attachment, Bundle, FunctionCost } from './bundle/manifest.js';
import type { ProjectConfig } from './bundle/project.js';
import { canAudit } from './can-allow.js';
import { checkBudget, checkRegexTables, checkTableBudget } from './check-budget.js';
import { checkConnectionRoutes } from './check-connection-routes.js';
import { checkFunctions } from './check-functions.js';
import { checkVerified, walkedLimit, walkLowered } from './check-verified.js';
import { checkWalks, type PlacedWalk } from './check-walks.js';
import { type CompiledPolicy, compilePolicy } from './compile-policy.js';
import { type Diagnostic, diagnostic, hasErrors, type Position } from './diagnostic/index.js';
import { writeObject } from './elf/index.js';
import { callees, expandPolicy } from './expand-policy.js';
import type { Snapshotter, SourceReader, StepTimer } from './frontend/index.js';
import { type Func, loops, type Module, print } from './ir/index.js';
import { joinModules } from './join-modules.js';
import { buildDispatcher } from './lower/dispatcher.js';
import { type Lowered, type LoweredFunction, lowerModule, printLowered } from './lower/index.js';
import { type AbiNumbering, numberAbi, symbolOf } from './passes/expand-abi-numbering.js';
import { tableUses } from './passes/expand-tables.js';
import {
  type Calls,
  inlinePolicies,
  optimize,
  type PassObserver,
  type Walk,
} from './passes/index.js';
import { buildViewFunctions } from './passes/view-functions.js';
import type { PolicyCache } from './policy-cache.js';
import { printPlan } from './print-plan.js';
import { type PolicyPlan, tableCosts } from './table-costs.js';
import { planTables } from './tables/index.js';

/** A finding where a policy names a cluster that does not exist in its scope; else null. */
export type ClusterCheck = (
  name: string,
  scope: readonly Attachment[],
  at: Position | null,
) => Diagnostic | null;

export interface CompileInput {
  readonly project: ProjectConfig;
  readonly read: SourceReader;
  readonly snapshot: Snapshotter;
  /** Null where no world is at hand: names of clusters are then not checked. */
  readonly checkCluster: ClusterCheck | null;
  /** Where policies are kept for the next compilation of the same project. */
  readonly cache?: PolicyCache | undefined;
  /** Hears how many of the policies are compiled, before each. */
  readonly onPolicy?: ((compiled: number, all: number) => void) | undefined;
  /** Runs what is asc's and the snapshot's; kept policies take none. */
  readonly timed?: StepTimer | undefined;
  /** Which loops are calls from the start, in the form for all kernels; tests want all. */
  readonly calls?: Calls | undefined;
  /** Sees the IR of a policy behind each pass of the form for all kernels; tests run it there. */
  readonly observe?: ((policy: number, pass: string, module: Module) => void) | undefined;
}
/** What `--emit` prints; filled as far as the compilation came. */
export interface Stages {
  readonly wasm: ReadonlyMap<string, Uint8Array>;
  readonly ir: string | null;
  readonly plan: string | null;
  readonly asm: string | null;
  readonly elf: Bundle['objects'] | null;
}
export type CompileOutcome =
  | {
      readonly ok: true;
      readonly bundle: Bundle;
      readonly diagnostics: readonly Diagnostic[];
      readonly stages: Stages;
    }
  | {
      readonly ok: false;
      readonly diagnostics: readonly Diagnostic[];
      readonly stages: Stages;
    };

/** Texts are made when they are asked for: a build prints none, and large tables make long ones. */
function lazyStages(
  { wasm, elf }: Pick<Stages, 'wasm' | 'elf'>,
  texts: { readonly [K in 'ir' | 'plan' | 'asm']: (() => string) | null },
): Stages {
  return {
    wasm,
    elf,
    get ir() {
      return texts.ir?.() ?? null;
    },
    get plan() {
      return texts.plan?.() ?? null;
    },
    get asm() {
      return texts.asm?.() ?? null;
    },
  };
}

const NO_STAGES: Stages = { wasm: new Map(), ir: null, plan: null, asm: null, elf: null };

/** Compiles a project; every fault of its text is a diagnostic. */
export async function compileProject(input: CompileInput): Promise<CompileOutcome> {
  const { project } = input;
  const early = checkProject(project);
  if (hasErrors(early)) return { ok: false, diagnostics: early, stages: NO_STAGES };
  const sources = new Map<string, string>();
  const read: SourceReader = (path) => {
    const text = input.read(path);
    if (text !== null) sources.set(path, text);
    return text;
  };
  const { policies, diagnostics } = await compilePolicies({ ...input, read });
  const stages = { ...NO_STAGES, wasm: new Map(policies.map((p) => [p.name, p.frontend.wasm])) };
  diagnostics.push(...checkClusters(input, policies));
  diagnostics.push(...policies.flatMap(checkConnectionRoutes));
  const { numbering, diagnostics: limits } = numberAbi(policies.map((p) => p.uses));
  diagnostics.push(...limits);
  const plans = planAll(policies, numbering, project.budget.tableBytes);
  diagnostics.push(...plans.flatMap((p) => p.plans.diagnostics), ...checkRegexTables(plans));
  if (hasErrors(diagnostics)) return { ok: false, diagnostics, stages };
  return link(input, { policies, plans, numbering, diagnostics, stages, sources });
}

/** Name of a policy in its bundle: the file's name without `.ts`. */
export function policyName(file: string): string {
  return (file.split('/').at(-1) ?? file).replace(/\.ts$/, '');
}

function finding(code: string, message: string, at: Position | null): Diagnostic {
  return diagnostic(code, message, { at, help: BUNDLE_CODES[code]?.help ?? null });
}

function checkProject({ policies }: ProjectConfig): Diagnostic[] {
  const found: Diagnostic[] = [];
  if (policies.length > MAX_POLICIES) {
    const message = `the project has ${policies.length} policies, at most ${MAX_POLICIES}`;
    found.push(finding('B201', message, policies[MAX_POLICIES]?.at ?? null));
  }
  const names = new Set<string>();
  for (const { file, at } of policies) {
    const name = policyName(file);
    if (names.has(name)) found.push(finding('B202', `two policies are named \`${name}\``, at));
    names.add(name);
  }
  return found;
}

async function compilePolicies({
  project,
  read,
  snapshot,
  observe,
  cache,
  onPolicy,
  timed,
}: CompileInput): Promise<{ policies: CompiledPolicy[]; diagnostics: Diagnostic[] }> {
  const policies: CompiledPolicy[] = [];
  const diagnostics: Diagnostic[] = [];
  const { fuel } = project.budget;
  let firstSite = 1;
  for (const [index, { file }] of project.policies.entries()) {
    onPolicy?.(index, project.policies.length);
    const name = policyName(file);
    const place = { index, name, file, firstSite };
    const watch = observerOf(observe, index);
    const one = { ...place, read, snapshot, fuel, observe: watch, timed };
    const outcome = await (cache?.outcome(one, compilePolicy) ?? compilePolicy(one));
    diagnostics.push(...outcome.diagnostics);
    if (outcome.policy !== null) policies.push(outcome.policy);
    firstSite += outcome.sites;
  }
  const routes = policies.reduce((sum, p) => sum + p.frontend.registry.routes.length, 0);
  if (routes > MAX_ROUTES) {
    diagnostics.push(finding('B204', `${routes} routes, at most ${MAX_ROUTES}`, null));
  }
  return { policies, diagnostics };
}

function observerOf(observe: CompileInput['observe'], policy: number): PassObserver | undefined {
  return observe === undefined ? undefined : (pass, module) => observe(policy, pass, module);
}

function checkClusters(
  { project, checkCluster }: CompileInput,
  policies: readonly CompiledPolicy[],
): Diagnostic[] {
  if (checkCluster === null) return [];
  return policies.flatMap(({ index, frontend }) =>
    // An edited route names the cluster of another, which is checked in its own place.
    frontend.registry.routes.flatMap(({ target, at }) =>
      target.kind === 'cluster' && target.edits.length === 0
        ? (checkCluster(target.name, project.policies[index]?.attach ?? [], at) ?? [])
        : [],
    ),
  );
}

function planAll(
  policies: readonly CompiledPolicy[],
  numbering: AbiNumbering,
  maxSetBytes: number,
): readonly PolicyPlan[] {
  return policies.map(({ name, frontend: { registry }, resolved }) => {
    const uses = {
      ...tableUses(resolved),
      symbolOf: (text: string) => symbolOf(numbering, text),
      maxSetBytes,
    };
    return { name, registry, plans: planTables(registry, uses) };
  });
}

interface Parts {
  readonly policies: readonly CompiledPolicy[];
  readonly plans: readonly PolicyPlan[];
  readonly numbering: AbiNumbering;
  readonly diagnostics: Diagnostic[];
  readonly stages: Stages;
  readonly sources: ReadonlyMap<string, string>;
}

/** The bundle's code for some kernels. */
interface Variant {
  readonly module: Module;
  /** About what it takes to walk each function. */
  readonly estimates: ReadonlyMap<string, number>;
  readonly lowered: Lowered;
}

/** Second half: one module a variant, the objects, the manifest. */
function link({ project, observe, calls = 'none' }: CompileInput, parts: Parts): CompileOutcome {
  const { policies, plans, numbering, diagnostics } = parts;
  const draft = buildManifest(project, {
    ...parts,
    cost: { functions: [], tables: [], tableBytes: 0 },
  });
  const { fuel } = project.budget;
  const isWalked = needsWalkedLoops(project.kernels);
  let walks: PlacedWalk[] = [];
  const limit = walkedLimit(policies.length);
  const variant = (mayGoto: boolean, calls: Calls = 'none'): Variant => {
    const estimates = new Map<string, number>();
    const merging = {
      walked: limit,
      walk: (func: Func, module: Module) => walkLowered(func, module, { mayGoto, limit }),
      onWalked: (name: string, walked: number): unknown => estimates.set(name, walked),
    };
    const modules = policies.map((p, i) => {
      const onWalk = (walk: Walk): void => {
        const at = walk.loc === null ? null : (p.module.positions[walk.loc] ?? null);
        walks.push({ ...walk, at });
      };
      const watch = mayGoto === isWalked ? undefined : observerOf(observe, p.index);
      const target = { mayGoto, calls, fuel, ...merging, onWalk, observe: watch };
      return expandPolicy(p, { plan: plans[i], numbering, target });
    });
    const views = buildViewFunctions(callees(modules));
    optimize(views, { mayGoto, ...merging });
    const dispatcher = buildDispatcher(draft, (name) =>
      policies.some((p) => canAudit(p.module, name)),
    );
    const module = joinModules(project.name, [...modules, views, dispatcher]);
    inlinePolicies(module);
    const joining = new Set(dispatcher.functions.map(({ name }) => name));
    const joined = module.functions.filter(({ name }) => joining.has(name));
    optimize({ ...module, functions: joined }, { mayGoto, ...merging });
    return { module, estimates, lowered: lowerModule(module, { mayGoto }) };
  };
  // Kernels differ in how loops are guarded; without a loop, or for new kernels only, one object serves all.
  let base = variant(!isWalked, calls);
  if (isWalked && checkWalks(walks, fuel).length > 0) {
    // Too much to walk: what can be called turn by turn is, unless the stack is too small for it.
    const tooMuch = walks;
    walks = [];
    const called = variant(false, 'heavy');
    if (called.lowered.ok) base = called;
    else walks = tooMuch;
  }
  diagnostics.push(...checkWalks(walks, fuel));
  const hasLoops = base.module.functions.some((f) => f.kind === 'turn' || loops(f).length > 0);
  const guarded = isWalked && hasLoops ? variant(true) : base;
  const verified = (of: Variant, isForNew: boolean): Diagnostic[] =>
    of.lowered.ok
      ? [
          ...checkFunctions(of.lowered.functions),
          ...checkVerified({ ...of, functions: of.lowered.functions, isForNew }),
        ]
      : [];
  if (!hasErrors(diagnostics)) diagnostics.push(...verified(base, guarded === base));
  if (!hasErrors(diagnostics) && guarded !== base) diagnostics.push(...verified(guarded, true));
  const { wasm } = parts.stages;
  const ir = (): string => print(base.module);
  const plan = (): string => printPlan(plans, numbering);
  if (!base.lowered.ok) diagnostics.push(...base.lowered.diagnostics);
  else if (!guarded.lowered.ok) diagnostics.push(...guarded.lowered.diagnostics);
  if (!base.lowered.ok || !guarded.lowered.ok || hasErrors(diagnostics)) {
    return {
      ok: false,
      diagnostics,
      stages: lazyStages({ wasm, elf: null }, { ir, plan, asm: null }),
    };
  }
  const { functions } = base.lowered;
  const { images, externs, positions } = base.module;
  const object = writeObject({ functions, images, externs });
  const objects = {
    base: object,
    mayGoto:
      guarded === base
        ? object
        : writeObject({
            functions: guarded.lowered.functions,
            images: guarded.module.images,
            externs,
          }),
  };
  const asm = (): string => functions.map((f) => printLowered(f, positions)).join('\n');
  const stages = lazyStages({ wasm, elf: objects }, { ir, plan, asm });
  const tables = plans.flatMap(tableCosts);
  const tableBytes = tables.reduce((sum, { bytes }) => sum + bytes, 0);
  const cost = {
    functions: functions.map((f) => costOf(f, base.module)),
    tables: tables.map(({ at: _, ...table }) => table),
    tableBytes,
  };
  diagnostics.push(...checkBudget(project, cost), ...checkTableBudget(project, tables));
  if (hasErrors(diagnostics)) return { ok: false, diagnostics, stages };
  const manifest = buildManifest(project, { ...parts, cost });
  const maps = new Map(policies.map((p) => [p.name, p.frontend.sourceMap]));
  const bundle = {
    manifest,
    wasm: stages.wasm,
    maps,
    objects,
    cases: null,
    sbom: sbomOf(manifest),
  };
  return { ok: true, bundle, diagnostics, stages };
}

function costOf(lowered: LoweredFunction, module: Module): FunctionCost {
  const { name, instructions, worstPath, stack } = lowered;
  const func = module.functions.find((f) => f.name === name);
  const lookups = (func?.blocks ?? [])
    .flatMap((b) => b.instrs)
    .filter((i) => i.op === 'load.image');
  return {
    name,
    instructions,
    worstInstructions: worstPath,
    stackBytes: stack,
    lookups: lookups.length,
  };
}
