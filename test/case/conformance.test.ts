/**
 * The semantics of other meshes, row by row: test/case/conformance/*.case holds their YAML, which is imported, and
 * what each request must hear, in V8 and in the kernel. `semantics/` names the rows item by item, `rows.txt` those of other objects;
 * each has cases, and at least two answers among them. `refused.txt` holds YAML that is refused, or read with a warning.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type ImportedProject,
  ISTIO_DEFAULTS,
  type IstioOptions,
  importGateway,
  importIstio,
  importNetwork,
  type SourceFile,
} from '../../runtime/import/index.js';
import { type CaseFile, parseCaseFile } from '../support/case-file.js';
import { mustCompileForSome } from '../support/compile-texts.js';
import { decideImported, type ImportedAnswer, routeImported } from '../support/decide-imported.js';
import { encodeAll, Interner } from '../support/encode-connection.js';
import { kernelEngine, wasmEngine } from '../support/engines.js';
import { servicesOf } from '../support/told-services.js';

const folder = fileURLToPath(new URL('../../../test/case/conformance/', import.meta.url));
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.case'))
  .sort()
  .map((name) => parseCaseFile(name, read(name)));
/** Files to decide, as a regular expression; all without one. */
const wanted = new RegExp(process.env['WEFT_CASES'] ?? '');
const test = suite('conformance');

function optionsOf(told: Readonly<Record<string, unknown>>): IstioOptions {
  const claims = new Map(Object.entries((told['claims'] ?? {}) as Record<string, string>));
  return { ...ISTIO_DEFAULTS, httpPorts: [80], ...told, claims, services: servicesOf(told) };
}

/** Imports as a file or block says: by default from Istio. */
function importAs(
  texts: readonly SourceFile[],
  told: Readonly<Record<string, unknown>>,
): ImportedProject {
  if (told['dialect'] === 'gateway-api') {
    return importGateway(texts, { namespace: 'default', services: servicesOf(told) });
  }
  if (told['dialect'] === 'cilium') {
    return importNetwork(texts, { namespace: 'default', httpPorts: [80], nodes: [], ...told });
  }
  return importIstio(texts, optionsOf(told), told['layout'] === 'scopes' ? 'scopes' : 'one');
}

function importFile({ sources, told }: CaseFile): ImportedProject {
  const texts = [...sources].map(([name, text]) => ({ name, text }));
  const project = importAs(texts, told);
  const errors = project.diagnostics.filter((d) => d.severity === 'error');
  assert.equal(errors, []);
  return project;
}

for (const file of files.filter(({ name }) => wanted.test(name))) {
  test(`${file.name} in wasm and in the kernel (${file.cases.length} cases)`, async () => {
    const project = importFile(file);
    const texts = new Map(project.policies.map((p) => [p.file, p.text]));
    const modes = project.policies.map(({ file: name, mode }) => ({ file: name, mode }));
    const config = { default: project.default, policies: modes, budget: { instructions: 60_000 } };
    const bundle = await mustCompileForSome(texts, config);
    const manifest = {
      ...bundle.manifest,
      policies: bundle.manifest.policies.map((entry) => ({
        ...entry,
        attach: project.policies.find((p) => p.file === entry.file)?.attach ?? [],
      })),
    };
    const interner = new Interner(manifest);
    encodeAll(file.cases, manifest, interner); // all texts, before an engine starts
    const wasm = wasmEngine(bundle, interner.added);
    using kernel = kernelEngine(bundle);
    for (const engine of [wasm, kernel]) {
      const whole = { ...bundle, manifest };
      const found =
        file.cases[0]?.ask === 'route'
          ? await routeImported(engine, whole, file.cases, interner)
          : await decideImported(engine, whole, project, file.cases, interner);
      const say = (got: ImportedAnswer | undefined, rule: string | null): string =>
        rule === null ? (got?.answer ?? '') : `${got?.answer} ${got?.rule}`;
      assert.equal(
        Object.fromEntries(file.cases.map((c, i) => [c.id, say(found[i], c.expect.rule)])),
        Object.fromEntries(
          file.cases.map((c) => [c.id, [c.expect.answer, c.expect.rule].filter(Boolean).join(' ')]),
        ),
        `${file.name} in ${engine.name}`,
      );
    }
  });
}

