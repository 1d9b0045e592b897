/** Tests are listed with their line, also those whose names are put together. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { lineOfTest } from '../../runtime/testing/line-of-test.js';

const test = suite('line of a test');

const SOURCE = `import { test } from "weft/test";

test("whole", () => {});
for (let i = 0; i < 2; i++) {
  test("computed " + i.toString(), () => { expect(connect("a", "b")).toAllow(); });
}
test("computed " + (5).toString() + "x", () => {});
test(\`port \${80} of \${name}\`, () => {});
test(names[0], () => { expect(connect("a", "b")).toAllow(); });
`;

const rows: readonly (readonly [name: string, line: number])[] = [
  ['whole', 3],
  ['computed 0', 5],
  ['computed 1', 5],
  ['computed 5x', 7],
  ['port 80 of web', 8],
  ['port 80', 1], // lacks what line 8 writes out
  ['a b', 1], // texts of a body are no part of a name
  ['of nothing', 1],
];
for (const [name, line] of rows) test(name, () => assert.is(lineOfTest(SOURCE, name), line));

test.run();
