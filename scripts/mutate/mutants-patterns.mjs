// Paths, hosts, regular expressions and rule lists: their automata and plans, and the code that walks them.
const patterns = 'compiler/passes/pattern-functions.ts';
const regex = 'compiler/passes/regex-function.ts';
const regexAutomaton = 'compiler/tables/regex-automaton.ts';
const rules = 'compiler/passes/rules-function.ts';
const planRules = 'compiler/tables/plan-rules.ts';
const ruleBoxes = 'compiler/tables/rule-boxes.ts';
const automaton = 'compiler/tables/path-automaton.ts';

export const PATTERNS = [
  {
    class: 'prefix for whole',
    name: 'a path that goes on behind its pattern',
    file: patterns,
    find: "const atEnd = done.select('i32', isEnd, ending, done.constant('i32', 0));",
    replace: "const atEnd = done.select('i32', isEnd, ending, ending);",
    suite: 'case/cases#^path-table.case',
  },
  {
    class: 'prefix for whole',
    name: 'a text that goes on behind a regular expression',
    file: regex,
    find: "const word = maskWord(walk, loaded, walk.binary('i32', 'sub', length, position.id));",
    replace: 'const word = loaded;',
    suite: 'case/cases#^regex-table.case',
  },
  {
    class: 'first match',
    name: 'the last regular expression that matches counts',
    file: regexAutomaton,
    find: 'return rule >= 0 ? Math.min(least, rule) : least;',
    replace: 'return rule >= 0 ? rule : least;',
    suite: 'case/cases#^regex-table.case',
  },
  {
    class: 'wildcard without anything',
    name: 'an end with nothing before it',
    file: patterns,
    find: 'const one = cut.constant',
    replace: "const one = cut.constant('i32', 0); cut.constant",
    suite: 'case/cases#^host-table.case',
  },
  {
    class: 'wrong priority',
    name: '{name} goes before an element that is written out',
    file: automaton,
    find: 'if (named !== undefined) next.push(named);',
    replace: 'if (named !== undefined && node.any === null) next.push(named);',
    suite: 'case/cases#^path-table.case',
  },
  {
    class: 'first match in array order wins',
    name: 'the last probe that finds a rule wins',
    file: rules,
    find: "const isLess = take.compare('lt_u', found, best);",
    replace: "const isLess = take.compareWith('i64', 'ne', found, 0);",
    suite: 'unit/rule-list',
  },
  {
    class: 'dropped second list entry',
    name: 'only the first rule of a bucket is compared',
    file: rules,
    find: "compareWith('i64', 'lt_u', turn.id, probe.most)",
    replace: "compareWith('i64', 'lt_u', turn.id, 1)",
    suite: 'unit/rule-list',
  },
  {
    class: 'families mixed',
    name: 'an IPv6 prefix of a rule holds IPv4 addresses',
    file: planRules,
    find: 'isV6 ? 1n : 0n',
    replace: '0n',
    suite: 'unit/rule-list',
  },
  {
    class: 'families mixed',
    name: 'an IPv6 address counts as its last 32 bits where rules have IPv4 only',
    file: rules,
    find: "const above = emit.with('i64', 'shl', isV6, 32);",
    replace: "const above = emit.with('i64', 'mul', isV6, 0);",
    suite: 'unit/rule-list',
  },
  {
    class: 'off by one in a bound',
    name: 'the last port of a range is outside of a rule',
    file: planRules,
    find: 'view.setUint16(at + columns.ports + 2, last - first, true);',
    replace: 'view.setUint16(at + columns.ports + 2, Math.max(0, last - first - 1), true);',
    suite: 'unit/rule-list',
  },
  {
    class: 'absent attribute matched',
    name: 'a rule that asks for a text holds where the attribute is absent',
    file: rules,
    find: "join(emit.binary('i64', 'mul', emit.binary('i64', 'xor', said, id), said));",
    replace:
      "join(emit.binary('i64', 'mul', emit.binary('i64', 'mul', emit.binary('i64', 'xor', said, id), said), id));",
    suite: 'unit/rule-list',
  },
  {
    class: 'clause ignored',
    name: 'of several blocks that a rule names only the last one counts',
    file: ruleBoxes,
    find: 'byPart.set(part, [...(byPart.get(part) ?? []), apply]);',
    replace: 'byPart.set(part, [apply]);',
    suite: 'unit/rule-list',
  },
];
