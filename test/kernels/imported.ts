/**
 * Imported sets of policies, whose loops over bytes verifiers walk turn by turn: what `weft check` accepts has to load, and
 * a kernel that takes the walked form has to count what the compiler's own walk says (B211).
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeBundle } from '../../compiler/bundle/index.js';
import { compileProject, encodeBundle } from '../../compiler/index.js';
import { measureVerified } from '../../runtime/agent/index.js';
import { isVerifierError, type Kernel } from '../../runtime/kernel/index.js';
import { wizerSnapshot } from '../../runtime/snapshot/index.js';
import { BOOKINFO } from '../support/bookinfo-world.js';
import { mustCompile, projectOf } from '../support/compile-texts.js';
import { ciliumSets, istioSets } from '../support/imported-sets.js';
import { Prng } from '../support/prng.js';
import { walkModule } from '../support/walk-functions.js';
import type { Measured } from './counts.js';
import type { Tried } from './generated.js';
import { measureStaged, type ReadObject } from './measure.js';

/** Kind, sets and seed: some near the limit, some that a walk which trusts 6.1 too much takes for half of what they are. */
const SETS = [
  ['istio', 3, 7],
  ['istio', 5, 1_000_000],
  ['istio', 7, 11],
  ['cilium', 2, 1_000_000],
  ['cilium', 4, 1_000_000],
] as const;
/** So many of them at least are no more than every kernel walks. */
const LEAST = 3;
/** What the test harness takes around the policies. */
const HARNESS = 500;
/** What the walk may come to, of what a verifier says: less by no more than REQUEST_HOOK_BASE is above what hooks take. */
const NEAR = { least: 0.98, most: 1.15 } as const;

/** Loops that only the fuel ends, in connections and in requests: kernels before 6.9 call a function for each turn. */
const CALLED = new Map([
  [
    'c.ts',
    `import { Connection, Verdict } from "weft";
export function authorizeConnection(connection: Connection): Verdict {
  let a: u32 = connection.destination.port, n: u32 = 0;
  while (a > 1) { a = a & 1 ? a * 3 + 1 : a >> 1; n++; }
  return n % 2 == 0 ? Verdict.Allow : Verdict.Pass;
}`,
  ],
  [
    'r.ts',
    `import { Request, Verdict } from "weft";
export function authorizeRequest(request: Request): Verdict {
  let at: u32 = 0, sum: u32 = 0;
  while (at < <u32>request.path.length) {
    sum = sum * 7 + <u32>request.path.at(at);
    at += sum % 3 == 0 ? 1 : sum % 3;
    if (sum % 101 == 4) return Verdict.Deny;
  }
  return sum % 2 == 0 ? Verdict.Allow : Verdict.Pass;
}`,
  ],
]);

/** Writes those that `weft check` accepts for every kernel, with what our walk comes to; how many. */
export async function writeImported(folder: string): Promise<number> {
  let written = 0;
  for (const [kind, count, seed] of SETS) {
    const random = new Prng(seed);
    const { texts, config } = (kind === 'istio' ? istioSets : ciliumSets)(random, count);
    const outcome = await compileProject({
      project: projectOf(texts, config),
      read: (path) => texts.get(path) ?? null,
      snapshot: wizerSnapshot,
      checkCluster: null,
    });
    const { ir } = outcome.stages;
    if (!outcome.ok && outcome.diagnostics.every(({ code }) => code === 'B211')) continue;
    if (!outcome.ok || ir === null) throw new Error(JSON.stringify(outcome.diagnostics));
    const walked = walkModule(ir, { mayGoto: false, isOld: true });
    const file = join(folder, `${kind}-${count}-${seed}`);
    writeFileSync(`${file}.weft`, encodeBundle(outcome.bundle));
    writeFileSync(`${file}.walked`, String(walked));
    written += 1;
  }
  if (written < LEAST) throw new Error(`${written} of ${SETS.length} imported bundles compile`);
  const called = await mustCompile(CALLED, { budget: { fuel: 100_000 } });
  writeFileSync(join(folder, 'called.weft'), encodeBundle(called));
  return written + 1;
}

/** Nothing where all programs were accepted. */
function refusalOf(measured: readonly Measured[]): string | null {
  const refused = measured.find(({ count }) => count === null);
  return refused === undefined ? null : `${refused.program}: ${refused.refusal[0]}`;
}

function outcomeOf(kernel: Kernel, file: string, read: ReadObject): string {
  const decoded = decodeBundle(new Uint8Array(readFileSync(`${file}.weft`)));
  if (!decoded.ok) throw new Error(`${file} does not decode`);
  const { bundle } = decoded;
  const refusal = refusalOf(measureStaged(kernel, { name: file, bundle, world: BOOKINFO }, read));
  if (refusal !== null) return refusal;
  // How often a turn is walked is counted from above only.
  if (kernel.hasMayGoto() || !existsSync(`${file}.walked`)) return 'same';
  const counted = measureVerified(kernel, bundle).requests ?? 0;
  const walked = Number(readFileSync(`${file}.walked`, 'utf8'));
  const isSame = walked >= counted * NEAR.least - HARNESS && walked <= counted * NEAR.most;
  return isSame ? 'same' : `${counted} instructions, where the walk says ${walked}`;
}

/** Loads each bundle of a folder that writeImported filled, as an agent would. */
export function* tryImported(kernel: Kernel, folder: string, read: ReadObject): Generator<Tried> {
  const files = readdirSync(folder).filter((name) => name.endsWith('.weft'));
  for (const name of files.sort().map((file) => file.slice(0, -'.weft'.length))) {
    try {
      yield { name, outcome: outcomeOf(kernel, join(folder, name), read) };
    } catch (error) {
      if (!isVerifierError(error)) throw error;
      yield { name, outcome: error.message };
    }
  }
}
