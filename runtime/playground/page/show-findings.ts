/** Findings as a list; each leads to its place. */
import type { Diagnostic } from '../../../compiler/diagnostic/index.js';
import { h } from './dom.js';

export type GoTo = (file: string, line: number, column: number) => void;

function placeText({ file, line, column }: Diagnostic): string {
  if (file === null) return '';
  return line === null ? file : `${file}:${line}${column === null ? '' : `:${column}`}`;
}

export function showFindings(
  panel: HTMLElement,
  findings: readonly Diagnostic[],
  goTo: GoTo,
): void {
  const rows = findings.map((found) => {
    const { severity, code, message, help, file, line, column } = found;
    const lead = [
      h('span', { class: `mark ${severity}` }, severity),
      h('span', { class: 'place' }, placeText(found)),
      h('span', { class: 'message' }, `${message} `, h('span', { class: 'code' }, code)),
      help === null ? null : h('span', { class: 'help' }, help),
    ];
    const press = (): void => goTo(file ?? '', line ?? 1, column ?? 1);
    return h('li', {}, file === null ? h('div', {}, ...lead) : h('button', { press }, ...lead));
  });
  panel.replaceChildren(...(rows.length === 0 ? [] : [h('ul', {}, ...rows)]));
}
