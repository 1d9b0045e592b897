/**
 * A policy out of its bundle back to IR: what `compilePolicy` had after its passes, without AssemblyScript. The
 * same bytes that the engines run are decoded, so whatever reads this IR reads what is enforced.
 */
import type { PartKind } from './abi/index.js';
import type { Bundle, PolicyEntry } from './bundle/manifest.js';
import { BugError, hasErrors } from './diagnostic/index.js';
import { buildModule } from './frontend/build-ir.js';
import { FUEL_EXPORT } from './frontend/fuel.js';
import { LineIndex } from './frontend/line-index.js';
import { parseCidr } from './frontend/parse-cidr.js';
import { criterionOf } from './frontend/rule-text.js';
import { sourceLocator } from './frontend/source-map.js';
import type { KeyPart, Registry } from './frontend/types.js';
import { readModule } from './frontend/wasm/index.js';
import { MEMORY_IMAGE, type Module } from './ir/index.js';
import { type ResolvedAbi, resolveAbi } from './passes/expand-abi-resolve.js';
import { splitAbi } from './passes/expand-abi-split.js';

/** A policy as simplified IR with its ABI calls in place, and what each of them names. */
export interface PolicyIr {
  readonly entry: PolicyEntry;
  readonly module: Module;
  /** Linear memory after the configure phase. */
  readonly memory: Uint8Array;
  readonly resolved: ResolvedAbi;
}

/** Reads the IR of a policy; throws BugError where the module is not one that this compiler writes. */
export function reopenPolicy(
  { manifest, wasm, maps }: Pick<Bundle, 'manifest' | 'wasm' | 'maps'>,
  entry: PolicyEntry,
): PolicyIr {
  const { name, index, scratch } = entry;
  const [bytes, map] = [wasm.get(name), maps.get(name)];
  const read = bytes === undefined ? null : readModule(bytes);
  if (bytes === undefined || map === undefined || read === null || !read.ok) {
    throw new BugError(`the bundle has no module for \`${name}\``);
  }
  const fuel = read.value.exports.find((e) => e.kind === 'global' && e.name === FUEL_EXPORT);
  if (fuel === undefined) throw new BugError(`the module of \`${name}\` has no fuel`);
  const lines = new Map(
    Object.entries(manifest.sources).map(([file, text]) => [file, new LineIndex(text)]),
  );
  const { module, diagnostics } = buildModule({
    frontend: {
      wasm: bytes,
      locate: sourceLocator(map, read.value.bodies),
      lineText: (file, line) => lines.get(file)?.line(line) ?? '',
      scratch,
      fuelGlobal: fuel.index,
    },
    policy: index,
    name,
  });
  if (module === null) {
    throw new BugError(`the module of \`${name}\` is refused: ${diagnostics[0]?.message ?? ''}`);
  }
  const memory = module.images.find((i) => i.name === MEMORY_IMAGE)?.bytes ?? new Uint8Array(0);
  splitAbi(module);
  const resolved = resolveAbi(module, { memory, registry: registryOf(manifest.routes, entry) });
  if (hasErrors(resolved.diagnostics)) throw new BugError(`ABI calls of \`${name}\` are refused`);
  return { entry, module, memory, resolved };
}

function keyPart(kind: PartKind, text: string): readonly KeyPart[] {
  if (kind === 'integer') return [{ kind, value: BigInt.asUintN(64, BigInt(text)) }];
  if (kind === 'text') return [{ kind, value: text }];
  const parsed = parseCidr(text);
  return parsed.ok ? [{ kind, bytes: parsed.prefix.bytes, text }] : [];
}

/** What the configure phase declared, as far as the manifest keeps it: all but the places. */
function registryOf(routes: Bundle['manifest']['routes'], entry: PolicyEntry): Registry {
  const key = (kind: 'integer' | 'text', text: string) =>
    kind === 'integer' ? { kind, value: BigInt.asUintN(64, BigInt(text)) } : { kind, value: text };
  return {
    tables: entry.tables.map(({ name, keyKind, entries }) => ({
      name,
      keyKind,
      entries: entries.map(([text, value]) => ({ key: key(keyKind, text), value })),
      at: null,
    })),
    cidrs: entry.cidrs.map(({ name, prefixes }) => ({
      name,
      prefixes: prefixes.flatMap((text) => {
        const parsed = parseCidr(text);
        return parsed.ok ? [parsed.prefix] : [];
      }),
      at: null,
    })),
    ports: entry.ports.map(({ name, ranges }) => ({
      name,
      ranges: ranges.map(([first, last]) => ({ first, last })),
      at: null,
    })),
    keys: entry.keys.map(({ name, kinds, entries }) => ({
      name,
      kinds,
      entries: entries.map(([parts, value]) => ({
        parts: parts.flatMap((text, i) => keyPart(kinds[i] ?? 'integer', text)),
        value,
      })),
      at: null,
    })),
    rules: entry.rules.map(({ name, rules }) => ({
      name,
      rules: rules.map(({ value, priority, when }) => ({
        criteria: when.flatMap((texts) => criterionOf(texts) ?? []),
        value,
        priority,
        at: null,
      })),
      at: null,
    })),
    patterns: entry.patterns.map(({ name, kind, entries }) => ({
      name,
      kind,
      entries: entries.map(([text, value]) => ({ text, value })),
      at: null,
    })),
    routes: routes
      .slice(entry.firstRoute, entry.firstRoute + entry.routes)
      .map(({ policy: _, ...target }) => ({ target, at: null })),
  };
}
