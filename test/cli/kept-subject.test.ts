/** A project whose files are as they were is not compiled again; whatever changed is seen. */
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { weft, withFolder } from './harness.js';

const test = suite('kept subjects');
const KEPT = 'shop/.weft/subject.weft';
const ASK = ['simulate', 'shop', '--from', 'reviews.prod', '--to', 'ratings.prod:80', '-o', 'json'];

test('the bundle of a project is kept, by another program made again, and never stale', () =>
  withFolder(async (cwd) => {
    await weft(['init', 'shop'], { cwd });
    const first = await weft(ASK, { cwd });
    assert.is(first.exit, 0, first.stdout);
    const made = (): number => statSync(join(cwd, KEPT)).ino;
    const before = made();
    const second = await weft(ASK, { cwd });
    assert.is(second.stdout, first.stdout);
    assert.is(made(), before, 'nothing was compiled');
    await weft(ASK, { cwd, program: 'another' });
    assert.is.not(made(), before);

    const policy = join(cwd, 'shop/policies/isolation.ts');
    const text = readFileSync(policy, 'utf8');
    writeFileSync(policy, text.replaceAll('Verdict.Allow', 'Verdict.Deny'));
    assert.is((await weft(ASK, { cwd })).exit, 2, 'a changed policy counts');
    writeFileSync(policy, `${text}nonsense(`);
    assert.is((await weft(ASK, { cwd })).exit, 3, 'a policy that is none is told');
    writeFileSync(policy, text);
    writeFileSync(join(cwd, KEPT), 'damaged');
    assert.is((await weft(ASK, { cwd })).stdout, first.stdout, 'what is damaged is made again');
    rmSync(join(cwd, 'shop/.weft'), { recursive: true });
    writeFileSync(join(cwd, 'shop/.weft'), 'in the way');
    assert.is((await weft(ASK, { cwd })).stdout, first.stdout, 'nothing can be kept');
    assert.is(existsSync(join(cwd, KEPT)), false);
  }));

test.run();
