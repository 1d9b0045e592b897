/**
 * The way back: a generation that is still loaded becomes the deciding one again, by the same one write
 * as a load. Nothing is fetched, verified or loaded; whoever asks is on this node, and answers for it.
 */
import type { Kernel } from '../kernel/index.js';
import { readActive, writeActive } from './active.js';
import { AgentError, isAgentError } from './agent-error.js';
import { followChain } from './chain.js';
import { CODES } from './codes.js';
import { isSuperseded, pinnedGenerations } from './generations.js';
import { slotOf } from './hooks.js';
import { isLaid, markGood } from './last-good.js';
import { encodeU32 } from './layout.js';
import { hasNode, type NodeMaps, openNode, sweepNode } from './node.js';
import type { Paths } from './paths.js';
import { type SettledOpen, settleOpen } from './settle-open.js';
import { type GenerationRecord, readState, writeState } from './state.js';
import type { RollbackStep } from './steps.js';

export interface RollbackOptions {
  /** The generation to go to; null: the one before. */
  readonly to: number | null;
  /** Told behind each step. */
  readonly onStep?: (step: RollbackStep) => void;
}

export interface RolledBack {
  readonly generation: number;
  readonly from: number;
  readonly record: GenerationRecord;
  /** What became of open connections. */
  readonly settled: SettledOpen;
}

function refuse(code: string, message: string): AgentError {
  return new AgentError(code, message, CODES[code]?.help ?? null);
}

/** The generation to go to, whole in the kernel. Throws A029. */
function targetOf(
  kernel: Kernel,
  {
    node,
    paths,
    active,
  }: { readonly node: NodeMaps; readonly paths: Paths; readonly active: number },
  to: number | null,
): GenerationRecord {
  const pinned = pinnedGenerations(paths).filter((g) => g !== active);
  const records = readState(paths).generations;
  const worldsOnly = records.filter((g) => isSuperseded(g, records)).map((g) => g.generation);
  const before = pinned.filter((g) => g < active && !worldsOnly.includes(g));
  const wanted = to ?? before.at(-1) ?? null;
  if (wanted === null || !pinned.includes(wanted)) {
    const kept = pinned.length === 0 ? 'no other is kept' : `kept: ${pinned.join(', ')}`;
    const message =
      wanted === null
        ? 'there is no generation before'
        : `generation ${wanted} is not there to go to`;
    throw refuse('A029', `${message}; ${kept}`);
  }
  const record = records.find((g) => g.generation === wanted);
  const slot = node.map('weft_slots_connect4').lookup(encodeU32(slotOf(wanted)));
  if (record === undefined || slot === null) {
    throw refuse('A029', `generation ${wanted} was never activated`);
  }
  const [broken] = followChain(kernel, { node, paths }, record).breaks;
  if (broken !== undefined) throw refuse('A029', `generation ${wanted} is not whole: ${broken}`);
  return record;
}

/** A restart is to find what runs now. A full disk is no reason to stay with what was to be left. */
function markSaved(paths: Paths, { bundle, manifest, loadedAt }: GenerationRecord): void {
  try {
    if (!isLaid(paths, bundle)) return;
    markGood(paths, { digest: bundle, name: manifest.name, admittedAt: loadedAt });
  } catch (error) {
    if (!isAgentError(error)) throw error;
  }
}

/** Goes back; call it under `withLock`. Throws AgentError A013, A029, KernelError; then what ran runs on. */
export async function rollback(
  kernel: Kernel,
  paths: Paths,
  options: RollbackOptions,
): Promise<RolledBack> {
  const { onStep = () => {} } = options;
  sweepNode(paths);
  if (!hasNode(paths)) throw refuse('A013', 'nothing is loaded');
  using node = openNode(kernel, paths);
  const map = node.map('weft_active');
  const active = readActive(map);
  if (active === null) throw refuse('A013', 'nothing is loaded');
  const record = targetOf(kernel, { node, paths, active }, options.to);
  onStep('checked');
  // First what is written down: numbers that ran must never be given again.
  const state = readState(paths);
  writeState(paths, { ...state, highest: Math.max(active, state.highest ?? 0), lastError: null });
  onStep('recorded');
  writeActive(map, record.generation);
  onStep('activated');
  markSaved(paths, record);
  onStep('saved');
  const settled = await settleOpen(kernel, paths);
  onStep('judged');
  return { generation: record.generation, from: active, record, settled };
}
