/** Compiles the benchmarks' C: peers for the kernel, clients for user space. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root: string = fileURLToPath(new URL('../../../', import.meta.url));
export const benchFile = (name: string): string => join(root, 'test/bench', name);

function clang(args: readonly string[]): void {
  const done = spawnSync('clang', args, { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`clang ${args.join(' ')}\n${done.stderr}`);
}

/** A BPF object as bpf/build.mjs makes them: -O2, ISA v3. */
export function compileBpf(
  source: string,
  out: string,
  defines: Readonly<Record<string, string | number>> = {},
): Uint8Array {
  clang([
    ...['-O2', '-g', '-Wall', '-target', 'bpf', '-mcpu=v3'],
    ...[
      '-idirafter',
      '/usr/include/x86_64-linux-gnu',
      '-idirafter',
      '/usr/include/aarch64-linux-gnu',
    ],
    ...Object.entries(defines).map(([name, value]) => `-D${name}=${value}`),
    ...['-I', join(root, 'bpf'), '-c', source, '-o', out],
  ]);
  return new Uint8Array(readFileSync(out));
}

/** A program for this machine. */
export function compileProgram(source: string, out: string): void {
  clang(['-O2', '-Wall', source, '-o', out]);
}

/** As clang calls it, `14.0.6`. */
export function clangVersion(): string {
  const { stdout } = spawnSync('clang', ['--version'], { encoding: 'utf8' });
  return /clang version (\S+?)(?:-|\s|$)/.exec(stdout)?.[1] ?? 'unknown';
}
