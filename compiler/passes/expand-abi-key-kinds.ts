/**
 * What the key of a table look-up may be: a text's symbol or an integer. Traced through block
 * parameters and, where a helper looks up what it was given, through the calls of the helper.
 */
import { definitions, type Func, type Instr, type Module, type ValueId } from '../ir/index.js';
import { incomingValues } from './expand-abi-incoming.js';

export type KeyKind = 'text' | 'integer';

/** Calls whose answer is the symbol of a text. */
const TEXTS: ReadonlySet<string> = new Set(['attribute', 'label', 'symbol']);

interface Facts {
  readonly func: Func;
  readonly defs: ReadonlyMap<ValueId, Instr>;
  readonly incoming: ReadonlyMap<ValueId, readonly ValueId[]>;
}
type Work = [facts: Facts, value: ValueId][];

/** Answers for one module, whose functions do not change meanwhile. */
export class KeyKinds {
  readonly #module: Module;
  readonly #facts = new Map<Func, Facts>();

  constructor(module: Module) {
    this.#module = module;
  }

  /** What a value may be; the constant 0 (an absent text) counts as neither. */
  of(func: Func, key: ValueId): ReadonlySet<KeyKind> {
    const kinds = new Set<KeyKind>();
    const seen = new Map<Func, Set<ValueId>>();
    const work: Work = [[this.#factsOf(func), key]];
    for (let next = work.pop(); next !== undefined; next = work.pop()) {
      const [facts, value] = next;
      const known = seen.get(facts.func) ?? new Set();
      if (known.has(value)) continue;
      seen.set(facts.func, known.add(value));
      const def = facts.defs.get(value);
      const from = facts.incoming.get(value) ?? operandsBehind(def);
      if (from !== null) work.push(...from.map((v): Work[number] => [facts, v]));
      else if (def === undefined) work.push(...this.#passed(facts.func, value));
      else if (def.op === 'abi' && TEXTS.has(def.name)) kinds.add('text');
      else if (def.op !== 'const' || def.value !== 0n) kinds.add('integer');
    }
    return kinds;
  }

  #factsOf(func: Func): Facts {
    const known = this.#facts.get(func);
    if (known !== undefined) return known;
    const facts = { func, defs: definitions(func), incoming: incomingValues(func) };
    this.#facts.set(func, facts);
    return facts;
  }

  /** What callers pass for a parameter. */
  #passed(callee: Func, param: ValueId): Work {
    const index = callee.params.findIndex((p) => p.id === param);
    return this.#module.functions.flatMap((func) =>
      func.blocks.flatMap((block) =>
        block.instrs.flatMap((instr): Work => {
          if (instr.op !== 'call' || instr.callee !== callee.name) return [];
          const value = instr.args[index];
          return value === undefined ? [] : [[this.#factsOf(func), value]];
        }),
      ),
    );
  }
}

/** The values of which an instruction yields one as it is; null for every other instruction. */
function operandsBehind(def: Instr | undefined): readonly ValueId[] | null {
  if (def?.op === 'select') return [def.args[1], def.args[2]];
  if (def?.op === 'extend_u' || def?.op === 'wrap') return [def.args[0]];
  return null;
}
