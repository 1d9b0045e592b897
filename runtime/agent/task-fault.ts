/** Errors of a change of the node, as they cross from the process that made it. */
import { type Diagnostic, messageOf } from '../../compiler/diagnostic/index.js';
import { isRefusedError, RefusedError } from '../trust/refused-error.js';
import { AgentError, isAgentError, PlanError, WorldError } from './agent-error.js';

export interface TaskFault {
  readonly kind: 'refused' | 'world' | 'plan' | 'agent' | 'other';
  readonly code: string;
  readonly message: string;
  readonly help: string | null;
  readonly diagnostics: readonly Diagnostic[];
}

function kindOf(error: unknown): TaskFault['kind'] {
  if (isRefusedError(error)) return 'refused';
  if (error instanceof WorldError) return 'world';
  if (error instanceof PlanError) return 'plan';
  return isAgentError(error) ? 'agent' : 'other';
}

/** As plain data. */
export function encodeFault(error: unknown): TaskFault {
  const { code = '', help = null } = isAgentError(error) ? error : {};
  const found = error instanceof Error ? Reflect.get(error, 'diagnostics') : null;
  return {
    ...{ kind: kindOf(error), code, help },
    message: messageOf(error),
    diagnostics: Array.isArray(found) ? found : [],
  };
}

/** The error again, by which its receiver tells them apart. */
export function decodeFault({ kind, code, message, help, diagnostics }: TaskFault): Error {
  switch (kind) {
    case 'refused':
      return new RefusedError(diagnostics);
    case 'world':
      return new WorldError(diagnostics);
    case 'plan':
      return new PlanError(diagnostics);
    case 'agent':
      return new AgentError(code, message, help);
    case 'other':
      return new Error(message);
  }
}
