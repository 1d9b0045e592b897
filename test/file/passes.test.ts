/**
 * Passes on IR text: `passes/<name>.ir` holds `; test pass <pass>`, IR, a line `; ---`, and the IR after.
 * `; test verify` files name the problems instead, one `; error: ...` a line. WEFT_BLESS=1 rewrites.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Func, type Module, parse, print, verifyModule } from '../../compiler/ir/index.js';
import {
  balanceChains,
  dropUnused,
  eliminateCommonSubexpressions,
  eliminateDeadCode,
  expandArithmetic,
  type FunctionPass,
  foldConstants,
  foldMemory,
  foldPlaces,
  guardLoops,
  indexMemory,
  inline,
  inlinePolicies,
  lowerSwitch,
  type ModulePass,
  mergeWays,
  optimize,
  orderBlocks,
  partCompares,
  promoteMemory,
  reduceStrength,
  simplifyBranches,
  simplifyParams,
  sinkLoads,
  sinkValues,
  threadBranches,
  unrollLoops,
} from '../../compiler/passes/index.js';
import { callLoops } from '../support/call-loops.js';

const test = suite('file passes');
const FOLDER = 'test/file/passes';
const RULE = '; ---\n';

const each =
  (pass: FunctionPass): ModulePass =>
  (module) =>
    module.functions.map((func) => pass(func, module)).includes(true);
const PASSES: Readonly<Record<string, ModulePass>> = {
  'simplify-params': each(simplifyParams),
  'fold-constants': each(foldConstants),
  'fold-memory': each(foldMemory),
  'promote-memory': each(promoteMemory),
  'eliminate-common-subexpressions': each(eliminateCommonSubexpressions),
  'simplify-branches': each(simplifyBranches),
  'index-memory': each(indexMemory),
  'fold-places': each(foldPlaces),
  'eliminate-dead-code': each(eliminateDeadCode),
  'expand-arithmetic': each(expandArithmetic),
  'lower-switch': each(lowerSwitch),
  'guard-loops': each((func) => guardLoops(func, { mayGoto: false, fuel: 20_000 })),
  'guard-loops may_goto': each((func) => guardLoops(func, { mayGoto: true, fuel: 20_000 })),
  'guard-loops calls': (module) => callLoops(module, 20_000),
  'merge-ways': each((func) => mergeWays(func, { limit: 200, turns: new Map() })),
  'merge-ways walk': each((func) => {
    const walk = ({ name }: Func): number => (name === 'soon' ? 200 : 201);
    return mergeWays(func, { limit: 200, turns: new Map(), walk });
  }),
  'part-compares': each(partCompares),
  'order-blocks': each(orderBlocks),
  'sink-values': each(sinkValues),
  'sink-loads': each(sinkLoads),
  'reduce-strength': each(reduceStrength),
  'balance-chains': each(balanceChains),
  'thread-branches': each(threadBranches),
  'unroll-loops': each(unrollLoops),
  inline,
  'inline-policies': inlinePolicies,
  'drop-unused': dropUnused,
  optimize: (module) => {
    optimize(module, { verify: true });
    return true;
  },
};

/** The expectation that a file should hold. */
function expectation(command: string, text: string): string {
  const module: Module = parse(text);
  const problems = verifyModule(module);
  if (command === 'verify') {
    assert.is.not(problems.length, 0, 'a `test verify` file must have problems');
    return problems.map((problem) => `; error: ${problem}\n`).join('');
  }
  assert.equal(problems, [], 'input of a pass must be well-formed');
  const pass = PASSES[command.replace('pass ', '')];
  if (pass === undefined) throw new Error(`unknown command \`${command}\``);
  pass(module);
  assert.equal(verifyModule(module), [], 'output of a pass must be well-formed');
  return print(module);
}

const files = existsSync(FOLDER) ? readdirSync(FOLDER).sort() : [];
const done = new Set<string>();
for (const name of files) {
  test(name, () => {
    assert.match(name, /\.ir$/, 'no file of this folder may be left over');
    const path = `${FOLDER}/${name}`;
    const [input = '', want = ''] = readFileSync(path, 'utf8').split(RULE);
    const command = /^; test (.*)$/m.exec(input)?.[1] ?? '';
    done.add(command.replace(/^pass /, ''));
    const have = expectation(command, input);
    if (process.env['WEFT_BLESS'] === '1') writeFileSync(path, `${input}${RULE}${have}`);
    else assert.fixture(have, want, `${path}: run with --bless if the new text is right`);
  });
}
test('every pass has a file', () => {
  for (const name of [...Object.keys(PASSES), 'verify']) assert.ok(done.has(name), name);
});

test.run();
