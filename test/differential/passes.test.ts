/**
 * Property: V8 on fuelled WASM, built IR, and IR after every pass agree on result, trap and fuel stop.
 * A failing seed prints its module; `WEFT_SEED=n` or `n-m` runs those seeds.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { buildModule } from '../../compiler/frontend/build-ir.js';
import { evaluate, type Module, parse, print, verifyModule } from '../../compiler/ir/index.js';
import {
  balanceChains,
  eliminateCommonSubexpressions,
  eliminateDeadCode,
  expandArithmetic,
  type FunctionPass,
  foldConstants,
  foldMemory,
  guardLoops,
  indexMemory,
  inline,
  lowerSwitch,
  mergeWays,
  optimize,
  orderBlocks,
  promoteMemory,
  reduceStrength,
  simplifyBranches,
  simplifyParams,
  sinkLoads,
  sinkValues,
  threadBranches,
  unrollLoops,
} from '../../compiler/passes/index.js';
import { frontendOf } from '../support/build.js';
import { callLoops, knownToTurns } from '../support/call-loops.js';
import { generateWasm, SCRATCH } from '../support/generate-wasm.js';
import { instantiate } from '../support/run-wasm.js';

const test = suite('passes');
const SEEDS = 60;
const FUEL = 300;

interface Input {
  readonly port: number;
  readonly family: number;
  readonly now: bigint;
  readonly attribute: number;
}
const INPUTS: readonly Input[] = [
  { port: 0, family: 4, now: 0n, attribute: 0 },
  { port: 443, family: 6, now: 0x8000000000000000n, attribute: 0xffffffff },
  { port: 65535, family: 4, now: 123456789012345n, attribute: 7 },
];

/** `fuel`, `trap` or the unsigned result, as V8 has it. */
function runV8(wasm: Uint8Array, input: Input): string {
  let stop = 'trap';
  const exports = instantiate(wasm, {
    destination_port: () => input.port,
    family: () => input.family,
    now: () => input.now,
    attribute: () => input.attribute,
    out_of_fuel: () => {
      stop = 'fuel';
    },
  });
  const decide = exports['authorizeConnection'] as (handle: number) => number;
  try {
    return String(decide(0) >>> 0);
  } catch {
    return stop;
  }
}

function runIr(module: Module, input: Input): string {
  const answers: Readonly<Record<string, bigint>> = {
    destination_port: BigInt(input.port),
    family: BigInt(input.family),
    now: input.now,
    attribute: BigInt(input.attribute),
  };
  const ran = evaluate(module, 'p0_authorize', { abi: (name) => answers[name] ?? 0n });
  return ran.stop ?? String(ran.value);
}

const each =
  (pass: FunctionPass) =>
  (module: Module): void => {
    for (const func of module.functions) pass(func, module);
  };
const PASSES: readonly (readonly [string, (module: Module) => void])[] = [
  ['simplify-params', each(simplifyParams)],
  ['fold-constants', each(foldConstants)],
  ['fold-memory', each(foldMemory)],
  ['index-memory', each(indexMemory)],
  ['promote-memory', each(promoteMemory)],
  ['eliminate-common-subexpressions', each(eliminateCommonSubexpressions)],
  ['simplify-branches', each(simplifyBranches)],
  ['eliminate-dead-code', each(eliminateDeadCode)],
  ['reduce-strength', each(reduceStrength)],
  ['sink-loads', each(sinkLoads)],
  ['thread-branches', each(threadBranches)],
  ['unroll-loops', each(unrollLoops)],
  ['balance-chains', each(balanceChains)],
  ['inline', inline],
  ['expand-arithmetic', each(expandArithmetic)],
  ['lower-switch', each(lowerSwitch)],
  ['guard-loops', each((func) => guardLoops(func, { mayGoto: false, fuel: FUEL }))],
  ['guard-loops may_goto', each((func) => guardLoops(func, { mayGoto: true, fuel: FUEL }))],
  ['guard-loops calls', (module) => callLoops(module, FUEL)],
  ['merge-ways', each((func) => mergeWays(func, { limit: 1, turns: new Map() }))],
  ['order-blocks', each(orderBlocks)],
  ['sink-values', each(sinkValues)],
  ['optimize', (module) => optimize(module, { verify: true, fuel: FUEL })],
  ['optimize for may_goto', (module) => optimize(module, { verify: true, mayGoto: true })],
];

function check(seed: number, objects: boolean): void {
  const text = generateWasm(seed, objects);
  const frontend = frontendOf(text, FUEL, objects ? SCRATCH : null);
  const want = INPUTS.map((input) => runV8(frontend.wasm, input)).join(' ');
  const same = (module: Module, what: string): void => {
    const have = INPUTS.map((input) => runIr(module, input)).join(' ');
    if (have !== want) assert.unreachable(`seed ${seed}, ${what}: ${have}, not ${want}\n${text}`);
    const problems = [...verifyModule(module), ...knownToTurns(module)];
    if (problems.length > 0) assert.unreachable(`seed ${seed}, ${what}: ${problems.join('\n')}`);
  };
  // What is built is large and much alike: a sample of it is enough.
  for (const raw of seed % 10 === 0 ? [true, false] : [false]) {
    const { module, diagnostics } = buildModule({ frontend, policy: 0, name: 'g', raw });
    if (module === null)
      assert.unreachable(`seed ${seed}: ${JSON.stringify(diagnostics)}\n${text}`);
    else {
      const before = print(module);
      same(module, raw ? 'built' : 'simplified');
      assert.is(print(parse(before)), before);
      for (const [name, pass] of PASSES) {
        const copy = { ...module, functions: structuredClone(module.functions) };
        pass(copy);
        same(copy, `${name} of ${raw ? 'built' : 'simplified'}`);
      }
    }
  }
}

const only = process.env['WEFT_SEED']?.split('-').map(Number);
const [first = 1, last = SEEDS] = only === undefined ? [] : [only[0], only[1] ?? only[0]];
const seeds = Array.from({ length: last - first + 1 }, (_, i) => first + i);
test(`${seeds.length} modules keep their meaning through every pass`, () => {
  for (const seed of seeds) check(seed, false);
});
test(`${seeds.length} modules that make objects, too`, () => {
  for (const seed of seeds) check(seed, true);
});

test.run();
