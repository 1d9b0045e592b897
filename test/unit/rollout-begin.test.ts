/** Plans, and what may begin: each refusal, and beside it what is let pass. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  begin,
  desired,
  durationText,
  type NodeReport,
  type RolloutDocument,
  readDuration,
  readPlan,
  rolloutOf,
} from '../../runtime/rollout/index.js';
import {
  NEW,
  nodeReport,
  nodeReports,
  OLD,
  OTHER,
  rollout,
  START,
} from '../support/rollout-nodes.js';

const test = suite('rollout: begin');
const ALL = { stage: 'all' };

/** Codes and messages of what is wrong with a plan. */
function faults(plan: Readonly<Record<string, unknown>>): string[] {
  const { spec, diagnostics } = readPlan(JSON.stringify(plan), 'plan.json');
  assert.is(spec === null, diagnostics.length > 0);
  return diagnostics.map((d) => `${d.code} ${d.message}`);
}

test('durations', () => {
  for (const [text, ms] of [
    ['0s', 0],
    ['500ms', 500],
    ['30s', 30_000],
    ['90s', 90_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['365d', 31_536_000_000],
    ['366d', null],
    ['', null],
    ['5', null],
    ['m', null],
    ['-5m', null],
    ['5 m', null],
    ['1.5m', null],
    ['5m5s', null],
    ['5M', null],
  ] as const) {
    assert.is(readDuration(text), ms, text);
    if (ms !== null) assert.is(readDuration(durationText(ms)), ms, text);
  }
  assert.equal([0, 500, 90_000, 300_000, 86_400_000].map(durationText), [
    '0ms',
    '500ms',
    '90s',
    '5m',
    '1d',
  ]);
});

test('a plan with its defaults', () => {
  const { spec, hasTarget } = readPlan('stages:\n  - stage: all\n', 'plan.yaml');
  assert.is(hasTarget, false);
  assert.equal(spec, {
    target: {},
    stages: [{ kind: 'all', percent: null, labels: null, holdMs: 60_000, pause: false }],
    gates: {
      refusals: 0,
      rise: 0.05,
      differences: 0.01,
      atLeast: 50,
      silenceMs: 30_000,
      confirmMs: 120_000,
    },
    onShut: 'rollback',
  });
  assert.is(readPlan('{"target":{},"stages":[{"stage":"all"}]}', 'plan.json').hasTarget, true);
});

test('plans that contradict themselves, and their like that do not', () => {
  const ten = { stage: 'canary', percent: 10 };
  const zone = { stage: 'canary', labels: { zone: 'a' } };
  for (const [stages, want] of [
    [[{ stage: 'shadow' }, ten, zone, { stage: 'canary', percent: 50 }, ALL], []],
    [[ten, { stage: 'canary', percent: 10.5 }, ALL], []],
    [[ten, ten, ALL], ['C101 10 percent is no more than the 10 before']],
    [[{ stage: 'canary' }, ALL], ['C101 a canary needs either `percent` or `labels`']],
    [[{ ...ten, ...zone }, ALL], ['C101 a canary needs either `percent` or `labels`']],
    [[{ ...ALL, percent: 10 }], ['C101 `all` takes neither `percent` nor `labels`']],
    [[ten, { stage: 'shadow' }, ALL], ['C101 `shadow` is not the first stage']],
    [[ten], ['C101 the last stage is not `all`']],
    [
      [ALL, ten],
      ['C101 `all` is not the last', 'C101 the last stage is not `all`'],
    ],
    [[{ ...ALL, for: 'soon' }], ['C102 `soon` is not a duration']],
  ] as const) {
    assert.equal(faults({ stages }), want, JSON.stringify(stages));
  }
  assert.equal(faults({ stages: [ALL], gates: { silence: '5' } }), ['C102 `5` is not a duration']);
  assert.equal(faults({ stages: [ALL], gates: { silence: '19s' } }), [
    'C102 `silence` is less than 20s: nodes that are well say no more',
  ]);
  assert.equal(faults({ stages: [ALL], gates: { silence: '20s' } }), []);
  assert.match(faults({ stages: [] })[0] ?? '', 'W0');
  assert.match(faults({ stages: [{ stage: 'canary', percent: 0 }, ALL] })[0] ?? '', 'W0');
  assert.match(faults({ stages: [ALL], stage: [] })[0] ?? '', 'W010 unknown key `stage`');
  const found = readPlan('stages:\n  - { stage: canary, for: 5 m }\n  - stage: all\n', 'plan.yaml');
  assert.equal(
    found.diagnostics.map((d) => `${d.file}:${d.line} ${d.code}`),
    ['plan.yaml:2 C101', 'plan.yaml:2 C102'],
  );
});

/** Begins NEW over what is there; the refusal, or the document. */
function begun(
  plan: Readonly<Record<string, unknown>>,
  documents: readonly RolloutDocument[],
  nodes: readonly NodeReport[] = nodeReports(4),
  { name = 'shop', digest = NEW }: { readonly name?: string; readonly digest?: string } = {},
): RolloutDocument | string {
  const { spec, hasTarget } = readPlan(JSON.stringify({ stages: [ALL], ...plan }), 'plan.json');
  assert.ok(spec);
  if (spec === null) return '';
  const target = hasTarget ? spec.target : null;
  const asked = { name, digest, spec: { ...spec, target }, documents, by: 'ann' };
  const made = begin({ ...asked, nodes, now: START, watchedSince: 0 });
  return made.ok ? made.document : `${made.diagnostics[0]?.code} ${made.diagnostics[0]?.message}`;
}
const isBegun = (it: RolloutDocument | string): it is RolloutDocument => typeof it !== 'string';

test('what ran before is what the nodes go back to', () => {
  const nodes = nodeReports(4);
  const first = rollout({ stages: [ALL] }, nodes, { first: true });
  assert.is(first.before, null);
  assert.is(first.number, 1);
  const done: RolloutDocument = { ...first, digest: OLD, state: 'done' };
  const second = begun({}, [done]);
  assert.ok(isBegun(second) && second.before === OLD && second.number === 2);
  const undone: RolloutDocument = {
    ...done,
    number: 2,
    digest: OTHER,
    before: OLD,
    state: 'undone',
  };
  const third = begun({}, [undone]);
  assert.ok(isBegun(third) && third.before === OLD && third.number === 3);
});

test('one at a time of a name', () => {
  const nodes = nodeReports(4);
  const running = rollout({ stages: [ALL] }, nodes);
  assert.is(begun({}, [running]), 'C103 rollout 2 of `shop` is running');
  assert.is(begun({}, [{ ...running, state: 'paused' }]), 'C103 rollout 2 of `shop` is paused');
  const done: RolloutDocument = { ...running, state: 'done' };
  assert.is(begun({}, [done]), `C104 the nodes of \`shop\` run ${NEW} already`);
  assert.ok(isBegun(begun({}, [done], nodes, { digest: OTHER })));
  assert.ok(isBegun(begun({}, [{ ...running, state: 'undone' }])));
  assert.match(
    String(begun({}, [{ ...running, state: 'undone' }], nodes, { digest: OLD })),
    'C104',
  );
});

test('a first one that is paused is replaced: nothing else leads on from there', () => {
  const nodes = nodeReports(4);
  const first = rollout({ target: { zone: 'a' }, stages: [ALL] }, nodes, { first: true });
  assert.is(begun({}, [first]), 'C103 rollout 1 of `shop` is running');
  const paused: RolloutDocument = { ...first, state: 'paused', pausedBy: 'gate' };
  const second = begun({}, [paused], nodes, { digest: OTHER });
  assert.ok(isBegun(second), String(second));
  assert.equal([second.number, second.digest, second.before], [2, OTHER, null]);
  assert.equal(second.spec.target, { zone: 'a' });
  // With other gates, and the same bundle.
  assert.ok(isBegun(begun({}, [paused])));
  assert.match(String(begun({ target: { zone: 'b' } }, [paused])), 'C107');
  // Where something ran before, it is undone first.
  const later: RolloutDocument = { ...paused, number: 2, before: OLD };
  assert.is(begun({}, [later], nodes, { digest: OTHER }), 'C103 rollout 2 of `shop` is paused');
});

test('a target may grow and not shrink; without one that of before', () => {
  const last: RolloutDocument = {
    ...rollout({ target: { zone: 'a' }, stages: [ALL] }, nodeReports(4)),
    state: 'done',
  };
  const kept = begun({}, [last], nodeReports(4), { digest: OTHER });
  assert.ok(isBegun(kept));
  assert.equal(isBegun(kept) ? kept.spec.target : null, { zone: 'a' });
  assert.is(
    begun({ target: { zone: 'b' } }, [last]),
    'C107 `shop` is meant for zone=a, which zone=b does not cover',
  );
  assert.match(String(begun({ target: { zone: 'a', app: 'x' } }, [last])), 'C107');
  // The same bundle for more nodes is something new.
  const grown = begun({ target: {} }, [last]);
  assert.equal(isBegun(grown) ? grown.spec.target : null, {});
});

test('nodes of another name, and no nodes', () => {
  const nodes = nodeReports(4);
  const zone: RolloutDocument = {
    ...rollout({ target: { zone: 'a' }, stages: [ALL] }, nodes),
    state: 'done',
  };
  const web = (target: Readonly<Record<string, string>>): RolloutDocument | string =>
    begun({ target }, [zone], nodes, { name: 'web' });
  assert.is(web({}), 'C105 node-1, node-3: of `shop` already');
  assert.ok(isBegun(web({ zone: 'b' })));
  assert.is(web({ zone: 'c' }), 'C106 no node is known with zone=c');
  assert.is(begun({}, [], []), 'C106 no node is known');
  // A node whose labels come to match both stays with the one that was there first.
  const both = nodeReport({ node: 'both', labels: { zone: 'a', app: 'web' } });
  const later = {
    ...zone,
    name: 'aweb',
    created: START + 1,
    spec: { ...zone.spec, target: { app: 'web' } },
  };
  assert.is(rolloutOf([later, zone], both)?.name, 'shop');
  assert.is(desired([zone, later], both)?.name, 'shop');
});

test.run();
