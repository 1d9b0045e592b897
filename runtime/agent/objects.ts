/** The BPF objects that ship with the program: stubs, hooks and the test harness. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { AgentError } from './agent-error.js';

export type ObjectName =
  | 'stubs'
  | 'agent'
  | 'account'
  | 'replies'
  | 'hooks'
  | 'request-hooks'
  | 'harness'
  | 'request-harness';

// Beside the bundled programs and their parts, or two rooms up from a module of its own.
const FOLDERS = ['./bpf/', '../../bpf/'] as const;

/** Bytes of a shipped object. Throws A004 where the build left it out. */
export function readObject(name: ObjectName): Uint8Array {
  for (const folder of FOLDERS) {
    const path = fileURLToPath(new URL(`${folder}${name}.o`, import.meta.url));
    if (existsSync(path)) return readFileSync(path);
  }
  throw new AgentError('A004', `the BPF object \`${name}.o\` is missing`, 'run `npm run build`');
}
