/** Tables, and what the policies were lowered to, to look at. */
import type { TableAnswer } from '../index.js';
import { h } from './dom.js';
import type { GoTo } from './show-findings.js';

function empty(text: string): HTMLElement {
  return h('p', { class: 'empty' }, text);
}

function table({ policy, name, kind, form, bytes, entries, rows }: TableAnswer): HTMLElement {
  const cells = rows.map(([key, value]) => h('tr', {}, h('td', {}, key), h('td', {}, value)));
  const rest = entries - rows.length;
  return h(
    'details',
    { class: 'table' },
    h(
      'summary',
      {},
      h('strong', {}, name),
      ` ${kind} of ${policy}: ${entries} ${entries === 1 ? 'entry' : 'entries'}`,
      h('span', { class: 'form' }, bytes === 0 ? form : `${form}, ${bytes} bytes`),
    ),
    h('table', {}, h('tbody', {}, ...cells)),
    rest > 0 ? empty(`and ${rest} more`) : null,
  );
}

export function showTables(panel: HTMLElement, tables: readonly TableAnswer[]): void {
  const list = tables.map(table);
  panel.replaceChildren(...(list.length === 0 ? [empty('The policies declare no tables.')] : list));
}

/** A line that names a line of a policy: `; return Verdict.Deny; @ policies/a.ts:7:3`. */
const SOURCE_LINE = / @ ([^\s@]+):(\d+):(\d+)$/;

/** A listing; each of its source lines leads to the policy. */
export function showListing(panel: HTMLElement, text: string | null, goTo: GoTo): void {
  if (text === null) {
    panel.replaceChildren(empty('There is nothing to show while there are errors.'));
    return;
  }
  const lines = text.split('\n').map((line) => {
    const found = SOURCE_LINE.exec(line);
    if (found === null)
      return h('span', { class: /^\S.*: \d+ instr/.test(line) ? 'title' : '' }, `${line}\n`);
    const [, file = '', row = '1', column = '1'] = found;
    const press = (): void => goTo(file, Number(row), Number(column));
    return h('button', { class: 'source', press }, `${line}\n`);
  });
  panel.replaceChildren(h('pre', { class: 'listing' }, ...lines));
}
