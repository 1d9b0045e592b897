/** Which cases travel in a bundle, and what is said where they cannot. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { canonicalJson, caseCount, MAX_CASE_WORLDS } from '../../compiler/bundle/index.js';
import type { ProjectConfig } from '../../compiler/bundle/project.js';
import { readProject } from '../../runtime/config/index.js';
import { readWorld } from '../../runtime/discovery/index.js';
import { type CasesRead, readCases } from '../../runtime/project/read-cases.js';
import { caseDraws } from '../../runtime/simulate/draws.js';

const test = suite('read cases');
const WORLD = `workloads:
  - { name: a.prod, addresses: [10.1.0.1] }
  - { name: b.prod, addresses: [10.1.0.2] }
`;
const CONNECT = 'connect: { from: a.prod, to: "b.prod:80" }';
const one = (id: string, rest = 'expect: { verdict: allow }'): string =>
  `  - { id: ${id}, ${CONNECT}, ${rest} }\n`;
const scenario = (...cases: readonly string[]): string => `seed: 7\ncases:\n${cases.join('')}`;

function configOf(selfTest: unknown): { readonly text: string; readonly config: ProjectConfig } {
  const policies = [{ file: 'p.ts', attach: [{ namespace: 'prod' }] }];
  const text = JSON.stringify({ name: 'shop', policies, world: 'world.yaml', selfTest });
  const { project } = readProject(text, 'weft.json');
  if (project === null) throw new Error('weft.json is at fault');
  return { text, config: project };
}

function read(files: Readonly<Record<string, string>>, selfTest?: unknown): CasesRead {
  const { text, config } = configOf(selfTest);
  const all: Readonly<Record<string, string>> = {
    'world.yaml': WORLD,
    'weft.json': text,
    ...files,
  };
  const { world } = readWorld(WORLD, 'world.yaml');
  return readCases({ config, world, read: (path) => all[path] ?? null, diagnostics: [] });
}
const codes = ({ diagnostics }: CasesRead): string[] =>
  diagnostics.map(({ severity, code, line }) => `${severity} ${code} ${line}`);

test('those of scenario.yaml travel without being named; none where there is none', () => {
  assert.equal(read({}), { cases: null, diagnostics: [] });
  const { cases, diagnostics } = read({
    'scenario.yaml': scenario(one('x'), `  - { id: silent, ${CONNECT} }\n`, one('y')),
  });
  assert.equal(diagnostics, []);
  const [file] = cases?.files ?? [];
  assert.equal([file?.file, file?.world, file?.left], ['scenario.yaml', 0, 1]);
  assert.equal(
    file?.cases.map(({ line, case: { id } }) => [id, line]),
    [
      ['x', 3],
      ['y', 5],
    ],
    'what expects nothing stays',
  );
  assert.equal(
    cases?.worlds.map((world) => world.file),
    ['world.yaml'],
  );
});

test('a chosen case keeps its draws wherever it stands, and equal projects give equal layers', () => {
  const texts = { 'tests/scenario.yaml': scenario(one('x'), one('y')) };
  const chosen = read(texts, [{ file: 'tests/scenario.yaml', cases: ['y'] }]);
  const [travelling] = chosen.cases?.files[0]?.cases ?? [];
  const drawn = caseDraws(7, 1);
  const asked = travelling?.case;
  assert.equal({ random: asked?.['random'], pick: asked?.['pick'] }, drawn);
  const again = read(texts, [{ file: 'tests/scenario.yaml', cases: ['y'] }]);
  assert.is(canonicalJson(again.cases), canonicalJson(chosen.cases));
  assert.is(read(texts, []).cases, null, 'none are wanted');
});

test('a scenario brings the world that it names, from its own folder', () => {
  const other = WORLD.replace('10.1.0.2', '10.1.0.3');
  const { cases } = read(
    { 'tests/w.yaml': other, 'tests/s.yaml': `world: ./w.yaml\n${scenario(one('x'))}` },
    [{ file: 'tests/s.yaml' }],
  );
  assert.equal(
    cases?.worlds.map((world) => world.file),
    ['tests/w.yaml'],
  );
});

test('what is named and cannot travel is refused in its place', () => {
  const many = scenario(...Array.from({ length: 257 }, (_, i) => one(`c${i}`)));
  const unhealthy = scenario(
    ...Array.from({ length: MAX_CASE_WORLDS + 1 }, (_, i) =>
      one(
        `h${i}`,
        `healthy: { ${i % 2 === 0 ? 'a.prod' : 'b.prod'}: ${i % 4 < 2}, ${i % 2 === 0 ? 'b.prod' : 'a.prod'}: ${i < 4} }, expect: { verdict: deny }`,
      ),
    ),
  );
  const named = (text: string | null, more: object = {}): CasesRead =>
    read(text === null ? {} : { 's.yaml': text }, [{ file: 's.yaml', ...more }]);
  assert.equal(codes(named(null)), ['error B212 1']);
  assert.equal(codes(named(scenario(one('x')), { cases: ['z'] })), ['error B212 1']);
  assert.equal(codes(named(many)), ['error B212 1']);
  assert.equal(codes(named(scenario(one('x').replace('b.prod', 'c.prod')))), ['error W301 3']);
  assert.equal(codes(named(unhealthy)), [], 'as many worlds as may be');
  const large = scenario(one('x', `expect: { rule: "${'r'.repeat(1_100_000)}" }`));
  assert.equal(codes(named(large)), ['error B212 null']);
  for (const found of [named(null), named(many), named(large)]) assert.is(found.cases, null);
});

test('what nobody named comes as far as it can: the first 256, none where it is at fault', () => {
  const many = scenario(...Array.from({ length: 300 }, (_, i) => one(`c${i}`)));
  const { cases, diagnostics } = read({ 'scenario.yaml': many });
  assert.equal(diagnostics, []);
  assert.is(cases === null ? 0 : caseCount(cases), 256);
  assert.is(cases?.files[0]?.left, 44);
  const faulty = read({ 'scenario.yaml': scenario(one('x').replace('b.prod', 'c.prod')) });
  assert.equal(codes(faulty), ['warning W301 3']);
  assert.is(faulty.cases, null);
});

test.run();
