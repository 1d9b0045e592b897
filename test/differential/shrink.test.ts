/** A seeded fault in a pass is found, blamed on its stage, made small and written down so that it can be decided again. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseCaseFile } from '../support/case-file.js';
import { generateConnection } from '../support/generate-connection.js';
import type { Stage } from '../support/ir-engine.js';
import { Prng } from '../support/prng.js';
import { keepFound } from './keep-found.js';
import { type Trial, tryTrial } from './trial.js';

const test = suite('shrinking');

const NOISE = `import { Connection, Verdict } from "weft";
export function authorizeConnection(connection: Connection): Verdict {
  return connection.source.label("app").is("web") ? Verdict.Audit : Verdict.Pass;
}
`;
const FAULTY = `import { Connection, Table, Verdict } from "weft";
const ports = new Table<u32>("ports");
ports.set(<u32>80, 1);
ports.set(<u32>443, 2);
function mixed(a: u32, b: u32): u32 { return a % 7 == b ? a * 3 : a ^ b; }
export function authorizeConnection(connection: Connection): Verdict {
  const port = <u32>connection.destination.port;
  if (connection.source.namespace.is("edge")) return Verdict.Pass;
  let x: u32 = mixed(port, 3) + ports.get(port);
  if (((connection.source.address.word(0) | 0x80000000) >> 4) > ((x & 255) + 0x10000000)) return Verdict.Deny;
  if (port == 22 && connection.protocol == 6) return Verdict.Audit;
  return Verdict.Allow;
}
`;
const random = new Prng(11);
const TRIAL: Trial = {
  texts: new Map([
    ['noise.ts', NOISE],
    ['faulty.ts', FAULTY],
  ]),
  fuel: 2000,
  asked: { isRequest: false, facts: Array.from({ length: 20 }, () => generateConnection(random)) },
};
const EVERY = { keep: () => true, irEach: 1 } as const;
/** A compilation each: enough for policies and lines, which is most of the way. */
const MOST_TRIES = 36;

/** What a pass could get wrong: the sign of a shift. */
function spoil({ pass, module }: Stage): void {
  if (pass !== 'order-blocks') return;
  for (const block of module.functions.flatMap((func) => func.blocks)) {
    block.instrs = block.instrs.map((instr) =>
      instr.op === 'binary' && instr.kind === 'shr_u' && instr.type === 'i32'
        ? { ...instr, kind: 'shr_s' }
        : instr,
    );
  }
}

test('all engines agree on the trial itself', async () => {
  assert.equal((await tryTrial(TRIAL, EVERY)).differences, []);
});

test('a fault is blamed on its stage, shrinks to what shows it, and becomes a case', async () => {
  const tried = await tryTrial(TRIAL, { ...EVERY, spoil });
  assert.ok(tried.differences.length > 0);
  assert.ok(tried.differences.every(({ engine }) => engine.includes('order-blocks')));
  const folder = `${mkdtempSync(join(tmpdir(), 'weft-corpus-'))}/`;
  try {
    const { path, trial, tries } = await keepFound('found', TRIAL, tried, {
      ...{ spoil, folder, most: MOST_TRIES },
    });
    console.error(`shrunk in ${tries} tries`);
    const [text = ''] = [...trial.texts.values()];
    assert.is(trial.texts.size, 1, 'one policy is enough');
    assert.match(text, '>> 4');
    assert.ok(text.split('\n').length <= 9, text);
    assert.not.match(text, 'edge');
    assert.not.match(text, 'Audit');
    assert.is(trial.asked.facts.length, 1);
    assert.equal((await tryTrial(trial, EVERY)).differences, [], 'without the fault it agrees');
    const again = await tryTrial(trial, { keep: () => true, irEach: 0, spoil });
    assert.ok(again.differences.length > 0, 'with the fault it does not');

    const written = readFileSync(path, 'utf8');
    assert.match(written, /^# ir behind .*order-blocks/m);
    const { policies, config, cases } = parseCaseFile('found.case', written);
    assert.equal([...policies.values()], [`${text.trimEnd()}\n`]);
    assert.equal(config, { budget: { fuel: 2000 } });
    assert.is(cases.length, 1);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test.run();
