/**
 * Damaged objects of other meshes: parts of the YAML of test/case/conformance are exchanged for parts of another form, taken away, or
 * named otherwise. Each importer tells what is wrong with file and line, and writes nothing; none throws.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAllDocuments, stringify } from 'yaml';
import {
  type ImportedProject,
  ISTIO_DEFAULTS,
  importGateway,
  importIstio,
  importNetwork,
} from '../../runtime/import/index.js';
import { type CaseFile, parseCaseFile } from '../support/case-file.js';
import { Prng } from '../support/prng.js';
import { servicesOf } from '../support/told-services.js';

const folder = fileURLToPath(new URL('../../../test/case/conformance/', import.meta.url));
const EACH = 60;
const test = suite('damaged objects of other meshes');

type Value = null | boolean | number | string | Value[] | { [key: string]: Value };

const OTHERS: readonly Value[] = [
  null,
  true,
  -1,
  1.5,
  '',
  'x',
  '*',
  '\u0000',
  [],
  {},
  [null],
  [[]],
  { x: 1 },
];

/** All places below a value: the lists and maps that hold something, with its key. */
function places(value: Value): readonly (readonly [Value[] | { [key: string]: Value }, string])[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [[value, key] as const, ...places(inner)]);
}

/** A copy with one to three places changed. */
function damaged(random: Prng, documents: readonly Value[]): Value[] {
  const copy = structuredClone(documents) as Value[];
  for (let n = 1 + random.below(3); n > 0; n -= 1) {
    const all = places(copy);
    const [holder, key] = random.pick(all);
    const map = holder as { [key: string]: Value };
    const old = map[key] ?? null;
    switch (random.below(4)) {
      case 0:
        delete map[key];
        break;
      case 1:
        if (!Array.isArray(holder)) map[`${key}x`] = old;
        break;
      case 2:
        map[key] = structuredClone(random.pick(all)[0]) as Value;
        break;
      default:
        map[key] = structuredClone(random.pick(OTHERS)) as Value;
    }
  }
  return copy;
}

function importAs({ told }: CaseFile, text: string): ImportedProject {
  const files = [{ name: 'mesh.yaml', text }];
  const services = servicesOf(told);
  if (told['dialect'] === 'gateway-api') return importGateway(files, { namespace: 'x', services });
  if (told['dialect'] === 'cilium') {
    return importNetwork(files, { namespace: 'x', httpPorts: [80], nodes: ['10.9.0.0/24'] });
  }
  return importIstio(files, { ...ISTIO_DEFAULTS, httpPorts: [80], services });
}

let refused = 0;

for (const name of readdirSync(folder).filter((file) => file.endsWith('.case'))) {
  test(name, () => {
    const file = parseCaseFile(name, readFileSync(join(folder, name), 'utf8'));
    const [text = ''] = file.sources.values();
    const documents = parseAllDocuments(text).flatMap((d) => (d.toJS() as Value) ?? []);
    const random = new Prng(7);
    for (let n = 0; n < EACH; n += 1) {
      // A few at a time, so that most of what is damaged is looked at.
      const some = Array.from({ length: 3 }, () => random.pick(documents));
      const yaml = damaged(random, some)
        .map((one) => stringify(one))
        .join('---\n');
      const { policies, diagnostics } = importAs(file, yaml);
      const errors = diagnostics.filter(({ severity }) => severity === 'error');
      if (errors.length > 0) {
        refused += 1;
        assert.equal(policies, [], yaml);
      }
      for (const { code, file: at, line } of diagnostics) {
        assert.ok(at === 'mesh.yaml' && (line ?? 0) > 0, `${code} has no place: ${yaml}`);
      }
    }
  });
}

test('much of it was refused', () => {
  assert.ok(refused > 3 * EACH, String(refused));
});

test.run();
