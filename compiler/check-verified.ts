/**
 * A kernel's verifier gives up after a million instructions of one program, its hook among them, and where it has too
 * many ways to come back to. What would come to that is refused here, at the line that is walked most (B211). Functions are walked as a verifier
 * does (compiler/lower/walk), where an estimate says that it may come near.
 */
import { BUNDLE_CODES } from './bundle/index.js';
import { type Diagnostic, diagnostic } from './diagnostic/index.js';
import type { Func, Module } from './ir/index.js';
import {
  AUTHORIZE_FUNCTION,
  AUTHORIZE_REQUEST_FUNCTION,
  type LoweredFunction,
  lowerFunction,
  MOST_KEPT,
  ROUTE_FUNCTION,
  ROUTE_REQUEST_FUNCTION,
  type Walked,
  walkFunction,
} from './lower/index.js';
import { orderBlocks } from './passes/index.js';

/** BPF_COMPLEXITY_LIMIT_INSNS of every kernel since 5.2. */
const VERIFIER_LIMIT = 1_000_000;
/** Of them, what hooks take themselves, rounded up: connections on any kernel of test/kernels. */
export const CONNECTION_HOOK = 20_000;
/** Requests, on kernels before 6.9. */
export const REQUEST_HOOK_BASE = 200_000;
/** Requests, on kernels that have may_goto. */
export const REQUEST_HOOK = 480_000;
/**
 * Programs that come to no more than this part of their limit by the estimate of merge-ways are not walked: the truth was
 * seen to be 9 times as much for kernels before 6.9, and never more than 5.5 times for newer ones.
 */
const SURELY_FEW = { old: 1 / 12, new: 1 / 6 } as const;
/** A function that takes no more is never made cheaper to walk. */
const MOST_IN_ONE = 60_000;

/** What a function of a bundle of so many policies may take before its ways are merged: all of one program together fit then. */
export function walkedLimit(policies: number): number {
  return Math.min(MOST_IN_ONE, Math.floor((VERIFIER_LIMIT - REQUEST_HOOK) / (policies + 2)));
}

/** The code of a bundle for some kernels. */
export interface Form {
  readonly module: Module;
  readonly functions: readonly LoweredFunction[];
  /** About what it takes to walk each function, by its name. */
  readonly estimates: ReadonlyMap<string, number>;
  /** Whether kernels that have may_goto load it. */
  readonly isForNew: boolean;
}

/** Refuses programs that are more than a verifier walks, each at the line that takes most. */
export function checkVerified(form: Form): Diagnostic[] {
  const requestHook = form.isForNew ? REQUEST_HOOK : REQUEST_HOOK_BASE;
  const programs = [
    { what: 'connections', entries: [ROUTE_FUNCTION, AUTHORIZE_FUNCTION], hook: CONNECTION_HOOK },
    {
      what: 'requests',
      entries: [ROUTE_REQUEST_FUNCTION, AUTHORIZE_REQUEST_FUNCTION],
      hook: requestHook,
    },
  ];
  const known = new Map<string, Walked>();
  return programs.flatMap(({ what, entries, hook }) => {
    const functions = reached(form.functions, entries);
    const about = functions.reduce((sum, { name }) => sum + (form.estimates.get(name) ?? 0), 0);
    const limit = VERIFIER_LIMIT - hook;
    // How often the turn of a loop is walked, no estimate says.
    if (functions.every(notTurn) && about <= limit * SURELY_FEW[form.isForNew ? 'new' : 'old'])
      return [];
    return checkProgram(form, { what, functions, limit, known });
  });
}

/** What a verifier walks of a function that is lowered as it stands; it stops behind `limit`. */
export function walkLowered(
  func: Func,
  { images }: Pick<Module, 'images'>,
  { mayGoto, limit }: { readonly mayGoto: boolean; readonly limit: number },
): number {
  const copy = structuredClone(func);
  orderBlocks(copy);
  const lowered = lowerFunction(copy, [], { mayGoto });
  if (!lowered.ok) return Number.POSITIVE_INFINITY;
  const bytes = new Map(images.map((image) => [image.name, image.bytes]));
  return walkFunction({ ...lowered.func, images: bytes, isOld: !mayGoto, limit }).instructions;
}

/** What programs of these entries contain: the verifier goes through each function once. */
export function reached(
  functions: readonly LoweredFunction[],
  entries: readonly string[],
): readonly LoweredFunction[] {
  const byName = new Map(functions.map((func) => [func.name, func]));
  const names = new Set(entries);
  for (const name of names) {
    for (const { kind, symbol } of byName.get(name)?.relocations ?? []) {
      if (kind !== 'address') names.add(symbol);
    }
  }
  return functions.filter(({ name }) => names.has(name));
}

const notTurn = ({ kind }: LoweredFunction): boolean => kind !== 'turn';

interface Program {
  readonly what: string;
  readonly functions: readonly LoweredFunction[];
  readonly limit: number;
  /** Functions that were walked for another program. */
  readonly known: Map<string, Walked>;
}

function checkProgram(
  { module, estimates, isForNew }: Form,
  { what, functions, limit, known }: Program,
): Diagnostic[] {
  const images = new Map(module.images.map(({ name, bytes }) => [name, bytes]));
  // The most costly first: where it is too much, nothing else needs to be walked.
  const order = [...functions].sort(
    (a, b) => (estimates.get(b.name) ?? 0) - (estimates.get(a.name) ?? 0),
  );
  // A turn of a loop is no function that is verified by itself: it is walked as often as its call is come to.
  const comes = new Map<string, number>();
  let total = 0;
  let worst: { readonly func: LoweredFunction; readonly walked: Walked } | null = null;
  for (const func of [...order.filter(notTurn), ...order.filter((one) => !notTurn(one))]) {
    const walked =
      known.get(func.name) ?? walkFunction({ ...func, images, isOld: !isForNew, limit });
    known.set(func.name, walked);
    for (const [name, times] of walked.turns) comes.set(name, (comes.get(name) ?? 0) + times);
    total += walked.instructions * (comes.get(func.name) ?? 1);
    if (worst === null || walked.instructions > worst.walked.instructions) worst = { func, walked };
    if (walked.kept > MOST_KEPT)
      return [
        refusal(
          module,
          func,
          walked,
          `verifiers keep more than ${MOST_KEPT} ways of \`${func.name}\` for later`,
        ),
      ];
    if (total > limit) break;
  }
  if (worst === null || total <= limit) return [];
  const { func, walked } = worst;
  const message = `verifiers walk more than ${limit} instructions for ${what}, at least ${Math.min(walked.instructions, limit)} of them in \`${func.name}\``;
  return [refusal(module, func, walked, message)];
}

/** A finding at the line of a function that is walked most. */
function refusal(
  module: Module,
  func: LoweredFunction,
  walked: Walked,
  message: string,
): Diagnostic {
  const loc = func.locs.slice(0, walked.most + 1).findLast((one) => one !== null) ?? null;
  const at = loc === null ? null : (module.positions[loc] ?? null);
  return diagnostic('B211', message, { at, help: BUNDLE_CODES['B211']?.help ?? null });
}
