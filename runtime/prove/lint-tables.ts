/** Tables and sets that are declared and that no code which is left looks into. */
import { type Diagnostic, diagnostic } from '../../compiler/diagnostic/index.js';
import type { AbiCall, PolicyEntry } from '../../compiler/index.js';
import { CODES } from './codes.js';
import { modelOf, type ProvableBundle } from './decide.js';

type Kind = 'tables' | 'cidrs' | 'ports' | 'patterns' | 'keys';
const KINDS: readonly Kind[] = ['tables', 'cidrs', 'ports', 'patterns', 'keys'];

function asked(call: AbiCall): readonly [Kind, number] | null {
  switch (call.op) {
    case 'table':
    case 'viewTable':
      return ['tables', call.table];
    case 'cidr':
      return ['cidrs', call.set];
    case 'ports':
      return ['ports', call.set];
    case 'patterns':
      return ['patterns', call.table];
    case 'keys':
      return ['keys', call.table];
    default:
      return null;
  }
}

/** Where the name of a declaration stands, as far as it is written out. */
function placeOf(text: string, name: string): { readonly line: number; readonly column: number } {
  const lines = text.split('\n');
  const line = lines.findIndex(
    (one) => one.includes(`(${JSON.stringify(name)}`) && /\bnew\s/.test(one),
  );
  return line < 0
    ? { line: 1, column: 1 }
    : { line: line + 1, column: (lines[line]?.search(/\bnew\s/) ?? 0) + 1 };
}

function namesOf(entry: PolicyEntry, kind: Kind): readonly string[] {
  return entry[kind].map(({ name }) => name);
}

/** Finds them. */
export function lintTables(bundle: ProvableBundle): readonly Diagnostic[] {
  return modelOf(bundle, 'lint').policies.flatMap(({ entry, resolved }) => {
    const used = new Set<string>();
    for (const calls of resolved.calls.values()) {
      for (const call of calls.values()) {
        const one = asked(call);
        if (one !== null) used.add(one.join());
      }
    }
    return KINDS.flatMap((kind) =>
      namesOf(entry, kind).flatMap((name, number): Diagnostic[] => {
        if (used.has([kind, number].join())) return [];
        const at = {
          file: entry.file,
          ...placeOf(bundle.manifest.sources[entry.file] ?? '', name),
        };
        const help = CODES['F105']?.help ?? null;
        return [
          diagnostic('F105', `nothing looks into \`${name}\``, { at, severity: 'warning', help }),
        ];
      }),
    );
  });
}
