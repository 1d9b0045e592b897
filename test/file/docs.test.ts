/** The policies in docs/policies.md compile, or are refused with the code that they name. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compileTexts } from '../support/compile-texts.js';

const page = readFileSync(new URL('../../../docs/policies.md', import.meta.url), 'utf8');
const blocks = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? '');
const refusal = /^\/\/ refused ([A-Z]+\d+)/;

const test = suite('docs: policies.md');

test('there are policies of both kinds, and nothing else', () => {
  assert.ok(blocks.filter((text) => text.startsWith('import ')).length >= 5);
  assert.ok(blocks.filter((text) => refusal.test(text)).length >= 5);
  assert.ok(blocks.every((text) => text.startsWith('import ') || refusal.test(text)));
});

for (const [index, text] of blocks.entries()) {
  const want = refusal.exec(text)?.[1];
  test(`block ${index + 1}: ${want === undefined ? 'compiles' : `refused with ${want}`}`, async () => {
    const { bundle, diagnostics } = await compileTexts(new Map([['policy.ts', text]]));
    assert.equal(
      diagnostics.map(({ code, message }) => (code === want ? code : `${code} ${message}`)),
      want === undefined ? [] : [want],
    );
    assert.is(bundle === null, want !== undefined);
  });
}

test.run();