interface Reading {
  readonly id: string;
  readonly want: string;
  readonly told: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** `=== id: CODE at LINE {what the import is told}`, then the YAML, of which a `spec` alone gets its head. */
function readings(): readonly Reading[] {
  return read('refused.txt')
    .split(/^=== /m)
    .slice(1)
    .map((block) => {
      const [head = '', ...body] = block.split('\n');
      const [, id = '', want = '', told = '{}'] = /^(\S+): (.*?)(?: (\{.*\}))?$/.exec(head) ?? [];
      const text = body.join('\n');
      const kind = /^kind:/m.test(text)
        ? text
        : `${text}\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: { name: x, namespace: prod }\n`;
      return { id, want, told: JSON.parse(told) as Record<string, unknown>, text: kind };
    });
}

/** Findings as `CODE at LINE`, or `ok`. */
function tell({ text, told }: Reading): string {
  const { diagnostics } = importAs([{ name: 'x.yaml', text }], told);
  const words = diagnostics.map(({ code, line }) => `${code} at ${line}`);
  return words.length === 0 ? 'ok' : words.join(', ');
}

test('what is no valid YAML of its mesh, and what cannot be kept, is told at its line', () => {
  const all = readings();
  assert.equal(
    Object.fromEntries(all.map((one) => [one.id, tell(one)])),
    Object.fromEntries(all.map((one) => [one.id, one.want])),
  );
});

const rowOf = (id: string): string => id.split('.')[0] ?? '';

/** Lines of the semantics that say something to be tested: points, steps, rows of tables. */
const ITEM = /^(?:- |\d+\. |\| )/;
const RULER = /^\|[-| ]+$/;

interface Item {
  readonly line: number;
  readonly rows: readonly string[];
}

/** What each item of a file of semantics ends with: its rows, or `@` and the file of its tests. */
function itemsOf(name: string): readonly Item[] {
  const lines = read(join('semantics', name)).split('\n');
  return lines.flatMap((text, i) => {
    const rows = / \[([^\][]+)\]$/.exec(text)?.[1]?.split(' ') ?? [];
    const isHead = RULER.test(lines[i + 1] ?? '');
    const says = ITEM.test(text) && !isHead && !RULER.test(text);
    return says || rows.length > 0 ? [{ line: i + 1, rows }] : [];
  });
}

test('each item of the semantics names its rows, or the file of its tests', () => {
  const root = fileURLToPath(new URL('../../../', import.meta.url));
  for (const name of readdirSync(join(folder, 'semantics'))) {
    const items = itemsOf(name);
    assert.ok(items.length > 50, `${name}: ${items.length} items`);
    assert.equal(
      items.filter(({ rows }) => rows.length === 0).map(({ line }) => `${name}:${line}`),
      [],
    );
    const elsewhere = items.flatMap(({ rows }) => rows.filter((row) => row.startsWith('@')));
    assert.equal(
      elsewhere.filter((row) => !existsSync(join(root, row.slice(1)))),
      [],
    );
  }
});

test('every row has cases, of more than one answer', () => {
  const listed = read('rows.txt')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(/\s+/)[0] ?? '');
  const named = readdirSync(join(folder, 'semantics')).flatMap((name) =>
    itemsOf(name).flatMap(({ rows }) => rows.filter((row) => !row.startsWith('@'))),
  );
  const rows = [...new Set([...listed, ...named])];
  const answers = new Map<string, Set<string>>();
  const note = (id: string, answer: string): void => {
    answers.set(rowOf(id), (answers.get(rowOf(id)) ?? new Set()).add(answer));
  };
  for (const file of files) {
    for (const { id, expect } of file.cases) note(id, `${expect.answer} ${expect.rule}`);
  }
  for (const { id, want } of readings()) note(id, want);
  assert.equal(
    rows.filter((row) => (answers.get(row)?.size ?? 0) < 2),
    [],
    'rows without a case and its twin',
  );
  assert.equal(
    [...answers.keys()].filter((row) => !rows.includes(row)),
    [],
    'cases of rows that are not listed',
  );
  assert.is(new Set(listed).size, listed.length);
});

test('ids are unique, and there are enough', () => {
  const ids = [
    ...files.flatMap((file) => file.cases.map(({ id }) => id)),
    ...readings().map(({ id }) => id),
  ];
  assert.equal(
    ids.filter((id, i) => ids.indexOf(id) !== i),
    [],
  );
  assert.ok(ids.length >= 400, String(ids.length));
});

test.run();
