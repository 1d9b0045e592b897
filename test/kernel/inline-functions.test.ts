/** Programs with functions put in do in the kernel what they do with all calls; what does not load so loads as it was built. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isVerifierError, openKernel } from '../../runtime/kernel/index.js';
import { Prng } from '../support/prng.js';
import { compileC } from './support.js';

const test = suite('functions put in');
const kernel = openKernel();

/** C functions and programs of one number: one that calls the first function once, one in which nothing is called once. */
const PROGRAMS = 24;
/** Packets, of which the programs read the length alone. */
const LENGTHS = [14, 15, 21, 64, 100, 999];

function generate(random: Prng, name: number): { readonly text: string; readonly count: number } {
  const count = 1 + random.below(5);
  const constant = (): string => `${random.below(1 << 20)}ull`;
  const function_ = (index: number): string => {
    const body: string[] = [];
    const words = 1 + random.below(5);
    const values = ['a', 'b', 'c', 'd'];
    const value = (): string => random.pick(values);
    body.push(`volatile __u64 kept[${words}];`, `__u64 c = a * 3 + ${constant()}, d = b ^ a;`);
    for (let word = 0; word < words; word++) body.push(`kept[${word}] = ${value()} + ${word};`);
    const steps: string[] = [];
    for (let step = 0; step < 3 + random.below(4); step++) {
      const word = random.below(words);
      steps.push(
        [
          `${value()} += ${value()} * ${constant()};`,
          `kept[${word}] ^= ${value()};`,
          `${value()} ^= kept[${word}] >> 3;`,
          `if ((${value()} & ${1 + random.below(7)}) == 1) return ${value()} + kept[${word}];`,
          `_Pragma("clang loop unroll(disable)") for (int i = 0; i < ${2 + random.below(4)}; i++) { hide(${value()}); d += c ^ i; }`,
          `a ^= bpf_get_smp_processor_id() & 0;`,
        ][random.below(6)] as string,
      );
    }
    // Calls go to functions of higher numbers, each from one place.
    if (index + 1 < count) {
      const call = `c += f${name}_${index + 1}(${value()}, ${value()});`;
      const repeated = `_Pragma("clang loop unroll(disable)") for (int i = 0; i < 3; i++) { ${call} a += i; }`;
      steps.splice(random.below(steps.length + 1), 0, random.below(3) === 0 ? repeated : call);
    }
    const returned = values.map((each) => `rotate(${each}, ${1 + random.below(60)})`).join(' ^ ');
    return `static __noinline __u64 f${name}_${index}(__u64 a, __u64 b) {
  ${[...body, ...steps].join('\n  ')}
  return ${returned} + kept[0];
}`;
  };
  const functions = Array.from({ length: count }, (_, index) => function_(index)).reverse();
  const never = Array.from({ length: count }, (_, index) => `f${name}_${index}(low, low)`);
  const text = `${functions.join('\n')}
SEC("tc") int once${name}(struct __sk_buff *skb) {
  __u64 low = skb->len, high = low * 7;
  __u64 got = f${name}_0(low, high);
  return (int)(got ^ got >> 32 ^ low ^ high) & 0x7fffffff;
}
SEC("tc") int twice${name}(struct __sk_buff *skb) {
  __u64 low = skb->len, high = low * 7;
  __u64 got = f${name}_0(low, high);
  if (low == 123456789) got += ${never.join(' + ')};
  return (int)(got ^ got >> 32 ^ low ^ high) & 0x7fffffff;
}`;
  return { text, count };
}

test('24 programs of random functions return the same', () => {
  const random = new Prng(20261124);
  const made = Array.from({ length: PROGRAMS }, (_, name) => generate(random, name));
  const head = `#define hide(x) asm volatile("" : "+r"(x))
static __always_inline __u64 rotate(__u64 x, int by) { return x << by | x >> (64 - by); }`;
  const bytes = compileC([head, ...made.map(({ text }) => text)].join('\n'));
  using object = kernel.load({ name: 'functions', bytes });
  const answers = new Set<number>();
  for (const [name, { count }] of made.entries()) {
    const once = object.program(`once${name}`);
    const twice = object.program(`twice${name}`);
    assert.is(once.info().functions, 1, `once${name}`);
    assert.is(twice.info().functions, 1 + count, `twice${name}`);
    for (const length of LENGTHS) {
      const packet = new Uint8Array(length);
      const { retval } = once.testRun(packet);
      assert.is(retval, twice.testRun(packet).retval, `program ${name}, ${length} bytes`);
      answers.add(retval);
    }
  }
  assert.ok(answers.size > (PROGRAMS * LENGTHS.length) / 2, `${answers.size} answers`);
});

/** The program's own frame is asked by a variable, so nobody knows its depth before the verifier does. */
const DEEP = (bytes: number): string => `
#define whole(room) asm volatile("" : : "r"(room) : "memory")
static __noinline int deep(int seed) {
  char room[200];
  room[0] = seed;
  whole(room);
  return room[0];
}
static __noinline int wide(int seed) {
  char room[${bytes}];
  room[0] = seed;
  whole(room);
  return room[0] + 1;
}
SEC("tc") int outer(struct __sk_buff *skb) {
  volatile char room[128];
  __builtin_memset((void *)room, 1, sizeof(room));
  int first = wide(skb->len);
  return room[skb->len & 127] + wide(first) + deep(first);
}`;

test('what the verifier refuses with functions put in is loaded as it was built', () => {
  const functionsOf = (bytes: number): number => {
    using object = kernel.load({ name: 'deep', bytes: compileC(DEEP(bytes)) });
    const program = object.program('outer');
    assert.is(program.testRun(new Uint8Array(20)).retval, 1 + 22 + 21);
    return program.info().functions;
  };
  assert.not.throws(() => functionsOf(200));
  assert.is(functionsOf(200), 3);
  assert.is(functionsOf(100), 2);
});

test('what it refuses either way is refused with the place in the source', () => {
  const source = `static __noinline int inner(struct __sk_buff *skb) {
  return *(volatile __u32 *)(long)skb->data;
}
SEC("tc") int outer(struct __sk_buff *skb) { return inner(skb) + 1; }`;
  let caught: unknown;
  try {
    kernel.load({ name: 'refused', bytes: compileC(source) });
  } catch (error) {
    caught = error;
  }
  assert.ok(isVerifierError(caught));
  assert.is(caught.position?.line, 6);
  assert.match(caught.summary, /invalid access to packet|invalid mem access/);
});

test.run();
