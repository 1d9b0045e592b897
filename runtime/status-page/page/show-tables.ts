/** The tables of nodes and rules. */
import type { NodeView, PageState } from '../index.js';
import { find, h } from './dom.js';

const number = new Intl.NumberFormat('en');
const rateText = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const SECOND_MS = 1000;

/** A cell; its label is shown where the table has no columns. */
function cell(label: string, content: Node | string, names = ''): HTMLTableCellElement {
  const made = h('td', names, content);
  made.dataset['label'] = label;
  return made;
}

function nodeRow(node: NodeView): HTMLTableRowElement {
  const { is, state } = node;
  const row = h(
    'tr',
    is,
    cell('', node.node),
    cell('', h('code', '', node.labels)),
    cell('', h('code', '', node.bundle)),
    cell('generation', node.generation === null ? '' : String(node.generation), 'number'),
    cell('allowed', number.format(node.allowed), 'number'),
    cell('denied', number.format(node.denied), 'number'),
    cell('lost', number.format(node.lost), 'number'),
    cell('', h('span', `mark ${is}`, state)),
  );
  row.dataset['node'] = node.node;
  return row;
}

function isShown({ node, labels, bundle, state }: NodeView, wanted: string): boolean {
  const text = `${node} ${labels} ${bundle} ${state}`.toLowerCase();
  return wanted
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** Draws the nodes that `wanted` names. */
export function showNodes({ nodes, moreNodes, counts }: PageState, wanted: string): void {
  const shown = nodes.filter((node) => isShown(node, wanted));
  find('#nodes tbody', HTMLTableSectionElement).replaceChildren(...shown.map(nodeRow));
  const text = `${counts.nodes}, ${counts.silent} silent, ${counts.wrong} not as desired`;
  find('#node-counts', HTMLElement).textContent = text;
  const more = find('#more-nodes', HTMLElement);
  more.hidden = moreNodes === 0;
  more.textContent = `${number.format(moreNodes)} more nodes are not shown; those that are wrong or silent come first.`;
}

/** Draws the rules with their rates since the state before. */
export function showRules(state: PageState, before: PageState | null): void {
  const seconds =
    before === null ? 0 : (Date.parse(state.time) - Date.parse(before.time)) / SECOND_MS;
  const known = new Map(before?.rules.map((r) => [`${r.rule} ${r.verdict}`, r.count]));
  find('#rules tbody', HTMLTableSectionElement).replaceChildren(
    ...state.rules.map(({ rule, verdict, count, nodes }) => {
      const last = known.get(`${rule} ${verdict}`);
      const rate = last === undefined || seconds <= 0 ? null : Math.max(0, count - last) / seconds;
      return h(
        'tr',
        '',
        cell('', h('code', '', rule)),
        cell('', h('span', `mark ${verdict}`, verdict)),
        cell('verdicts', number.format(count), 'number'),
        cell('a second', rate === null ? '' : rateText.format(rate), 'number'),
        cell('nodes', number.format(nodes), 'number'),
      );
    }),
  );
}
