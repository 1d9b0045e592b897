/**
 * Every row of every test/case/*.case, decided by V8, by Wasmtime and by the kernel: all must answer what the row
 * says. A row that one engine gets right and the other wrong is the worst bug this project can have.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Bundle } from '../../compiler/index.js';
import type { RecordFields } from '../../runtime/simulate/index.js';
import { type Case, type CaseFile, parseCaseFile } from '../support/case-file.js';
import { type ConfigText, mustCompile } from '../support/compile-texts.js';
import { describeRecord } from '../support/describe-record.js';
import { encodeAll, Interner } from '../support/encode-connection.js';
import { encodeRequests } from '../support/encode-request.js';
import { kernelEngine, type TestEngine, wasmEngine, wasmtimeEngine } from '../support/engines.js';

const folder = fileURLToPath(new URL('../../../test/case/', import.meta.url));
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.case'))
  .sort()
  .map((name) => parseCaseFile(name, readFileSync(join(folder, name), 'utf8')));

/** What an engine answers for the cases that ask one kind of question, by id. */
async function answers(
  engine: TestEngine,
  bundle: Bundle,
  interner: Interner,
  cases: readonly Case[],
): Promise<Readonly<Record<string, string>>> {
  const { manifest } = bundle;
  const connections = cases.filter((one) => one.request === null);
  const requests = cases.flatMap((one) => (one.request === null ? [] : { ...one, ...one.request }));
  const records = new Map<string, RecordFields>();
  const take = (list: readonly { readonly id: string }[], found: readonly RecordFields[]): void =>
    found.forEach((record, i) => {
      records.set(list[i]?.id ?? '', record);
    });
  if (connections.length > 0) {
    take(connections, await engine.decide(encodeAll(connections, manifest, interner), 'both'));
  }
  if (requests.length > 0) {
    take(
      requests,
      await engine.decide(encodeRequests(requests, manifest, interner), 'bothRequest'),
    );
  }
  return Object.fromEntries(
    cases.map((one) => {
      const record = records.get(one.id);
      if (record === undefined) throw new Error('a record is missing');
      const { answer, rule } = describeRecord(record, bundle.manifest, one.ask);
      return [one.id, rule === null ? answer : `${answer} ${rule}`];
    }),
  );
}

const expected = (file: CaseFile): Readonly<Record<string, string>> =>
  Object.fromEntries(
    file.cases.map((one) => [
      one.id,
      one.expect.rule === null ? one.expect.answer : `${one.expect.answer} ${one.expect.rule}`,
    ]),
  );

const count = files.reduce((sum, file) => sum + file.cases.length, 0);
/** Files to decide, as a regular expression; all without one. */
const wanted = new RegExp(process.env['WEFT_CASES'] ?? '');
const test = suite('cases');

test('there are at least 150', () => {
  assert.ok(count >= 150, String(count));
});

test('ids are unique in a file, and both outcomes occur', () => {
  for (const file of files) {
    assert.is(new Set(file.cases.map((c) => c.id)).size, file.cases.length, file.name);
    assert.ok(
      new Set(file.cases.map((c) => c.expect.answer)).size > 1,
      `${file.name} has one answer only`,
    );
  }
});

for (const file of files.filter(({ name }) => wanted.test(name))) {
  const compiled = async () => {
    const bundle = await mustCompile(file.policies, file.config as ConfigText);
    const interner = new Interner(bundle.manifest);
    encodeAll(file.cases, bundle.manifest, interner); // all texts, before an engine starts
    return { bundle, interner };
  };
  let kept: Awaited<ReturnType<typeof compiled>> | null = null;
  test(`${file.name} in wasm (${file.cases.length} cases)`, async () => {
    kept = await compiled();
    using engine = wasmEngine(kept.bundle, kept.interner.added);
    assert.equal(await answers(engine, kept.bundle, kept.interner, file.cases), expected(file));
  });
  test(`${file.name} in Wasmtime (${file.cases.length} cases)`, async () => {
    if (kept === null) throw new Error('does not compile');
    using engine = wasmtimeEngine(kept.bundle, kept.interner.added);
    assert.equal(await answers(engine, kept.bundle, kept.interner, file.cases), expected(file));
  });
  test(`${file.name} in the kernel (${file.cases.length} cases)`, async () => {
    if (kept === null) throw new Error('does not compile');
    const { bundle, interner } = kept;
    const { base, mayGoto } = bundle.objects;
    // Kernels before 6.9 take another form of loops, which later ones take too.
    const forms = Buffer.compare(base, mayGoto) === 0 ? [mayGoto] : [mayGoto, base];
    for (const form of forms) {
      using engine = kernelEngine({ ...bundle, objects: { base, mayGoto: form } });
      const name = form === mayGoto ? 'as it is' : 'as before 6.9';
      assert.equal(await answers(engine, bundle, interner, file.cases), expected(file), name);
    }
  });
}

test.run();
