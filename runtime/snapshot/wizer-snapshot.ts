/**
 * Snapshots with Wizer, which carries Wasmtime: the default engine of the configure phase. Its
 * binary is called directly and talks over pipes, so nothing is left on disk.
 */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import type { Snapshot } from '../../compiler/frontend/index.js';
import { SnapshotError } from '../../compiler/frontend/index.js';
import { readState } from './read-state.js';
import { v8Snapshot } from './v8-snapshot.js';

/** How long a configure phase may take, in milliseconds. */
export const SNAPSHOT_DEADLINE = 10_000;

function wizerBinary(): string | null {
  const require = createRequire(import.meta.url);
  const name = `wizer-${platform()}-${arch()}`;
  const suffix = platform() === 'win32' ? '.exe' : '';
  try {
    const entry = require.resolve('@bytecodealliance/wizer/package.json');
    return createRequire(entry).resolve(`@bytecodealliance/${name}/wizer${suffix}`);
  } catch {
    return null;
  }
}

type Run =
  | { readonly ok: true; readonly output: Uint8Array }
  | { readonly ok: false; readonly timeout: boolean };

function runWizer(binary: string, wasm: Uint8Array, deadline: number): Promise<Run> {
  return new Promise((resolve) => {
    const child = spawn(binary, ['--init-func', 'configure'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const chunks: Buffer[] = [];
    let timeout = false;
    const timer = setTimeout(() => {
      timeout = true;
      child.kill('SIGKILL');
    }, deadline);
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stdin.on('error', () => {}); // it may refuse the module before having read all of it
    child.on('error', () => {
      clearTimeout(timer);
      resolve({ ok: false, timeout: false }); // it cannot be started here: V8 can do it too
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      if (code === 0) resolve({ ok: true, output: Buffer.concat(chunks) });
      else resolve({ ok: false, timeout });
    });
    child.stdin.end(wasm);
  });
}

/**
 * Runs `configure` under Wasmtime. Where Wizer is not installed for this machine, and to find out
 * why a run failed, V8 is asked. Rejects with SnapshotError.
 */
export async function wizerSnapshot(
  wasm: Uint8Array,
  deadline: number = SNAPSHOT_DEADLINE,
): Promise<Snapshot> {
  const binary = wizerBinary();
  if (binary === null) return v8Snapshot(wasm, deadline);
  const run = await runWizer(binary, wasm, deadline);
  if (run.ok) return readState(run.output);
  if (run.timeout) {
    throw new SnapshotError('the configure phase did not end', {
      reason: 'timeout',
      subject: String(deadline),
    });
  }
  return v8Snapshot(wasm, deadline);
}
