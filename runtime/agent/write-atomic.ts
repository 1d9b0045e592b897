/** Files that readers find whole or not at all: written beside their place, then renamed into it. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { AgentError } from './agent-error.js';
import { CODES } from './codes.js';

/** Replaces a file, and what it holds outlives a crash of the machine where `flush` says so. Throws A031; then the old file stays. */
export function writeAtomic(
  path: string,
  data: string | Uint8Array,
  { flush }: { readonly flush: boolean } = { flush: false },
): void {
  const temporary = `${path}.new`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    writeFileSync(temporary, data, { mode: 0o644, flush });
    renameSync(temporary, path);
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw cannotWrite(path, cause);
  }
}

/** Why a file is not there: A031. */
export function cannotWrite(path: string, cause: unknown): AgentError {
  const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
  const message = `\`${path}\` cannot be written: ${reason}`;
  return new AgentError('A031', message, CODES['A031']?.help ?? null, { cause });
}
