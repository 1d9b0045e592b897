/** Faults of the node side. Guarded by code (`A` and three digits), never by class. */
import type { Diagnostic } from '../../compiler/diagnostic/index.js';

export class AgentError extends Error {
  override readonly name = 'AgentError';
  readonly code: string;
  readonly help: string | null;
  constructor(code: string, message: string, help: string | null = null, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.help = help;
  }
}

/** The bundle does not go with the world; `diagnostics` say where. Code A021. */
export class PlanError extends AgentError {
  readonly diagnostics: readonly Diagnostic[];
  constructor(diagnostics: readonly Diagnostic[]) {
    super('A021', 'the bundle does not go with the world');
    this.diagnostics = diagnostics;
  }
}

/** The world of this node cannot be used; `diagnostics` say where. Code A042. */
export class WorldError extends AgentError {
  readonly diagnostics: readonly Diagnostic[];
  constructor(diagnostics: readonly Diagnostic[]) {
    super('A042', 'the world of this node cannot be used');
    this.diagnostics = diagnostics;
  }
}

/** True for an AgentError of this or another copy of this module. */
export function isAgentError(value: unknown): value is AgentError {
  return (
    value instanceof Error &&
    'code' in value &&
    typeof value.code === 'string' &&
    /^A\d{3}$/.test(value.code)
  );
}
