/**
 * Decisions over sets against the simulator, input by input: over generated policies each says the same of generated
 * inputs, every input on which two versions differ is in a set that is told, and none is told that does not differ.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decideAll, levelsOf, outcomeOf } from '../../runtime/prove/compare-bundles.js';
import { compareRoutes, decideWays } from '../../runtime/prove/compare-routes.js';
import { cubesOf } from '../../runtime/prove/cubes.js';
import { type Model, modelOf } from '../../runtime/prove/decide.js';
import { NO_OPINION, STOPS, type Way } from '../../runtime/prove/decide-routes.js';
import { exampleOf } from '../../runtime/prove/example.js';
import { createInlineDecider, type Flow } from '../../runtime/simulate/index.js';
import { mustCompile } from '../support/compile-texts.js';
import {
  generateInput,
  generateRoutes,
  generateRules,
  rulesWorld,
  withHttp,
  withServices,
} from '../support/generate-rules.js';
import { locateInput } from '../support/locate-input.js';
import { Prng } from '../support/prng.js';

const test = suite('decisions over sets');
const PAIRS = Number(process.env['WEFT_FORMAL_PAIRS'] ?? 3);
const INPUTS = 2000;
/** Of all inputs of all pairs. */
let [differing, rerouted, letBe] = [0, 0, 0];

for (let seed = 1; seed <= PAIRS; seed += 1) {
  test(`pair ${seed}`, async () => {
    const r = new Prng(seed);
    const connect = generateRules(r, false);
    const texts = [0, 1].map((version) => {
      const files: [string, string][] = [
        ['connect.ts', version === 0 || r.oneIn(2) ? connect : generateRules(r, false)],
        ['request.ts', generateRules(r, true)],
      ];
      // Of the last pairs one version speaks of requests alone: connections to HTTP are let be.
      return new Map(version === 1 && seed > PAIRS / 2 ? files.slice(1) : files);
    });
    const config = { default: r.pick(['allow', 'deny'] as const) };
    const bundles = await Promise.all(texts.map((files) => mustCompile(files, config)));
    const models = bundles.map((bundle, i) => modelOf(bundle, String(i)));
    const world = rulesWorld(r);
    const served = withHttp(world);
    const deciders = bundles.map((bundle) => createInlineDecider(bundle, served));
    for (const level of levelsOf(bundles)) {
      const { space, possible, decided } = decideAll(models, level);
      const { diagrams } = space;
      const [was, is] = decided.map(({ allow }) => allow);
      if (was === undefined || is === undefined) throw new Error('two were asked for');
      const changed = diagrams.and(
        diagrams.or(diagrams.minus(was, is), diagrams.minus(is, was)),
        possible,
      );
      const { cubes, rest } = cubesOf(space, changed, possible, 1000);
      assert.is(rest, 0, 'all of it is told');
      const covered = diagrams.union(cubes.map((cube) => diagrams.cube(cube)));
      for (let i = 0; i < INPUTS; i += 1) {
        const input = generateInput(r, world, level === 'request');
        const at = locateInput(space, served, input);
        const ends = deciders.map((decider) => decider.decide(input).end);
        const verdicts = ends.map((end) => end?.verdict);
        if (ends.some((end) => end?.reason === 'requests')) letBe += 1;
        const shown = (): string =>
          `seed ${seed} ${level} ${i}\n${[...(texts[0]?.values() ?? []), ...(texts[1]?.values() ?? [])].join('\n')}`;
        assert.ok(diagrams.has(possible, at), `an input that cannot be: ${shown()}`);
        const told = [was, is].map((set) => (diagrams.has(set, at) ? 'allow' : 'deny'));
        assert.equal(told, verdicts, shown());
        const differs = verdicts[0] !== verdicts[1];
        assert.is(diagrams.has(covered, at), differs, shown());
        if (differs) differing += 1;
      }
      for (const cube of cubes) {
        const example = exampleOf(space, diagrams.and(diagrams.cube(cube), changed), level);
        const [old, now] = bundles.map((bundle) => outcomeOf(bundle, example).verdict);
        assert.is.not(old, now, `seed ${seed}`);
      }
    }
  });
}

/** What a flow was routed to, as the ways of a bundle are told. */
function routedTo({ routeSite, answer, cluster, end }: Flow): string {
  if (routeSite === 0) return end?.reason === 'trap' ? STOPS : NO_OPINION;
  const name = cluster?.name.replace('api/', 'api.prod/').replace('other/', 'other.dev/') ?? '';
  return answer?.kind === 'reply' ? 'reply 429' : name;
}

for (let seed = 1; seed <= PAIRS; seed += 1) {
  test(`routes of pair ${seed}`, async () => {
    const r = new Prng(1000 + seed);
    const world = withServices(rulesWorld(r));
    const texts = [0, 1].map(() => new Map([['route.ts', generateRoutes(r)]]));
    const bundles = await Promise.all(texts.map((files) => mustCompile(files)));
    const models = bundles.map((bundle, i) => modelOf(bundle, String(i))) as [Model, Model];
    const deciders = bundles.map((bundle) => createInlineDecider(bundle, world));
    const { space, possible, ways } = decideWays(models, 'request');
    const { diagrams } = space;
    for (let i = 0; i < INPUTS; i += 1) {
      const input = generateInput(r, world, true);
      const at = locateInput(space, world, input);
      const shown = (): string =>
        `seed ${seed} ${i}\n${texts.map((files) => [...files.values()].join()).join('\n')}`;
      assert.ok(diagrams.has(possible, at), `an input that cannot be: ${shown()}`);
      const taken = deciders.map((decider) => routedTo(decider.decide(input)));
      const told = ways.map((list) =>
        list.filter(({ guard }) => diagrams.has(guard, at)).map(({ says }) => says),
      );
      assert.equal(
        told,
        taken.map((way) => [way]),
        shown(),
      );
      if (taken[0] !== taken[1]) rerouted += 1;
    }
    const { routed, undecided } = compareRoutes(models, 'request', 1000);
    assert.is(undecided, null, [...(texts[0]?.values() ?? [])].join());
    const covered = routed.length;
    const isSame = ways[0]?.every(({ key, guard }) =>
      ways[1]?.some((is) => is.key === key && is.guard === guard),
    );
    assert.is(covered === 0, isSame, shownKeys(ways));
  });
}

function shownKeys(ways: readonly (readonly Way[])[]): string {
  return ways.map((list) => list.map(({ says }) => says).join()).join(' / ');
}

test('versions route some of the inputs otherwise', () => {
  assert.ok(rerouted > 0);
});

test('versions differ on some of the inputs', () => {
  assert.ok(differing > 0);
});

test('connections are let be for some of the inputs', () => {
  assert.ok(letBe > 0);
});

test.run();
