/** Compiles small C programs to eBPF objects, and makes throw-away cgroups, for the kernel tests. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const HEAD = `#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>
char LICENSE[] SEC("license") = "GPL";
`;

/** The object of a C source (with bpf_helpers.h and a license already there). */
export function compileC(source: string, name = 'probe'): Uint8Array {
  const directory = mkdtempSync(join(tmpdir(), 'weft-kernel-'));
  try {
    writeFileSync(join(directory, `${name}.c`), HEAD + source);
    execFileSync(
      'clang',
      [
        ...['-O2', '-g', '-target', 'bpf', '-I/usr/include/x86_64-linux-gnu'],
        ...['-c', `${name}.c`, '-o', `${name}.o`],
      ],
      { cwd: directory, stdio: ['ignore', 'ignore', 'inherit'] },
    );
    return new Uint8Array(readFileSync(join(directory, `${name}.o`)));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
