/**
 * Decisions over sets against the simulator, input by input: over generated policies each says the same of generated
 * inputs, every input on which two versions differ is in a set that is told, and none is told that does not differ.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decideAll, levelsOf, outcomeOf } from '../../runtime/prove/compare-bundles.js';
import { cubesOf } from '../../runtime/prove/cubes.js';
import { modelOf } from '../../runtime/prove/decide.js';
import { exampleOf } from '../../runtime/prove/example.js';
import { createInlineDecider } from '../../runtime/simulate/index.js';
import { mustCompile } from '../support/compile-texts.js';
import { generateInput, generateRules, rulesWorld } from '../support/generate-rules.js';
import { locateInput } from '../support/locate-input.js';
import { Prng } from '../support/prng.js';

const test = suite('decisions over sets');
const PAIRS = Number(process.env['WEFT_FORMAL_PAIRS'] ?? 3);
const INPUTS = 2000;
/** Of all inputs of all pairs. */
let differing = 0;

for (let seed = 1; seed <= PAIRS; seed += 1) {
  test(`pair ${seed}`, async () => {
    const r = new Prng(seed);
    const connect = generateRules(r, false);
    const texts = [0, 1].map((version) => {
      const files: [string, string][] = [
        ['connect.ts', version === 0 || r.oneIn(2) ? connect : generateRules(r, false)],
        ['request.ts', generateRules(r, true)],
      ];
      return new Map(files);
    });
    const config = { default: r.pick(['allow', 'deny'] as const) };
    const bundles = await Promise.all(texts.map((files) => mustCompile(files, config)));
    const models = bundles.map((bundle, i) => modelOf(bundle, String(i)));
    const world = rulesWorld(r);
    const deciders = bundles.map((bundle) => createInlineDecider(bundle, world));
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
        const at = locateInput(space, world, input);
        const verdicts = deciders.map((decider) => decider.decide(input).end?.verdict);
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

test('versions differ on some of the inputs', () => {
  assert.ok(differing > 0);
});

test.run();
