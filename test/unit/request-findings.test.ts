/** What request policies may not ask, each with its line, and the nearest that they may. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { viewHash } from '../../compiler/abi/index.js';
import { compileTexts } from '../support/compile-texts.js';

const test = suite('request findings');

const IMPORTS = 'import { Connection, pattern, Request, Table, Verdict } from "weft";\n';

/** `CODE line` of each finding of a policy. */
async function findings(text: string): Promise<string[]> {
  const { diagnostics } = await compileTexts(new Map([['a.ts', IMPORTS + text]]));
  return diagnostics.map((d) => `${d.code} ${d.line}`);
}

const asks = (condition: string, top = ''): string =>
  `${top}\nexport function authorizeRequest(request: Request): Verdict {\n` +
  `  return ${condition} ? Verdict.Allow : Verdict.Deny;\n}\n`;

const ROWS: readonly (readonly [string, string, readonly string[]])[] = [
  ['a header', asks('request.header("x-a").exists'), []],
  ['no name of a header', asks('request.header("x a").exists'), ['I209 4']],
  ['an empty name', asks('request.header("").exists'), ['I209 4']],
  ['a text of 256 bytes', asks(`request.path.is("${'a'.repeat(256)}")`), []],
  ['a text of 257 bytes', asks(`request.path.is("${'a'.repeat(257)}")`), ['I210 4']],
  ['a text that is not ASCII', asks('request.path.is("/caf\u00e9")'), ['I210 4']],
  [
    'a text of a few',
    asks('request.path.is(t[request.path.length & 1])', 'const t = ["/a", "/b"];'),
    [],
  ],
  [
    'a text of many',
    asks(
      'request.path.is(t[request.path.length & 63])',
      'const t: string[] = [];\nfor (let i = 0; i < 64; i++) t.push("/" + i.toString());',
    ),
    ['I201 5'],
  ],
  [
    'a key of 64 bytes',
    asks('request.path.in(t)', `const t = new Table<u32>("t").set("${'k'.repeat(64)}", 1);`),
    [],
  ],
  [
    'a key of 65 bytes',
    asks('request.path.in(t)', `const t = new Table<u32>("t").set("${'k'.repeat(65)}", 1);`),
    ['I212 4'],
  ],
  [
    'integer keys',
    asks('request.path.in(t)', 'const t = new Table<u32>("t").set<u32>(7, 1);'),
    ['I208 4'],
  ],
  ['a pattern', asks('p.matches(request.path)', 'const p = pattern("/a/{b}/**");'), []],
  ['no pattern', asks('p.matches(request.path)', 'const p = pattern("/a/b{c}");'), ['I214 4']],
  [
    'a pattern of a few',
    asks('pattern(t[request.path.length & 1]).matches(request.path)', 'const t = ["/a", "/b"];'),
    [],
  ],
  [
    'a pattern of many',
    asks(
      'pattern(t[request.path.length & 63]).matches(request.path)',
      'const t: string[] = [];\nfor (let i = 0; i < 64; i++) t.push("/" + i.toString());',
    ),
    ['I201 5'],
  ],
  [
    'a request in place of a connection',
    'export function authorizeConnection(request: Request): Verdict { return Verdict.Deny; }\n',
    ['P102 2'],
  ],
  [
    'the identity of an endpoint that is not chosen yet',
    'import { cluster, Route } from "weft";\nconst a = cluster("a", "b");\n' +
      'export function routeRequest(request: Request): Route {\n' +
      '  return request.destination.namespace.is("prod") ? a : Route.None;\n}\n',
    ['I202 5'],
  ],
  [
    'a part of a request, asked about a connection',
    'export function authorizeConnection(connection: Connection): Verdict {\n' +
      '  return changetype<Request>(connection).path.is("/") ? Verdict.Allow : Verdict.Deny;\n}\n',
    ['I202 3', 'I202 3'],
  ],
];

for (const [name, text, want] of ROWS)
  test(name, async () => {
    const { diagnostics } = await compileTexts(new Map([['a.ts', IMPORTS + text]]));
    assert.equal(await findings(text), want, JSON.stringify(diagnostics, null, 1));
  });

test('16 headers, and one more at its line', async () => {
  const policy = (names: readonly string[]): string =>
    'export function authorizeRequest(request: Request): Verdict {\n' +
    names.map((n) => `  if (request.header("${n}").exists) return Verdict.Allow;\n`).join('') +
    '  return Verdict.Deny;\n}\n';
  const names = Array.from({ length: 17 }, (_, i) => `x-${i}`);
  assert.equal(await findings(policy(names.slice(0, 16))), []);
  assert.equal(await findings(policy(names)), ['I211 19']);
  // Names in other case are the same header.
  assert.equal(await findings(policy([...names.slice(0, 16), 'X-15'])), []);
});

test('the hash of a view does not change', () => {
  const hash = (text: string): string => viewHash(new TextEncoder().encode(text)).toString(16);
  assert.equal(['', 'a', 'tenant-7', '0123456789abcdef0'].map(hash), HASHES);
});
const HASHES = ['0', '930a55b3afc12d0e', '4ff3ba4481cdc167', '7dd9377791a2b4ab'];

test.run();
