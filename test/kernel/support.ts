/** Compiles small C programs to eBPF objects, and makes throw-away cgroups, for the kernel tests. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findCgroup2 } from '../../runtime/kernel/index.js';

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

/** Runs `body` with a fresh cgroup below the cgroup2 mount, and removes it (it must be empty by then). */
export function withCgroup<T>(name: string, body: (path: string) => T): T {
  const root = findCgroup2();
  if (root === null) throw new Error('no cgroup2 mount');
  const path = join(root, `weft-test-${name}-${Date.now()}`);
  mkdirSync(path);
  try {
    return body(path);
  } finally {
    rmdirSync(path);
  }
}

/** Connects (nobody need listen) from inside a cgroup; gives the error's name or `connected`. */
export function connectFrom(cgroup: string, port: number, host = '127.0.0.1'): string {
  const script = `
    require('fs').writeFileSync(${JSON.stringify(join(cgroup, 'cgroup.procs'))}, String(process.pid));
    const socket = require('net').connect(${port}, ${JSON.stringify(host)});
    socket.on('error', (error) => console.log(error.code));
    socket.on('connect', () => { console.log('connected'); socket.destroy(); });`;
  return execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' }).trim();
}
