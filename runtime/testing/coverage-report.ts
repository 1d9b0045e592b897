/** Coverage for people, for tools that read lcov (geninfo(1)), and as a page that needs nothing else. */
import type { Coverage, PredicateCoverage } from './coverage.js';

/** A table for the terminal, then what was missed. */
export function coverageText({ rules, predicates, tables, percent }: Coverage): string {
  const missed = [
    ...rules
      .filter(({ hits }) => hits === 0)
      .map(({ file, line, kind }) => `${file}:${line}  this ${kind} was never answered`),
    ...predicates
      .filter(({ held, failed }) => held === 0 || failed === 0)
      .map(
        ({ file, line, text, held, failed }) =>
          `${file}:${line}  ${text} ${neverText(held, failed)}`,
      ),
    ...tables
      .filter(({ missed: names }) => names.length > 0)
      .map(({ policy, name, entries, hit }) => `${policy}  ${name}: ${hit} of ${entries} entries`),
  ];
  const { total } = percent;
  const head = `coverage: rules ${percent.rules} %, branches ${percent.branches} %, table entries ${percent.entries} %, in all ${total} %`;
  return missed.length === 0 ? head : `${head}\n${missed.map((line) => `  ${line}`).join('\n')}`;
}

function neverText(held: number, failed: number): string {
  if (held === 0 && failed === 0) return 'was never asked';
  return held === 0 ? 'never held' : 'always held';
}

/** lcov's tracefile: lines are those of rules and predicates, branches both ways of a predicate. */
export function coverageLcov({ rules, predicates }: Coverage): string {
  const files = [...new Set([...rules, ...predicates].map(({ file }) => file))];
  return files
    .map((file) => {
      const own = predicates.filter((predicate) => predicate.file === file);
      const lines = new Map<number, number>();
      for (const rule of rules) {
        if (rule.file === file) lines.set(rule.line, (lines.get(rule.line) ?? 0) + rule.hits);
      }
      for (const { line, held, failed } of own) {
        lines.set(line, Math.max(lines.get(line) ?? 0, held + failed));
      }
      const branches = own.flatMap(({ line, held, failed }, block) =>
        [held, failed].map((count, way) => {
          const taken = held + failed === 0 ? '-' : String(count);
          return `BRDA:${line},${block},${way},${taken}`;
        }),
      );
      const sorted = [...lines].sort(([a], [b]) => a - b);
      const hitBranches = own.flatMap(({ held, failed }) => [held, failed]).filter((n) => n > 0);
      return [
        `SF:${file}`,
        ...branches,
        `BRF:${branches.length}`,
        `BRH:${hitBranches.length}`,
        ...sorted.map(([line, count]) => `DA:${line},${count}`),
        `LF:${sorted.length}`,
        `LH:${sorted.filter(([, count]) => count > 0).length}`,
        'end_of_record',
      ].join('\n');
    })
    .join('\n');
}

const ENTITIES: Readonly<Record<string, string>> = {
  ...{ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' },
};
const html = (text: string): string => text.replace(/[&<>"]/g, (char) => ENTITIES[char] ?? char);

/** An expression that may be broken between its parts, so that a narrow page breaks no word of it. */
const breakable = (text: string): string =>
  html(text).replace(/(?<=[(,])|(?=\.[A-Za-z])/g, '<wbr>');

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --hit: #1a7f37; --part: #9a6700; --missed: #cf222e; }
@media (prefers-color-scheme: dark) { :root { --hit: #3fb950; --part: #d29922; --missed: #f85149; } }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 70rem; padding: 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; overflow-wrap: anywhere; }
.totals { display: flex; flex-wrap: wrap; gap: .75rem; padding: 0; list-style: none; }
.totals li { border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .9rem; min-width: 8rem; }
.totals b { display: block; font-size: 1.3rem; }
.code { border: 1px solid var(--line); border-radius: .5rem; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
.code td { font: 13px/1.5 ui-monospace, monospace; padding: 0 .6rem; white-space: pre; vertical-align: top; }
.code td:first-child { text-align: right; opacity: .6; user-select: none; width: 1%; }
.code td:nth-child(2) { width: 1%; text-align: right; border-right: 3px solid transparent; }
tr.hit td:nth-child(2) { border-color: var(--hit); } tr.part td:nth-child(2) { border-color: var(--part); }
tr.missed td:nth-child(2) { border-color: var(--missed); }
.code small { display: block; font-size: 12px; color: var(--part); white-space: pre-wrap; } tr.missed small { color: var(--missed); }
.list td, .list th { border-top: 1px solid var(--line); padding: .35rem .5rem; text-align: left; vertical-align: top; }
.list td:last-child { overflow-wrap: anywhere; }
@media (max-width: 760px) { .code small { max-width: calc(100vw - 9.5rem); overflow-wrap: anywhere; } .code td { padding: 0 .35rem; } }
`;

function waysText(ways: readonly PredicateCoverage[]): string {
  const missed = ways.filter(({ held, failed }) => held === 0 || failed === 0);
  return missed
    .map(({ text, held, failed }) => `<small>${breakable(text)} ${neverText(held, failed)}</small>`)
    .join('');
}

/** One page with the policies' sources, each line marked; opens from a file, in light and dark. */
export function coverageHtml(
  name: string,
  { rules, predicates, tables, percent }: Coverage,
  sources: Readonly<Record<string, string>>,
): string {
  const files = [...new Set([...rules, ...predicates].map(({ file }) => file))];
  const totals = (
    [
      ['in all', percent.total],
      ['rules', percent.rules],
      ['branches', percent.branches],
      ['table entries', percent.entries],
    ] as const
  ).map(([what, share]) => `<li><b>${share} %</b>${what}</li>`);
  const pages = files.map((file) => {
    const lines = (sources[file] ?? '').split('\n');
    const rows = lines.map((source, i) => {
      const line = i + 1;
      const own = rules.filter((rule) => rule.file === file && rule.line === line);
      const ways = predicates.filter((p) => p.file === file && p.line === line);
      const counts = [...own.map(({ hits }) => hits), ...ways.flatMap((p) => [p.held, p.failed])];
      const hit = counts.filter((count) => count > 0).length;
      const mark =
        counts.length === 0 ? '' : hit === counts.length ? 'hit' : hit > 0 ? 'part' : 'missed';
      const times = counts.length === 0 ? '' : `${Math.max(...counts)}×`;
      return `<tr class="${mark}"><td>${line}</td><td>${times}</td><td>${html(source)}${waysText(ways)}</td></tr>`;
    });
    return `<h2>${html(file)}</h2><div class="code"><table>${rows.join('\n')}</table></div>`;
  });
  const rows = tables.map(
    (table) =>
      `<tr><td>${html(table.policy)}</td><td>${html(table.name)}</td><td>${table.hit} of ${table.entries}</td><td>${html(table.missed.slice(0, 10).join(', '))}${table.missed.length > 10 ? ' …' : ''}</td></tr>`,
  );
  const list =
    rows.length === 0
      ? ''
      : `<h2>Tables</h2><table class="list"><tr><th>policy</th><th>table</th><th>entries</th><th>never looked up</th></tr>${rows.join('\n')}</table>`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Coverage of ${html(name)}</title><style>${STYLE}</style></head>
<body><h1>Coverage of ${html(name)}</h1><ul class="totals">${totals.join('')}</ul>
${pages.join('\n')}${list}</body></html>
`;
}
