/**
 * Judging open connections as a part of a change: the change stands whatever comes of it. What hinders it
 * is told, and the next change or start of an agent does it again.
 */
import { type Diagnostic, diagnostic } from '../../compiler/diagnostic/index.js';
import { isKernelError, type Kernel } from '../kernel/index.js';
import { isAgentError } from './agent-error.js';
import { CODES } from './codes.js';
import { type JudgedConnections, judgeOpen } from './judge-open.js';
import type { Paths } from './paths.js';

export interface SettledOpen {
  /** Null where the bundle keeps them, or it is done already, or could not be. */
  readonly open: JudgedConnections | null;
  /** A022, where they were not all judged. */
  readonly diagnostics: readonly Diagnostic[];
}

function hindered(why: string): readonly Diagnostic[] {
  const message = `not all open connections were judged again: ${why}`;
  return [diagnostic('A022', message, { severity: 'warning', help: CODES['A022']?.help ?? null })];
}

/** As `judgeOpen`; throws only for faults of ours. */
export async function settleOpen(kernel: Kernel, paths: Paths): Promise<SettledOpen> {
  try {
    const open = await judgeOpen(kernel, paths);
    const problem = open?.problem ?? null;
    return { open, diagnostics: problem === null ? [] : hindered(problem) };
  } catch (error) {
    if (!isAgentError(error) && !isKernelError(error)) throw error;
    return { open: null, diagnostics: hindered(error.message) };
  }
}

/** What became of them, in a line; none where nothing was open. */
export function openLines(open: JudgedConnections | null): readonly string[] {
  if (open === null || open.judged === 0) return [];
  const { judged, ended, kept } = open;
  const connections = judged === 1 ? '1 open connection' : `${judged} open connections`;
  return [`${connections} judged again: ${ended} ended, ${kept} kept`];
}
