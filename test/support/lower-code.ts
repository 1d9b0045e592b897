/** The code of a small function written as IR, and tables of what it must be. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from '../../compiler/ir/index.js';
import { printCode } from '../../compiler/lower/asm/index.js';
import { lowerModule } from '../../compiler/lower/index.js';

export interface Row {
  readonly name: string;
  readonly ir: string;
  /** The whole code, after a line break. */
  readonly want: string;
  readonly mayGoto?: true;
}

/** Code of the only function of `ir`. */
export function codeOf(ir: string, mayGoto: boolean): string {
  const lowered = lowerModule(parse(`module "m"\n${ir.trim()}\n`), { mayGoto });
  const [func] = lowered.ok ? lowered.functions : [];
  return func === undefined ? 'refused' : printCode(func.code);
}

/** A suite with a test for each row; the caller may add more, and runs it. */
export function rowSuite(name: string, rows: readonly Row[]): ReturnType<typeof suite> {
  const test = suite(name);
  for (const { name: row, ir, want, mayGoto } of rows) {
    test(row, () => assert.is(codeOf(ir, mayGoto === true), `${want.slice(1)}\n`));
  }
  return test;
}
