/** `weft explain` as a user meets it: the whole text, the document, and the same text for both engines. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openKernel } from '../../runtime/kernel/index.js';
import { weft, withFolder } from './harness.js';

const test = suite('explain');
const EXAMPLE = fileURLToPath(new URL('../../../policies/examples/bookinfo/', import.meta.url));
const WORLD = join(EXAMPLE, 'world.yaml');

/** Builds the example once for all tests. */
async function withBundle(run: (bundle: string) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const bundle = join(folder, 'bookinfo.weft');
    const { exit, stderr } = await weft(['build', EXAMPLE, '--out', bundle]);
    assert.is(exit, 0, stderr);
    await run(bundle);
  });
}

test('a refusal, an allow, a scenario, both engines', () =>
  withBundle(async (bundle) => {
    const ask = (...words: string[]) => weft(['explain', bundle, '--world', WORLD, ...words]);
    const ends = ['--from', 'reviews-v1.prod', '--to', 'ratings.prod:80'];
    const denied = await ask(...ends);
    assert.is(denied.exit, 2);
    assert.is(
      denied.stdout,
      `deny  reviews-v1.prod -> ratings.prod:80
decided by callers.ts:16 at the client
  16 | return connection.source.label("version").is("v1") ? Verdict.Deny : Verdict.Allow;
service ratings.prod, cluster ratings/v1 (no route: its own), endpoint 10.1.0.7:9080

isolation  authorizeConnection: pass (isolation.ts:5)
  yes  isolation.ts:5  destination.namespace == source.namespace  destination.namespace "prod", source.namespace "prod"

blocklist  authorizeConnection: pass (blocklist.ts:10)
  no  blocklist.ts:10  blocked.contains(source.address)  source.address 10.1.0.4, no entry of blocked

callers  authorizeConnection: deny (callers.ts:16)
  no   callers.ts:7   protocol == UDP                          protocol TCP
  no   callers.ts:11  source.serviceAccount.is("productpage")  source.serviceAccount "reviews"
  yes  callers.ts:14  source.serviceAccount.is("reviews")      source.serviceAccount "reviews"
  yes  callers.ts:14  destination.label("app").is("ratings")   destination.label("app") "ratings"
  yes  callers.ts:16  source.label("version").is("v1")         source.label("version") "v1"

nearest to being let in:
  callers.ts:16: source.label("version").is("v1") would have not to hold; source.label("version") is "v1"
  then callers.ts:16 allows
`,
    );
    // The near miss: version v2 may, and nothing is said of what would have to be different.
    const allowed = await ask('--from', 'reviews-v2.prod', '--to', 'ratings.prod:80');
    assert.is(allowed.exit, 0);
    assert.match(allowed.stdout, /^allow /);
    assert.not.match(allowed.stdout, /nearest/);

    const kernel = await openKernel();
    const byKernel = await weft(
      ['explain', bundle, '--world', WORLD, ...ends, '--engine', 'kernel'],
      { openKernel: () => Promise.resolve(kernel) },
    );
    assert.is(byKernel.stdout, denied.stdout);

    const json = JSON.parse((await ask(...ends, '-o', 'json')).stdout);
    assert.is(json.outcome.rule, 'callers.ts:16');
    assert.equal(
      json.questions.map((q: { policy: string; says: string }) => [q.policy, q.says]).slice(0, 3),
      [
        ['isolation', 'pass'],
        ['blocklist', 'pass'],
        ['callers', 'deny'],
      ],
    );
    assert.equal(json.nearest.turned[0].seen, [{ name: 'source.label("version")', value: '"v1"' }]);

    const scenario = join(EXAMPLE, 'scenario.yaml');
    const named = await weft([
      'explain',
      bundle,
      scenario,
      '--case',
      'initech-pays-but-is-blocked',
    ]);
    assert.match(named.stdout, /entry 10\.66\.0\.0\/16/);
    const unnamed = await weft(['explain', bundle, scenario]);
    assert.is(unnamed.exit, 64);
    assert.match(unnamed.stderr, /more than one case/);
    const wrong = await weft(['explain', bundle, scenario, '--case', 'nobody']);
    assert.is(wrong.exit, 64);
    assert.match(wrong.stderr, /no case `nobody`/);
  }));

test('what names nothing to explain is usage, with the remedy', async () => {
  for (const [words, said] of [
    [[], /nothing to explain[\s\S]*give a scenario file, or `--from` and `--to`/],
    [['--id', '7'], /`--id` goes with `--record`[\s\S]*`--record FILE`/],
  ] as const) {
    const { exit, stderr } = await weft(['explain', 'shop', ...words]);
    assert.is(exit, 64);
    assert.match(stderr, said);
  }
});

test('a recorded event, by its id or its line', () =>
  withBundle(async (bundle) => {
    await withFolder(async (folder) => {
      const file = join(folder, 'seen.ndjson');
      const ends = { from: 'reviews-v1.prod', to: 'ratings.prod:80' };
      const records = [
        { from: 'reviews-v2.prod', to: 'ratings.prod:80' },
        { id: 'seven', ...ends, decided: { verdict: 'allow' } },
        { from: 'nobody.prod', to: 'ratings.prod:80' },
      ];
      writeFileSync(file, records.map((record) => `${JSON.stringify(record)}\n`).join(''));
      const ask = (id: string, ...words: string[]) =>
        weft(['explain', bundle, '--world', WORLD, '--record', file, '--id', id, ...words]);
      const byOptions = await weft([
        ...['explain', bundle, '--world', WORLD],
        ...['--from', ends.from, '--to', ends.to],
      ]);
      const byId = await ask('seven');
      assert.is(byId.exit, 2);
      // The same, and that it was let in when it was seen.
      assert.is(byId.stdout, `${byOptions.stdout}\nwhen it was seen: allow\n`);
      assert.is((await ask('2')).stdout, byId.stdout);
      const json = JSON.parse((await ask('1', '-o', 'json')).stdout);
      assert.equal([json.outcome.verdict, json.id, json.recorded], ['allow', '1', null]);
      for (const [id, exit, message] of [
        ['4', 64, /has no record `4`/],
        ['3', 3, /nobody\.prod/],
      ] as const) {
        const refused = await ask(id);
        assert.is(refused.exit, exit, id);
        assert.match(refused.stderr, message);
      }
      const alone = await weft(['explain', bundle, '--world', WORLD, '--record', file]);
      assert.is(alone.exit, 64);
    });
  }));

test.run();
