/**
 * The imports about views, over the bytes of one struct weft_request: what the lowered code does, byte
 * by byte. A view that reaches behind the head traps where bytes of it are compared, as the bound of
 * the kernel's load does.
 */
import {
  HEAD,
  HEAD_MAX,
  type ImportName,
  MAX_VIEW_KEY,
  type PatternStep,
  parsePattern,
  REQUEST,
  VIEW,
  type ViewName,
  viewHash,
} from '../../compiler/abi/index.js';
import type { Manifest, PolicyEntry } from '../../compiler/bundle/manifest.js';
import { BugError } from '../../compiler/diagnostic/index.js';
import type { Current, HostFunction } from './host.js';
import { patternMatcher } from './patterns.js';

const PARTS = (Object.keys(VIEW) as ViewName[]).map((name) => REQUEST.head + HEAD[name]);
const OUTSIDE = 'a view reaches behind the head';

/** The imports about requests and their views, by the table's own naming. */
export type ViewImportName = Extract<ImportName, `request_${string}` | `view_${string}`>;

function lower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
}

function byteKeys(table: PolicyEntry['tables'][number]): Map<string, number> {
  const encode = new TextEncoder();
  return new Map(
    table.entries.map(([key, value]) => [String.fromCharCode(...encode.encode(key)), value | 0]),
  );
}

/** Makes the part of a policy's imports that looks at requests. */
export function viewImports(
  manifest: Pick<Manifest, 'headers'>,
  policy: PolicyEntry,
  current: Current,
  read: (text: number) => string,
): Record<ViewImportName, HostFunction> {
  const tables = policy.tables.map((t) => (t.keyKind === 'text' ? byteKeys(t) : new Map()));
  const word = (at: number): number => current.view.getUint32(current.base + at, true) | 0;
  const byteAt = (at: number): number => current.view.getUint8(current.base + REQUEST.bytes + at);
  /** Whether `text` stands at an offset of the head. */
  const stands = (text: string, at: number, fold: boolean): boolean => {
    if (text === '') return true;
    if (at > HEAD_MAX - text.length) throw new RangeError(OUTSIDE);
    for (let i = 0; i < text.length; i += 1) {
      const [have, want] = [byteAt(at + i), text.charCodeAt(i)];
      if (fold ? lower(have) !== lower(want) : have !== want) return false;
    }
    return true;
  };
  const whole = (fold: boolean) => (view: number, address: number) => {
    const text = read(address);
    const fits = view !== 0 && (view & 0xffff) === text.length;
    return fits && stands(text, view >>> 16, fold) ? 1 : 0;
  };
  const start = (fold: boolean) => (view: number, address: number) => {
    const text = read(address);
    const fits = view !== 0 && (view & 0xffff) >= text.length;
    return fits && stands(text, view >>> 16, fold) ? 1 : 0;
  };
  const end = (fold: boolean) => (view: number, address: number) => {
    const text = read(address);
    const fits = view !== 0 && (view & 0xffff) >= text.length;
    const at = (view >>> 16) + (view & 0xffff) - text.length;
    return fits && stands(text, at, fold) ? 1 : 0;
  };
  /** The bytes of a view; null where it reaches behind the head. */
  const bytesOf = (view: number): Uint8Array | null => {
    const [at, length] = [view >>> 16, view & 0xffff];
    if (at + length > HEAD_MAX) return null;
    const { buffer, byteOffset } = current.view;
    return new Uint8Array(buffer, byteOffset + current.base + REQUEST.bytes + at, length);
  };
  const find = (view: number, byte: number): number => {
    const found = bytesOf(view)?.indexOf(byte & 0xff) ?? -1;
    return found < 0 ? view & 0xffff : found;
  };
  const matches = (steps: readonly PatternStep[], view: number): boolean => {
    let rest = view;
    for (const step of steps) {
      if (rest === 0) return false;
      const [at, length] = [rest >>> 16, rest & 0xffff];
      const text = step.op === 'literal' ? step.text : '/';
      const begins = (): boolean => length >= text.length && stands(text, at, false);
      if (step.op === 'end') return length === 0;
      if (step.op === 'rest') return length === 0 || begins();
      const count = step.op === 'element' ? find(rest, 0x2f) : begins() ? text.length : 0;
      if (count === 0) return false;
      rest += (count << 16) - count;
    }
    return false;
  };
  const lookUp = (index: number, view: number): number | undefined => {
    const table = tables[index];
    if (table === undefined) throw new BugError(`table ${index} is not in the manifest`);
    if (view === 0 || (view & 0xffff) > MAX_VIEW_KEY) return undefined;
    const bytes = bytesOf(view);
    return bytes === null ? undefined : table.get(String.fromCharCode(...bytes));
  };
  const slots = new Map<number, number>();
  const slotOf = (name: number): number => {
    const known = slots.get(name);
    if (known !== undefined) return known;
    const slot = manifest.headers.indexOf(read(name).toLowerCase());
    slots.set(name, slot);
    return slot;
  };
  const patterns = policy.patterns.map(patternMatcher);
  const fitting = (index: number, view: number): number | undefined => {
    const matcher = patterns[index];
    if (matcher === undefined) throw new BugError(`patterns ${index} are not in the manifest`);
    const bytes = view === 0 ? null : bytesOf(view);
    return bytes === null ? undefined : matcher(String.fromCharCode(...bytes));
  };
  return {
    request_view: (kind: number) => word(PARTS[kind] ?? PARTS.length),
    request_header: (name: number) => {
      const slot = slotOf(name);
      // A header without a slot is one whose value the compiled code never looks at.
      if (slot < 0) return 0;
      const repeated = current.view.getUint16(current.base + REQUEST.head + HEAD.repeated, true);
      if ((repeated & (1 << slot)) !== 0) {
        throw new RangeError(`header \`${read(name)}\` stands more than once`);
      }
      return word(REQUEST.head + HEAD.headers + 4 * slot);
    },
    view_is: whole(false),
    view_is_ignoring_case: whole(true),
    view_starts_with: start(false),
    view_starts_with_ignoring_case: start(true),
    view_ends_with: end(false),
    view_ends_with_ignoring_case: end(true),
    view_matches: (view: number, address: number) => {
      const steps = parsePattern(read(address));
      if (steps === null) throw new BugError(`\`${read(address)}\` is no pattern`);
      return matches(steps, view) ? 1 : 0;
    },
    view_byte: (view: number, index: number) => {
      if (index >>> 0 >= (view & 0xffff)) return -1;
      const at = (view >>> 16) + (index >>> 0);
      if (at >= HEAD_MAX) throw new RangeError(OUTSIDE);
      return byteAt(at);
    },
    view_find: find,
    view_hash: (view: number) => {
      const bytes = bytesOf(view);
      return bytes === null ? 0 : Number(BigInt.asIntN(32, viewHash(bytes)));
    },
    view_table_get: (table: number, view: number, fallback: number) =>
      lookUp(table, view) ?? fallback,
    view_table_has: (table: number, view: number) => (lookUp(table, view) === undefined ? 0 : 1),
    view_pattern_get: (table: number, view: number, fallback: number) =>
      fitting(table, view) ?? fallback,
    view_pattern_has: (table: number, view: number) => (fitting(table, view) === undefined ? 0 : 1),
  };
}
