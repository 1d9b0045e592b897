// Functions that a load puts into the place that calls them: what moves, what is kept, what stays.
const inline = 'runtime/kernel/inline/inline-functions.ts';
const depth = 'runtime/kernel/inline/frame-depth.ts';
const live = 'runtime/kernel/inline/live-registers.ts';
const change = 'a program that does something else';

export const INLINE = [
  {
    class: change,
    name: 'registers that the caller reads behind a function are not kept',
    file: inline,
    find: 'registersOf((live[at] as number) & written(callee.body))',
    replace: 'registersOf(0)',
    suite: 'kernel/inline-functions',
  },
  {
    class: change,
    name: 'a register of the next turn of a loop is not kept',
    file: live,
    find: 'if (behind !== live[at]) isChanged = true;',
    replace: '',
    suite: 'unit/inline-functions',
  },
  {
    class: change,
    name: 'the frame of the caller stays where the function writes',
    file: inline,
    find: 'result.push(...moved(each, shift));',
    replace: 'result.push(...moved(each, 0));',
    suite: 'kernel/inline-functions',
  },
  {
    class: change,
    name: 'an address of the frame does not move with it',
    file: inline,
    find: 'if (!isAddress) return [each];',
    replace: 'return [each];',
    suite: 'unit/inline-functions',
  },
  {
    class: change,
    name: 'the function writes over what is kept',
    file: inline,
    find: 'moved(one, place.kept.length * WORD)',
    replace: 'moved(one, 0)',
    suite: 'kernel/inline-functions',
  },
  {
    class: change,
    name: 'an address that goes down in a loop has a bound',
    file: depth,
    find: 'const merged = before === undefined ? [...now] : meet(before, now);',
    replace: 'const merged = before ?? [...now];',
    suite: 'unit/inline-functions',
  },
  {
    class: change,
    name: 'an address of a frame may be stored',
    file: depth,
    find: 'if (of(source) !== null || isOrdered(each)) return null;',
    replace: 'if (isOrdered(each)) return null;',
    suite: 'unit/inline-functions',
  },
  {
    class: change,
    name: 'a function that another one walks below its address is put in',
    file: depth,
    find: 'if (isCallOfFunction(each) && isGiven) return null;',
    replace: '',
    suite: 'unit/inline-functions',
  },
  {
    class: 'a load that is refused',
    name: 'what the verifier does not take with functions put in is given up',
    file: 'runtime/kernel/object.ts',
    find: 'const isOther = loaded.isInlined && !isInterrupted(-result);',
    replace: 'const isOther = false;',
    suite: 'kernel/inline-functions',
  },
];
