/** Clock, draws, logs and floating point in a decision are refused at the call, with what to write instead. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compileTexts } from '../support/compile-texts.js';

const test = suite('foreign calls');

/** `CODE line:column` and the remedy of the first finding; the condition begins in column 7 of line 3. */
async function told(condition: string): Promise<readonly [string, string]> {
  const text = `import { Connection, Verdict } from "weft";
export function authorizeConnection(connection: Connection): Verdict {
  if (${condition}) return Verdict.Deny;
  return Verdict.Allow;
}\n`;
  const { diagnostics } = await compileTexts(new Map([['a.ts', text]]));
  const [first] = diagnostics;
  if (first === undefined) return ['', ''];
  return [`${first.code} ${first.line}:${first.column}`, first.help ?? ''];
}

const PORT = 'connection.destination.port';
const ROWS: readonly (readonly [condition: string, place: string, help: RegExp])[] = [
  ['Date.now() > 1000', 'I101 3:7', /`connection\.now`/],
  [`${PORT} > 3 && Date.now() > 1000`, 'I101 3:42', /`connection\.now`/],
  ['Math.random() < 0.5', 'I101 3:7', /`split\(stable, 90, canary, 10\)`/],
  [`Math.min(${PORT}, 1024) == 3`, 'I101 3:7', /`min<u32>\(a, b\)`/],
  [`Math.max(Math.floor(${PORT} / 3), 3) > 3`, 'I101 3:7', /`max<u32>\(a, b\)`/],
];
for (const [condition, place, help] of ROWS) {
  test(condition, async () => {
    const have = await told(condition);
    assert.is(have[0], place);
    assert.match(have[1], help);
  });
}

test('a log has a line', async () => {
  const text = `import { Connection, Verdict } from "weft";
function note(text: string): void { console.log(text); }
export function authorizeConnection(connection: Connection): Verdict {
  note("asked");
  return Verdict.Allow;
}\n`;
  const { diagnostics } = await compileTexts(new Map([['a.ts', text]]));
  assert.equal(
    diagnostics.map(({ code, line, column }) => `${code} ${line}:${column}`),
    ['I109 2:37'],
  );
  assert.match(diagnostics[0]?.help ?? '', /`weft explain`/);
});

test('integers compile, and floating point of another kind gets the general remedy', async () => {
  assert.equal(await told(`min<u32>(${PORT}, 1024) == 3`), ['', '']);
  assert.equal(await told('connection.now > 1000'), ['', '']);
  const [place, help] = await told(`<f64>${PORT} * 0.5 > 3.0`);
  assert.match(place, /^I101 3:/);
  assert.match(help, /`number` is floating point/);
  assert.not.match(help, /`Math`/);
});

test('what is called but never reached is no fault', async () => {
  assert.equal(await told('false && Date.now() > 1000'), ['', '']);
});

test.run();
