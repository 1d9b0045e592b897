/**
 * What the program parses before it knows its verb. A verb's own modules are imported when it runs: one import
 * at the head of a command costs every verb its time, as readers of YAML and validators once did.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const test = suite('start-up');
const DIST = fileURLToPath(new URL('../../', import.meta.url));
/** The command table and commander are 220 kB. */
const MOST_BYTES = 300_000;
const LATER = [
  'node_modules/yaml/',
  'runtime/simulate/',
  'runtime/agent/api/client.ts',
  'compiler/passes/',
  'compiler/bundle/gen/',
];

/** Texts of a program and of what it imports statically, as the bundler writes it. */
function loadedAtOnce(entry: string): string[] {
  const texts = new Map<string, string>();
  const work = [entry];
  for (let file = work.pop(); file !== undefined; file = work.pop()) {
    if (texts.has(file)) continue;
    const text = readFileSync(join(DIST, file), 'utf8');
    texts.set(file, text);
    for (const [, name = ''] of text.matchAll(/^(?:\} from|import|.* from) "\.\/([^"]+)";$/gm)) {
      work.push(name);
    }
  }
  return [...texts.values()];
}

const holds = (texts: readonly string[], module: string): boolean =>
  texts.some((text) => text.includes(`\n// ${module}`));

test('the program starts with its command table, and little else', () => {
  const texts = loadedAtOnce('cli.mjs');
  assert.ok(holds(texts, 'runtime/cli/command/build.ts'));
  assert.ok(holds(texts, 'runtime/cli/failure.ts'), 'what is shared is found in its chunk');
  for (const module of LATER) assert.is(holds(texts, module), false, module);
  // Its sockets take 10 ms.
  assert.not(texts.some((text) => text.includes('from "node:http"')));
  const bytes = texts.reduce((sum, text) => sum + text.length, 0);
  assert.ok(bytes < MOST_BYTES, `${bytes} bytes`);
});

test('what comes later lies in chunks of its own', () => {
  const chunks = readdirSync(DIST).filter((name) => /^chunk-.*\.mjs$/.test(name));
  const texts = chunks.map((name) => readFileSync(join(DIST, name), 'utf8'));
  for (const module of LATER) assert.ok(holds(texts, module), module);
});

test('tests that are kept compiled run without the compiler', () => {
  const chunks = readdirSync(DIST).filter((name) => /^chunk-.*\.mjs$/.test(name));
  for (const module of ['runtime/cli/test-run.ts', 'runtime/cli/kept-subject.ts']) {
    const chunk = chunks.find((name) => holds([readFileSync(join(DIST, name), 'utf8')], module));
    const texts = loadedAtOnce(chunk ?? '');
    assert.ok(holds(texts, 'compiler/bundle/gen/'), 'a kept bundle is read');
    assert.is(holds(texts, 'compiler/passes/'), false, module);
  }
});

test.run();
