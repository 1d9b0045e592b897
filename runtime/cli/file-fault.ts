/** What the file system refused, as a diagnostic with the remedy that the reason has. */
import { type Diagnostic, diagnostic } from '../../compiler/diagnostic/index.js';

const REMEDY: Readonly<Record<string, string>> = {
  EACCES: 'check the permissions of the file and its folder',
  EPERM: 'check the permissions of the file and its folder',
  EISDIR: 'name a file, not a folder',
  ENOTDIR: 'a part of the path is a file, not a folder',
  ENOSPC: 'make room on the disk; nothing was changed',
  EDQUOT: 'make room on the disk; nothing was changed',
  EROFS: 'the file system is read-only: choose another place',
};

function reasonOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}

/** U010: a file that the user named cannot be read. */
export function readFault(shown: string, error: unknown): Diagnostic {
  const reason = reasonOf(error);
  const help = reason === 'ENOENT' ? 'check the path' : (REMEDY[reason] ?? null);
  return diagnostic('U010', `cannot read \`${shown}\`: ${reason}`, { help });
}

/** U011: a file that the user named cannot be written. */
export function writeFault(shown: string, error: unknown): Diagnostic {
  const reason = reasonOf(error);
  const help = reason === 'ENOENT' ? 'make the folder first' : (REMEDY[reason] ?? null);
  return diagnostic('U011', `cannot write \`${shown}\`: ${reason}`, { help });
}
