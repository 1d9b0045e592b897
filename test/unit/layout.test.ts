/** runtime/agent/layout.ts and bpf/types.h are one layout: every field of every struct, by BTF. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeActive, encodeActive, LAYOUT } from '../../runtime/agent/layout.js';

interface BtfType {
  readonly kind: string;
  readonly name: string;
  readonly size?: number;
  readonly members?: readonly { readonly name: string; readonly bits_offset: number }[];
}

/** Offsets in bytes by struct and field, and sizes, of a built object. */
function readLayout(object: string): Map<string, Record<string, number>> {
  const path = fileURLToPath(new URL(`../../bpf/${object}.o`, import.meta.url));
  const dumped = spawnSync('bpftool', ['btf', 'dump', '-j', 'file', path], { encoding: 'utf8' });
  const { types } = JSON.parse(dumped.stdout) as { readonly types: readonly BtfType[] };
  const layouts = new Map<string, Record<string, number>>();
  for (const type of types) {
    if (type.kind !== 'STRUCT' || !type.name.startsWith('weft_')) continue;
    const fields: Record<string, number> = {};
    for (const member of type.members ?? []) fields[member.name] = member.bits_offset / 8;
    layouts.set(type.name, { ...fields, size: type.size ?? 0 });
  }
  return layouts;
}

const test = suite('layout');
const built = new Map([...readLayout('stubs'), ...readLayout('hooks'), ...readLayout('harness')]);

for (const [name, layout] of Object.entries(LAYOUT))
  test(`${name} is where the object has it`, () => {
    assert.equal(layout, built.get(name));
  });

test('a layout that differs in one offset is told', () => {
  assert.not.equal({ ...LAYOUT.weft_event, hook: 165 }, built.get('weft_event'));
});

test('weft_active survives a round trip', () => {
  assert.equal(decodeActive(encodeActive(3, 70000)), { slot: 3, generation: 70000 });
});

test.run();
