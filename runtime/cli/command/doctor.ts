/** `weft doctor`: each thing that the kernel part needs, yes or no, and what to do about a no. */
import { existsSync } from 'node:fs';
import type { Feature } from '../../kernel/types.js';
import type { CommandSpec } from '../command-spec.js';
import type { Env } from '../env.js';
import { EXIT } from '../exit.js';

function feature(name: string, present: boolean, detail: string, remedy: string): Feature {
  return { name, present, required: true, detail, remedy: present ? null : remedy };
}

/** What can be told without opening the kernel door. */
function machineFeatures(env: Env): readonly Feature[] {
  const linux = env.platform === 'linux';
  return [
    feature('linux', linux, env.platform, 'loading policies needs Linux 6.1 or later'),
    feature('root', env.uid === 0, `uid ${env.uid}`, 'run as root, for instance with sudo'),
    feature(
      'cgroup2',
      existsSync('/sys/fs/cgroup/cgroup.controllers'),
      '/sys/fs/cgroup',
      'mount -t cgroup2 none /sys/fs/cgroup',
    ),
    feature('bpffs', existsSync('/sys/fs/bpf'), '/sys/fs/bpf', 'mount -t bpf bpf /sys/fs/bpf'),
    feature(
      'btf',
      existsSync('/sys/kernel/btf/vmlinux'),
      '/sys/kernel/btf/vmlinux',
      'use a kernel built with CONFIG_DEBUG_INFO_BTF',
    ),
  ];
}

async function kernelFeatures(env: Env): Promise<readonly Feature[]> {
  try {
    return (await env.openKernel()).features();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return [feature('libbpf', false, message, 'install libbpf1 (Debian: apt-get install libbpf1)')];
  }
}

function row(f: Feature): string {
  const answer = f.present ? 'yes' : 'no';
  const kind = f.required ? '' : ' (optional)';
  const remedy = f.present || f.remedy === null ? '' : `\n     ${' '.repeat(18)}${f.remedy}`;
  return `${answer.padEnd(4)} ${f.name.padEnd(17)} ${f.detail}${kind}${remedy}`;
}

/** Ours first; a kernel-door answer of the same name only adds detail and is left out. */
function merge(ours: readonly Feature[], theirs: readonly Feature[]): readonly Feature[] {
  const known = new Set(ours.map((f) => f.name));
  return [...ours, ...theirs.filter((f) => !known.has(f.name))];
}

export const DOCTOR_COMMAND: CommandSpec = {
  name: 'doctor',
  summary: 'say what this machine can do, and the remedy for what it cannot',
  description:
    'Needs no privileges and changes nothing. Exit code 4 where something required is missing.\nCheck, build and simulate work on any machine, whatever doctor says.',
  example:
    '$ weft doctor\nyes  linux             linux\nno   root              uid 1000\n                       run as root, for instance with sudo',
  arguments: [],
  options: [],
  formats: ['text', 'json'],
  async run(env) {
    const machine = machineFeatures(env);
    // Without privileges every probe of the kernel fails alike, which would only hide the reason.
    const probed = env.uid === 0 && env.platform === 'linux' ? await kernelFeatures(env) : [];
    const features = merge(machine, probed);
    const missing = features.filter((f) => f.required && !f.present);
    const verdict =
      missing.length === 0
        ? 'this machine can load policies'
        : `this machine cannot load policies: ${missing.map((f) => f.name).join(', ')} missing`;
    return {
      exit: missing.length === 0 ? EXIT.ok : EXIT.unsupported,
      document: { ok: missing.length === 0, features },
      text: `${features.map(row).join('\n')}\n${verdict}`,
    };
  },
};
