/** `weft doctor`: each thing that the kernel part needs, yes or no, and what to do about a no. */
import { messageOf } from '../../../compiler/diagnostic/index.js';
import type { Feature } from '../../kernel/types.js';
import type { CommandSpec } from '../command-spec.js';
import type { Env } from '../env.js';
import { EXIT } from '../exit.js';

async function kernelFeatures(env: Env): Promise<readonly Feature[]> {
  try {
    return (await env.openKernel({ unprivileged: true })).features();
  } catch (error) {
    const detail = messageOf(error);
    const remedy = 'install libbpf 1.1 or newer: apt-get install libbpf1';
    return [{ name: 'libbpf', present: false, required: true, detail, remedy }];
  }
}

async function features(env: Env): Promise<readonly Feature[]> {
  if (env.platform === 'linux') return kernelFeatures(env);
  const remedy = 'loading policies needs Linux 6.1 or later';
  return [{ name: 'linux', present: false, required: true, detail: env.platform, remedy }];
}

/** One row a feature; what helps stands below what is missing. */
function table(features: readonly Feature[]): string {
  const width = Math.max(...features.map((f) => f.name.length));
  return features
    .flatMap((f) => {
      const answer = f.present ? 'yes' : 'no ';
      const kind = f.required ? '' : ' (optional)';
      const row = `${answer}  ${f.name.padEnd(width)}  ${f.detail}${kind}`;
      return f.remedy === null ? [row] : [row, `     ${' '.repeat(width)}  ${f.remedy}`];
    })
    .join('\n');
}

export const DOCTOR_COMMAND: CommandSpec = {
  name: 'doctor',
  summary: 'say what this machine can do, and the remedy for what it cannot',
  description:
    'Needs no privileges and changes nothing. Exit code 4 where something required is missing.\nCheck, build and simulate work on any machine, whatever doctor says.',
  example:
    '$ weft doctor\nno   privileges  missing\n                 run as root, or grant CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON\nyes  cgroup2     /sys/fs/cgroup\n…',
  arguments: [],
  options: [],
  formats: ['text', 'json'],
  async run(env) {
    const found = await features(env);
    const missing = found.filter((f) => f.required && !f.present);
    const verdict =
      missing.length === 0
        ? 'this machine can load policies'
        : `this machine cannot load policies: ${missing.map((f) => f.name).join(', ')} missing`;
    return {
      exit: missing.length === 0 ? EXIT.ok : EXIT.unsupported,
      document: { ok: missing.length === 0, features: found },
      text: `${table(found)}\n${verdict}`,
    };
  },
};
