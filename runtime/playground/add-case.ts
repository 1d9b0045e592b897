/** A case more for a scenario, with its comments and its form kept. */
import { parseDocument } from 'yaml';
import type { NewCase } from './types.js';

function headersOf(text: string): Readonly<Record<string, string>> {
  const lines = text.split('\n').filter((line) => line.includes(':'));
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf(':');
      return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    }),
  );
}

/** `from-to`, with a number where the scenario has one of that name. */
function freeId({ from, to, path }: NewCase, known: ReadonlySet<string>): string {
  const words = [from, to, path].filter((word) => word !== '').join('-');
  const name = words
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  const free = (n: number): string => {
    const id = n === 1 ? name : `${name}-${n}`;
    return known.has(id) ? free(n + 1) : id;
  };
  return free(1);
}

/** The scenario with a case at its end, and the id of that case; null where the text is no list of cases. */
export function addCase(
  text: string,
  added: NewCase,
): { readonly text: string; readonly id: string } | null {
  const document = parseDocument(text.trim() === '' ? 'cases: []\n' : text);
  if (document.errors.length > 0) return null;
  const value: unknown = document.toJS();
  const cases: unknown =
    typeof value === 'object' && value !== null ? Reflect.get(value, 'cases') : null;
  if (!Array.isArray(cases)) return null;
  const ids = cases.map((one: unknown) =>
    typeof one === 'object' && one !== null ? String(Reflect.get(one, 'id')) : '',
  );
  const id = freeId(added, new Set(ids));
  const { from, to, protocol, method, path } = added;
  const headers = headersOf(added.headers);
  const ends = { from, to };
  const isRequest = method !== '';
  const asked = isRequest
    ? { request: { ...ends, method, path, ...(Object.keys(headers).length > 0 && { headers }) } }
    : { connect: protocol === 'tcp' ? ends : { ...ends, protocol } };
  const node = document.createNode({ id, ...asked });
  document.addIn(['cases'], node);
  return { text: String(document), id };
}
