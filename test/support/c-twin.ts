/** The C side of what TypeScript mirrors: structs of a built object, by BTF; enums and numbers of headers. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

interface BtfType {
  readonly kind: string;
  readonly name: string;
  readonly size?: number;
  readonly members?: readonly { readonly name: string; readonly bits_offset: number }[];
}

/** Offsets in bytes by field, and the `size`, of a struct. */
export type Layout = Record<string, number>;

const camel = (name: string): string => name.replace(/_(\w)/g, (_, c: string) => c.toUpperCase());

/** A layout with its fields named as in TypeScript. */
export function camelLayout(layout: Layout | undefined): Layout {
  return Object.fromEntries(Object.entries(layout ?? {}).map(([name, at]) => [camel(name), at]));
}

/** Layouts by struct of an object below dist/. */
export function readLayouts(object: string): ReadonlyMap<string, Layout> {
  const path = fileURLToPath(new URL(`../../${object}`, import.meta.url));
  const dumped = spawnSync('bpftool', ['btf', 'dump', '-j', 'file', path], { encoding: 'utf8' });
  const { types } = JSON.parse(dumped.stdout) as { readonly types: readonly BtfType[] };
  const structs = types.filter((t) => t.kind === 'STRUCT' && t.name.startsWith('weft_'));
  return new Map(
    structs.map(({ name, size, members }) => {
      const fields = (members ?? []).map((m) => [m.name, m.bits_offset / 8] as const);
      return [name, { ...Object.fromEntries(fields), size: size ?? 0 }];
    }),
  );
}

export interface Headers {
  /** The members of an enum, without the prefix and in camel case. */
  readonly enumeration: (name: string, prefix: string) => Record<string, number>;
  readonly define: (name: string) => number;
}

/** Headers below bpf/. */
export function readHeaders(...names: readonly string[]): Headers {
  const text = names
    .map((name) => fileURLToPath(new URL(`../../../bpf/${name}`, import.meta.url)))
    .map((path) => readFileSync(path, 'utf8'))
    .join('');
  return {
    enumeration: (name, prefix) => {
      const body = new RegExp(`enum ${name} \\{([^}]*)\\}`).exec(text)?.[1] ?? '';
      const members = [...body.matchAll(new RegExp(`${prefix}(\\w+) = (\\d+)`, 'g'))];
      return Object.fromEntries(
        members.map((m) => [camel((m[1] ?? '').toLowerCase()), Number(m[2])]),
      );
    },
    define: (name) => Number(new RegExp(`#define ${name} (\\d+)`).exec(text)?.[1]),
  };
}
