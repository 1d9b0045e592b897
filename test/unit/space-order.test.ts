/** In which order fields are asked: by rank, but what very many rules tell apart first, which keeps sets small. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ALL } from '../../runtime/prove/diagram.js';
import { attributeField, opaqueField, PORT_FIELD } from '../../runtime/prove/field.js';
import { type Guard, type Guards, Space, Survey } from '../../runtime/prove/guards.js';
import { cubeWords } from '../../runtime/prove/words.js';

const test = suite('space-order');

const SOURCE = attributeField('source', 'namespace');
const ACCOUNT = attributeField('source', 'serviceAccount');
const APP = attributeField('destination', 'label', 'app');

/** What is let through by rules about three texts and a port of their own each. */
function throughRules(guards: Guards, count: number): Guard {
  let rest: Guard = ALL;
  for (let i = 0; i < count; i++) {
    const port = BigInt(1000 + 3 * i);
    const is = (field: typeof SOURCE, text: string): Guard =>
      guards.text(field, { op: 'is', text, ignoresCase: false });
    const texts = [is(SOURCE, `ns-${i % 17}`), is(ACCOUNT, `sa-${i % 13}`), is(APP, `a-${i % 11}`)];
    const rule = texts.reduce(guards.and, guards.number(PORT_FIELD, [[port, port + 9n]]));
    rest = guards.and(rest, guards.not(rule));
  }
  return rest;
}

function spaceOf(count: number): Space {
  const survey = new Survey();
  throughRules(survey, count);
  survey.flag(opaqueField(1));
  return new Space(survey);
}

test('a few rules are asked as policies read: ports last', () => {
  const names = spaceOf(50).levels.map(({ field }) => field.name);
  assert.equal(names, [SOURCE.name, ACCOUNT.name, APP.name, PORT_FIELD.name, 'undecided 1']);
});

test('ports that hundreds of rules tell apart are asked first; what is not looked into stays last', () => {
  const names = spaceOf(300).levels.map(({ field }) => field.name);
  assert.equal(names, [PORT_FIELD.name, SOURCE.name, ACCOUNT.name, APP.name, 'undecided 1']);
});

test('sets of a thousand rules stay small', () => {
  const space = spaceOf(1000);
  throughRules(space, 1000);
  assert.ok(space.diagrams.count < 60_000, `${space.diagrams.count} nodes`);
});

test('words keep the order in which policies read', () => {
  const space = spaceOf(300);
  const levelOf = (name: string): number => space.levelOf(name) ?? -1;
  const cube = new Map([
    [levelOf(PORT_FIELD.name), [[3, 4]] as const],
    [levelOf(SOURCE.name), [[1, 2]] as const],
  ]);
  const fields = cubeWords(space, cube).map(({ field }) => field);
  assert.equal(fields, [SOURCE.name, PORT_FIELD.name]);
});

test.run();
