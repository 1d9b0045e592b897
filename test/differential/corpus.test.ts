/**
 * What the fuzzer once found, shrunk: each file of corpus/ is decided by every engine, and by the IR behind every
 * pass. Files have the form of test/case; the expectation is what V8 said, corrected where V8 was at fault.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type CaseFile, parseCaseFile } from '../support/case-file.js';
import { describeRecord } from '../support/describe-record.js';
import { type Trial, tryTrial } from './trial.js';

const FOLDER = fileURLToPath(new URL('../../../test/differential/corpus/', import.meta.url));
const test = suite('corpus');

function trialOf({ policies, config, cases }: CaseFile): Trial {
  const { fuel } = (config as { budget: { fuel: number } }).budget;
  const requests = cases.flatMap((one) => (one.request === null ? [] : { ...one, ...one.request }));
  const asked =
    requests.length === cases.length
      ? ({ isRequest: true, facts: requests } as const)
      : ({ isRequest: false, facts: cases } as const);
  return { texts: policies, fuel, asked };
}

for (const name of readdirSync(FOLDER).sort()) {
  test(name, async () => {
    const file = parseCaseFile(name, readFileSync(`${FOLDER}${name}`, 'utf8'));
    const tried = await tryTrial(trialOf(file), { keep: () => true, irEach: 0 });
    for (const [i, { id, ask, expect }] of file.cases.entries()) {
      const record = tried.answers[i];
      if (record === undefined) throw new Error('an answer is missing');
      assert.equal(describeRecord(record, tried.manifest, ask), expect, id);
    }
    assert.equal(tried.differences, []);
  });
}

test.run();
