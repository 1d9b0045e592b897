/** Each written verdict and returned route has a number that leads to its line and column. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { FrontendResult } from '../../compiler/frontend/index.js';
import { compiled, decide, IMPORTS } from './frontend-project.js';

const test = suite('frontend sites');

function places(result: FrontendResult): string[] {
  return result.sites.map(
    (s) => `${s.site} ${s.verdict ?? s.kind} ${s.file}:${s.line}:${s.column}`,
  );
}

test('two returns on one line have different columns', async () => {
  const result = await compiled(
    'export function authorizeConnection(c: Connection): Verdict {\n' +
      '  if (c.destination.port == 80) return Verdict.Allow; return Verdict.Deny;\n}',
  );
  assert.equal(places(result), ['1 allow policy.ts:3:40', '2 deny policy.ts:3:62']);
  assert.is(decide(result, 'authorizeConnection', { port: 80 }), (1 << 8) | 1);
  assert.is(decide(result, 'authorizeConnection', { port: 81 }), (2 << 8) | 2);
});

test('an assigned verdict has a site, a compared one has none', async () => {
  const result = await compiled(
    'export function authorizeConnection(c: Connection): Verdict {\n' +
      '  let v = Verdict.Pass;\n  if (c.destination.port == 80) v = Verdict.Allow;\n' +
      '  return v == Verdict.Pass || Verdict.Deny === v ? Verdict.Deny : v;\n}',
  );
  assert.equal(places(result), [
    '1 pass policy.ts:3:11',
    '2 allow policy.ts:4:37',
    '3 deny policy.ts:5:52',
  ]);
  assert.is(decide(result, 'authorizeConnection', { port: 80 }), (2 << 8) | 1);
  assert.is(decide(result, 'authorizeConnection', { port: 81 }), (3 << 8) | 2);
});

test('numbers start where the bundle says', async () => {
  const result = await compiled(
    'export function authorizeConnection(c: Connection): Verdict { return Verdict.Pass; }',
    70,
  );
  assert.equal(places(result), ['70 pass policy.ts:2:70']);
  assert.is(decide(result, 'authorizeConnection'), (70 << 8) | 3);
});

test('helper files have sites of their own, also by another name', async () => {
  const result = await compiled({
    'policies/a.ts': `${IMPORTS}import { rest } from "./rules/rest";
export function authorizeConnection(c: Connection): Verdict {
  return c.destination.port == 80 ? Verdict.Allow : rest(c);
}`,
    'policies/rules/rest.ts':
      'import * as weft from "weft";\nimport { Connection as C, Verdict as V } from "weft";\n' +
      'export function rest(c: C): weft.Verdict {\n' +
      '  return c.protocol == weft.Protocol.UDP ? V.Audit : weft.Verdict.Deny;\n}',
  });
  assert.equal(places(result), [
    '1 allow policies/a.ts:4:37',
    '2 audit policies/rules/rest.ts:4:44',
    '3 deny policies/rules/rest.ts:4:54',
  ]);
  assert.is(decide(result, 'authorizeConnection', { port: 1, protocol: 17 }), (2 << 8) | 4);
  assert.is(decide(result, 'authorizeConnection', { port: 1, protocol: 6 }), (3 << 8) | 2);
});

test('a comparison ignores sites and makes none', async () => {
  const result = await compiled(`function inner(c: Connection): Verdict {
  return c.destination.port > 9 ? Verdict.Allow : Verdict.Pass;
}
export function authorizeConnection(c: Connection): Verdict {
  const v = inner(c);
  if (v == Verdict.Allow) return v;
  if (v != Verdict.Pass) return Verdict.Audit;
  return Verdict.Deny;
}`);
  assert.equal(
    result.sites.map((s) => s.line),
    [3, 3, 8, 9],
  );
  assert.is(decide(result, 'authorizeConnection', { port: 10 }) & 0xff, 1);
  assert.is(decide(result, 'authorizeConnection', { port: 9 }) & 0xff, 2);
});

test('switch over a verdict compares without sites', async () => {
  const result = await compiled(`function inner(c: Connection): Verdict {
  return c.destination.port > 9 ? Verdict.Allow : Verdict.Pass;
}
export function authorizeConnection(c: Connection): Verdict {
  switch (inner(c)) {
    case Verdict.Allow: return Verdict.Deny;
    case Verdict.Pass: return Verdict.Allow;
    default: return Verdict.Audit;
  }
}`);
  assert.is(decide(result, 'authorizeConnection', { port: 10 }) & 0xff, 2);
  assert.is(decide(result, 'authorizeConnection', { port: 9 }) & 0xff, 1);
});

const ROUTES = `const stable = cluster("reviews", "v1"), canary = cluster("reviews.prod/v2");
export function routeConnection(c: Connection): Route {
  if (c.destination.port == 1) return Route.None;
  return c.destination.port == 2 ? canary : split(stable, 90, canary, 10);
}`;

test('returned routes carry a site in their upper half', async () => {
  const result = await compiled(ROUTES);
  assert.equal(places(result), [
    '1 route policy.ts:4:39',
    '2 route policy.ts:5:36',
    '3 route policy.ts:5:45',
  ]);
  assert.is(decide(result, 'routeConnection', { port: 1 }), 0, 'no opinion has no site');
  assert.is(decide(result, 'routeConnection', { port: 2 }), (2 << 16) | 2);
});

test('split takes the interval of the draw', async () => {
  const result = await compiled(ROUTES);
  const route = (random: number): number =>
    decide(result, 'routeConnection', { port: 3, random }) & 0xffff;
  assert.equal([0, 89, 90, 99, 100, 189, 190, 4294967295].map(route), [1, 1, 2, 2, 1, 1, 2, 2]);
});

test('split over four, and over nothing', async () => {
  const result = await compiled(`const a = cluster("s", "a"), b = cluster("s", "b");
const c = cluster("s", "c"), d = cluster("s", "d");
export function routeConnection(x: Connection): Route {
  const w = x.destination.port;
  return split(a, w, b, 2 * w, c, 3 * w, d, 4 * w);
}`);
  const route = (random: number, port: number): number =>
    decide(result, 'routeConnection', { port, random }) & 0xffff;
  assert.equal(
    [0, 1, 2, 3, 5, 6, 9, 10].map((r) => route(r, 1)),
    [1, 2, 2, 3, 3, 4, 4, 1],
  );
  assert.throws(() => route(0, 0), /divide by zero|remainder by zero/);
});

test('a helper that returns a route keeps its own site', async () => {
  const result = await compiled(`const a = cluster("s", "a");
function inner(): Route { return a; }
export function routeConnection(x: Connection): Route { return inner(); }`);
  assert.is(decide(result, 'routeConnection'), (1 << 16) | 1);
});

test('code is found at its line', async () => {
  const result = await compiled(
    'export function authorizeConnection(c: Connection): Verdict {\n' +
      '  if (c.protocol != Protocol.TCP) return Verdict.Deny;\n' +
      '  return c.destination.port == 8080 ? Verdict.Allow : Verdict.Pass;\n}',
  );
  const lines = new Set<number>();
  for (let at = 0; at < result.wasm.length; at++) {
    const found = result.locate(at);
    if (found !== null) lines.add(found.line);
  }
  assert.equal([...lines].sort(), [3, 4]);
  assert.is(result.lineText('policy.ts', 4).trim().slice(0, 8), 'return c');
  assert.is(result.lineText('policy.ts', 99), '');
});

test.run();
